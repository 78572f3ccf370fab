//! Secrets of any form, planted in every file and answer: no command in any form prints one, and nothing
//! that flowgate writes about its work holds one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;

use crate::gateway::{FLOWGATE, free_port, is_listening};
use crate::process::{Process, read, set_mode, wait_for, write};
use crate::supervised::end_what_runs;

/// One secret for each place.
struct Secrets {
    master: String,
    upstream: String,
    management: String,
    access: String,
    refresh: String,
    identity: String,
    proxy_password: String,
    other_refresh: String,
    variable: String,
}

impl Secrets {
    fn all(&self) -> [&str; 9] {
        [
            &self.master,
            &self.upstream,
            &self.management,
            &self.access,
            &self.refresh,
            &self.identity,
            &self.proxy_password,
            &self.other_refresh,
            &self.variable,
        ]
    }
}

/// What a key may look like: with and without the form of one, and with letters that texts escape.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "sk-[a-zA-Z0-9]{16,30}",
        "[a-f0-9]{32}",
        "[A-Za-z0-9+/]{20,30}==",
        "Qz[a-z]{3}%&\"'[a-z0-9]{8}#x",
        "eyJ[A-Za-z0-9]{12}\\.eyJ[A-Za-z0-9]{12}\\.[A-Za-z0-9_-]{12}",
    ]
}

/// Keys that a header and an env file take as they are.
fn plain_secret() -> impl Strategy<Value = String> {
    prop_oneof!["sk-[a-zA-Z0-9]{16,30}", "[a-f0-9]{32}", "[A-Za-z0-9]{24}"]
}

fn secrets(runner: &mut TestRunner) -> Secrets {
    let mut plain = || plain_secret().new_tree(runner).unwrap().current();
    let (master, upstream, management, proxy_password, variable) =
        (plain(), plain(), plain(), plain(), plain());
    let mut any = || secret().new_tree(runner).unwrap().current();
    Secrets {
        master,
        upstream,
        management,
        proxy_password,
        variable,
        access: any(),
        refresh: any(),
        identity: any(),
        other_refresh: any(),
    }
}

struct House {
    folder: tempfile::TempDir,
    running: Vec<Process>,
}

impl Drop for House {
    fn drop(&mut self) {
        end_what_runs(self.folder.path());
    }
}

impl House {
    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// A gateway with a secret in every file that it reads, and in its logs.
    fn new(secrets: &Secrets) -> Self {
        let house = Self {
            folder: tempfile::tempdir().unwrap(),
            running: Vec::new(),
        };
        set_mode(house.folder.path(), 0o755);
        let (litellm, proxy) = (free_port(), free_port());
        let Secrets {
            master,
            upstream,
            management,
            proxy_password,
            variable,
            ..
        } = secrets;
        let config = format!(
            "paths: {{runtime_dir: ../.router/runtime, active_config: ../.router/runtime/litellm.active.yaml, state_file: ../.router/runtime/state.json, log_file: ../.router/runtime/events.log}}
services:
  litellm:
    port: {litellm}
    readiness_path: /health/readiness
    env_file: ../litellm.env
    env: {{A_TOKEN: {variable}}}
    command: {{cwd: .., args: [.router/runtime/bin/litellm, standin, litellm, --config, .router/runtime/litellm.active.yaml, --port, \"{litellm}\"]}}
  cliproxyapi_plus:
    port: {proxy}
    readiness_path: /
    command: {{cwd: .., args: [.router/runtime/bin/CLIProxyAPIPlus, standin, cliproxyapi, -config, config/cliproxyapi.yaml]}}
litellm_base:
  general_settings: {{master_key: {master}}}
  model_list:
    - model_name: router-default
      litellm_params: {{model: openai/gpt-5, api_base: http://127.0.0.1:{proxy}/v1, api_key: {upstream}}}
profiles:
  balanced: {{}}
auth:
  providers:
    codex: {{auth_url_endpoint: \"http://u:{proxy_password}@127.0.0.1:{proxy}/v0/management/codex-auth-url?is_webui=true&key={variable}\"}}
unknown_key: {variable}
"
        );
        write(&house.path("config/flowgate.yaml"), &config, 0o644);
        write(
            &house.path("config/cliproxyapi.yaml"),
            &format!(
                "host: 127.0.0.1\nport: {proxy}\nauth-dir: ./.router/auths\napi-keys: [{upstream}]\n\
                 proxy-url: \"http://u:{proxy_password}@127.0.0.1:1\"\n\
                 remote-management: {{secret-key: {management}}}\n"
            ),
            0o644,
        );
        write(
            &house.path("litellm.env"),
            &format!("A_KEY={variable}\n"),
            0o644,
        );
        write(&house.path(".env"), &format!("B_KEY={variable}\n"), 0o644);
        write(
            &house.path(".router/secrets/management.key"),
            management,
            0o644,
        );
        let token = json!({
            "type": "codex", "email": "ana@example.com", "access_token": secrets.access,
            "refresh_token": secrets.refresh, "id_token": secrets.identity,
        });
        write(
            &house.path(".router/auths/codex-ana.json"),
            &token.to_string(),
            0o644,
        );
        let other = json!({"tokens": {"access_token": secrets.access, "refresh_token": secrets.other_refresh}});
        write(&house.path(".codex/auth.json"), &other.to_string(), 0o600);
        house.plant_in_logs(secrets);
        house
    }

    /// Every secret in each log, as programs write them: plain, in a URL, in JSON, in a header.
    fn plant_in_logs(&self, secrets: &Secrets) {
        let mut lines = String::from("CLIProxyAPI Version: 6.6.9-0-plus, Commit: x, BuiltAt: y\n");
        for secret in secrets.all() {
            let encoded: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let escaped = serde_json::Value::from(secret).to_string();
            lines.push_str(&format!(
                "Initializing Codex authentication...\n\
                 [t] [error] [a.go:1] Failed to exchange authorization code for tokens: {secret} {encoded} {escaped}\n\
                 Token refresh attempt 3 failed: token refresh failed with status 401: {escaped}\n\
                 http://u:{encoded}@127.0.0.1/ Authorization: Bearer {secret}\n"
            ));
        }
        for service in ["litellm", "cliproxyapi_plus"] {
            let log = self.path(&format!(".router/runtime/process-logs/{service}.log"));
            write(&log, &lines, 0o644);
        }
        let detail = serde_json::Value::from(secrets.all().join(" "));
        let event = format!(
            "{{\"timestamp\":\"2026-11-20T10:00:00+00:00\",\"event\":\"oauth_login\",\"service\":null,\"profile\":null,\"provider\":\"codex\",\"result\":\"failed\",\"detail\":{detail}}}\n"
        );
        write(&self.path("planted.events"), &event, 0o644);
        write(&self.path(".router/runtime/events.log"), &event, 0o644);
    }

    /// A neighbour that listens and carries a secret in its arguments and in its environment.
    fn neighbour(&mut self, secret: &str) {
        const SERVE: &str = "import http.server, sys; http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), http.server.BaseHTTPRequestHandler).serve_forever()";
        let port = free_port();
        let process = Process::start(
            Path::new("python3"),
            &["-c", SERVE, &port.to_string(), "--key", secret],
            self.folder.path(),
            &self.path("neighbour.log"),
            &[("HTTP_PROXY", format!("http://u:{secret}@127.0.0.1:1"))],
        );
        wait_for("the neighbour to listen", || is_listening(port));
        self.running.push(process);
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a test runs the program under test"
    )]
    fn run(&self, command: &str) -> String {
        let output = std::process::Command::new(FLOWGATE)
            .args(command.split_whitespace())
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.folder.path())
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert!(!said[1].contains("panicked"), "{command}: {}", said[1]);
        said.concat()
    }
}

/// Every command with its forms, in an order in which each has something to say.
const COMMANDS: &[&str] = &[
    "config check",
    "config show",
    "config show --json",
    "profile list",
    "profile set balanced",
    "profile current",
    "status",
    "status --plain",
    "status --json",
    "health",
    "health --verbose",
    "health --json",
    "auth list",
    "auth list --json",
    "auth status",
    "auth status --json",
    "auth login nobody",
    "doctor",
    "doctor --explained",
    "doctor --json",
    "doctor --format html",
    "doctor --format junit",
    "doctor --bundle seen.json",
    "doctor --from seen.json",
    "doctor --from seen.json --json",
    "doctor --fix=all --yes --dry-run",
    "doctor --fix=all --yes --dry-run --json",
    "doctor --fix=safe",
    "doctor runs",
    "doctor undo",
    "doctor mute oauth-login/login-failed --for 1h --reason later",
    "doctor unmute oauth-login/login-failed",
    "doctor list",
    "doctor explain oauth-login/login-failed",
    "doctor schema",
    "key rotate upstream --dry-run",
    "key rotate litellm --dry-run --json",
    "key rotate litellm --yes",
    "key rotate upstream --yes --json",
    "key rotate management --yes",
    "doctor undo",
    "auth import-headless codex",
    "auth logout codex-headless-import.json --yes",
    "integration print codex",
    "integration apply claude-code --dry-run",
    "integration apply claude-code",
    "integration check claude-code",
    "integration remove claude-code",
    "bootstrap verify",
    "service start all",
    "service restart litellm",
    "service stop all",
    "service enable",
    "service disable",
    "down",
    "init",
    "completions bash",
    "man",
];

/// Commands that print what they are asked for: a key, and a log as it is.
const PRINTING: [&str; 2] = ["key show", "service logs"];

/// Commands that go on until they are ended, or may ask another machine; `service`, `doctor` and
/// `bootstrap verify` say the same through the same code.
const LASTING: [&str; 4] = ["run", "up", "bootstrap download", "bootstrap update"];

/// Every command that people see, by its words.
fn leaves(command: &clap::Command, before: &str, found: &mut BTreeSet<String>) {
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        let name = format!("{before}{}", below.get_name());
        if below.get_name() == "help" {
            continue;
        }
        if below.has_subcommands() {
            leaves(below, &format!("{name} "), found);
            if !below.is_subcommand_required_set() {
                found.insert(name);
            }
        } else {
            found.insert(name);
        }
    }
}

#[test]
fn every_command_is_run_here() {
    let mut all = BTreeSet::new();
    leaves(&flowgate::cli::Cli::command(), "", &mut all);
    let is_run = |name: &String| {
        let begins = |command: &str| command == name || command.starts_with(&format!("{name} "));
        COMMANDS.iter().any(|command| begins(command))
            || PRINTING.contains(&name.as_str())
            || LASTING.contains(&name.as_str())
    };
    let left: Vec<_> = all.iter().filter(|name| !is_run(name)).collect();
    assert!(all.len() >= 25, "{all:?}");
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn no_command_in_any_form_says_a_planted_secret() {
    let mut runner = TestRunner::deterministic();
    for case in 0..3 {
        let secrets = secrets(&mut runner);
        let mut house = House::new(&secrets);
        let bin = house.path(".router/runtime/bin");
        std::fs::create_dir_all(&bin).unwrap();
        for program in ["litellm", "CLIProxyAPIPlus"] {
            std::os::unix::fs::symlink(FLOWGATE, bin.join(program)).unwrap();
        }
        house.neighbour(&secrets.upstream);
        let mut said = 0;
        for command in COMMANDS {
            let text = house.run(command);
            said += usize::from(!text.is_empty());
            assert_clean(&text, &secrets, &format!("case {case}: {command}"));
        }
        assert!(said > COMMANDS.len() / 2, "{said} said anything");
        let written = written(&house);
        assert!(written.len() >= 8, "{written:?}");
        for path in written {
            let text = read(&path).replace(&read(&house.path("planted.events")), "");
            assert_clean(&text, &secrets, &path.display().to_string());
        }
    }
}

/// What flowgate wrote about its work: the bundle, plans, journals and reports of repairs, records and
/// events. The copies of files that undo needs are the files themselves.
fn written(house: &House) -> Vec<PathBuf> {
    let mut found = vec![
        house.path("seen.json"),
        house.path(".router/runtime/events.log"),
    ];
    let mut open = vec![
        house.path(".router/runtime/doctor"),
        house.path(".router/runtime/supervisor"),
    ];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                open.push(path);
            } else if !name.ends_with(".before") && !name.ends_with(".after") {
                found.push(path);
            }
        }
    }
    found
}

fn assert_clean(text: &str, secrets: &Secrets, whose: &str) {
    for secret in secrets.all() {
        let encoded: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let escaped = serde_json::Value::from(secret).to_string();
        let html = secret
            .replace('&', "&amp;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;");
        for spelling in [secret, &encoded, escaped.trim_matches('"'), &html] {
            if let Some(at) = text.find(spelling) {
                let from = text[..at]
                    .char_indices()
                    .rev()
                    .nth(120)
                    .map_or(0, |(at, _)| at);
                panic!("{whose} says {spelling}: …{}", &text[from..at]);
            }
        }
    }
}
