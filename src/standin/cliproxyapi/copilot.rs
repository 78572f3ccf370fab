//! `-github-copilot-login` of CLIProxyAPIPlus (`facts/cliproxyapi.md` 4.5): exit code 0, whatever
//! comes of it.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::config::Config;
use super::{Log, login};

/// What the person does: `ok`, `denied`, `no-subscription` or `wait`.
const PERSON: &str = "FLOWGATE_STANDIN_COPILOT";

/// The code that the person is asked to type.
const CODE: &str = "WDJB-MJHT";

/// Logs in, in the words of the program.
pub(super) fn log_in(config: &Config, log: &Log<'_>) {
    let out = |text: &str| log.scene.console.out(&format!("{text}\n"));
    out("Starting GitHub Copilot authentication...");
    out("");
    out("To authenticate, please visit: https://github.com/login/device");
    out(&format!("And enter the code: {CODE}"));
    out("");
    out("Waiting for GitHub authorization...");
    out("(This will timeout in 900 seconds if not authorized)");
    let failed = |text: &str| {
        let text = format!("GitHub Copilot authentication failed: {text}");
        log.line("error", "github_copilot_login.go:37", &text);
    };
    match log.scene.variable(PERSON).unwrap_or("wait") {
        "ok" => {
            out("Verifying Copilot access...");
            let path = config.auth_dir.join("github-copilot-ana.json");
            let token = json!({
                "access_token": "gho_standin0001", "scope": "user:email", "token_type": "bearer",
                "type": "github-copilot", "username": "ana",
            });
            let _ = std::fs::create_dir_all(&config.auth_dir);
            match login::save(&path, &token) {
                Ok(path) => {
                    out(&format!("Authentication saved to {}", path.display()));
                    out("Authenticated as ana");
                    out("GitHub Copilot authentication successful!");
                }
                Err(error) => failed(&format!("failed to save token: {error}")),
            }
        }
        "denied" => failed("Authentication was cancelled or denied."),
        "no-subscription" => failed(
            "failed to verify Copilot access - you may not have an active Copilot subscription: status 403",
        ),
        _ => loop {
            thread::park_timeout(Duration::from_secs(900));
        },
    }
}
