//! Runbook section 2 on real files, ports and the management API of the stand-in.

use crate::gateway::{Gateway, MANAGEMENT_KEY, effects, finding, roots, token};

#[test]
fn an_empty_auth_dir_is_a_missing_login_and_explains_the_missing_models() {
    let mut gateway = Gateway::new();
    std::fs::remove_file(gateway.path(".router/auths/codex-ana@example.com.json")).unwrap();
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");

    let document = gateway.doctor(&[]);

    assert_eq!(roots(&document), ["oauth-login/no-credential:codex"]);
    assert!(
        effects(&document).contains(&"readiness/no-models:cliproxyapi_plus".to_owned()),
        "{document:#}"
    );
    assert!(
        finding(&document, "oauth-login/no-credential:codex")
            .to_string()
            .contains("auth login codex")
    );
}

#[test]
fn no_management_api_is_the_cause_when_a_login_is_wanted() {
    let mut gateway = Gateway::new();
    gateway.edit("config/cliproxyapi.yaml", "secret-key", "other-key");
    std::fs::remove_file(gateway.path(".router/auths/codex-ana@example.com.json")).unwrap();
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");

    let document = gateway.doctor(&[]);

    assert_eq!(
        roots(&document),
        ["oauth-login/management-disabled:cliproxyapi_plus"]
    );
    assert!(effects(&document).contains(&"oauth-login/no-credential:codex".to_owned()));
}

#[test]
fn a_token_that_is_cut_off_is_broken() {
    let mut gateway = Gateway::new();
    gateway.write_token(
        "codex-ana@example.com.json",
        &token("2099-01-01T00:00:00Z")[..90],
        0o600,
    );
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");

    let document = gateway.doctor(&[]);

    assert_eq!(
        roots(&document),
        ["oauth-login/credential-broken:.router/auths/codex-ana@example.com.json"]
    );
}

#[test]
fn a_management_key_is_sent_only_when_it_matches_the_stored_hash() {
    let mut gateway = Gateway::new();
    gateway.keep_management_key("planted-but-wrong-key-1\n");
    gateway.start("cliproxyapi_plus");
    gateway.doctor(&[]);
    let asked = |gateway: &Gateway| {
        gateway
            .requests("cliproxyapi_plus")
            .iter()
            .filter(|request| request["path"].as_str().unwrap().starts_with("/v0/"))
            .count()
    };
    assert_eq!(asked(&gateway), 0, "an unconfirmed key is never sent");
    gateway.keep_management_key(MANAGEMENT_KEY);
    gateway.doctor(&[]);
    assert_eq!(asked(&gateway), 1, "one management request a look");
}

/// Both stand-ins run, and the log of CLIProxyAPIPlus goes on with these lines.
fn running_with_log(gateway: &mut Gateway, lines: &[&str]) {
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");
    let log = gateway.path(".router/runtime/process-logs/cliproxyapi_plus.log");
    let mut file = std::fs::OpenOptions::new().append(true).open(log).unwrap();
    for line in lines {
        std::io::Write::write_all(&mut file, format!("{line}\n").as_bytes()).unwrap();
    }
}

fn event(gateway: &Gateway, result: &str, detail: &str) {
    let line = format!(
        r#"{{"timestamp":"2026-11-20T10:00:00+00:00","event":"oauth_login","service":null,"profile":null,"provider":"codex","result":"{result}","detail":{detail}}}"#
    );
    crate::process::write(
        &gateway.path(".router/runtime/events.log"),
        &format!("{line}\n"),
        0o644,
    );
}

const TOKEN: &str = ".router/auths/codex-ana@example.com.json";
const BEGUN: &str = "Initializing Codex authentication...";

#[test]
fn the_last_login_is_told_by_its_event_and_by_the_log() {
    for (result, detail, lines, root) in [
        (
            "failed",
            r#""OAuth login timed out; last status=wait""#,
            &[][..],
            "oauth-login/login-timed-out:codex",
        ),
        (
            "failed",
            r#""OAuth login failed with status: denied""#,
            &[],
            "oauth-login/login-failed:codex",
        ),
        ("success", "null", &[], "oauth-login/login-not-saved:codex"),
        (
            "success",
            "null",
            &[
                BEGUN,
                "[t] [error] [auth_files.go:1225] Authentication was cancelled or denied.",
            ],
            "oauth-login/login-failed:codex",
        ),
        (
            "started",
            "null",
            &[
                BEGUN,
                "Authentication successful! Token saved to /elsewhere/codex-ana@example.com.json",
            ],
            "oauth-login/wrong-auth-dir:cliproxyapi_plus",
        ),
    ] {
        let mut gateway = Gateway::new();
        std::fs::remove_file(gateway.path(TOKEN)).unwrap();
        event(&gateway, result, detail);
        running_with_log(&mut gateway, lines);
        let document = gateway.doctor(&[]);
        assert_eq!(roots(&document), [root], "{document:#}");
        assert!(
            effects(&document).contains(&"oauth-login/no-credential:codex".to_owned()),
            "{root}"
        );
    }
}

#[test]
fn a_renewal_that_the_provider_refuses_and_a_limit_are_read_from_the_log() {
    for (lines, root) in [
        (
            &[
                "[t] [warning] [x.go:1] Token refresh attempt 3 failed: token refresh failed with status 401: {}",
            ][..],
            format!("oauth-login/credential-rejected:{TOKEN}"),
        ),
        (
            &[
                r#"[t] [warning] [g.go:1] [GIN] 2026/11/23 - 14:12:00 | 429 | 0s | 127.0.0.1 | POST    "/v1/responses""#,
            ],
            "oauth-login/quota-exhausted:codex".into(),
        ),
    ] {
        let mut gateway = Gateway::new();
        // Without the management API nothing but the log tells.
        std::fs::remove_file(gateway.path(".router/secrets/management.key")).unwrap();
        gateway.write_token(
            "codex-ana@example.com.json",
            &token("2026-01-01T00:00:00Z"),
            0o600,
        );
        running_with_log(&mut gateway, lines);
        let document = gateway.doctor(&[]);
        assert!(roots(&document).contains(&root), "{root}: {document:#}");
    }
}

#[test]
fn a_build_without_a_provider_says_so_and_horizon_widens_the_warning() {
    let mut gateway = Gateway::new();
    std::fs::remove_file(gateway.path(TOKEN)).unwrap();
    gateway.edit("config/flowgate.yaml", "    codex:\n", "    copilot:\n");
    gateway.start("litellm");
    gateway.spawn(
        "cliproxyapi_plus",
        &[("FLOWGATE_STANDIN_EDITION", "mainline".into())],
    );
    let proxy = gateway.proxy;
    crate::process::wait_for("the proxy to listen", || {
        crate::gateway::is_listening(proxy)
    });
    let document = gateway.doctor(&[]);
    assert_eq!(
        roots(&document),
        ["oauth-login/provider-unsupported:copilot"],
        "{document:#}"
    );

    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(60);
    let text = token(&soon.to_string()).replace(crate::gateway::REFRESH_TOKEN, "");
    gateway.write_token("codex-ana@example.com.json", &text, 0o600);
    let key = format!("oauth-login/credential-expiring:{TOKEN}");
    assert!(!roots(&gateway.doctor(&[])).contains(&key));
    assert!(roots(&gateway.doctor(&["--horizon", "72h"])).contains(&key));
}
