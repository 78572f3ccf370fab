//! `flowgate integration` on the files of a home of its own. Nothing runs.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and prepares its own files"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const KEY: &str = "sk-of-this-gateway";

struct Home {
    dir: TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        home.write("gw/.router/secrets/litellm-master.key", KEY);
        home.configure(4999);
        home
    }

    fn configure(&self, port: u16) {
        let text = format!(
            "paths:
  runtime_dir: ../.router/runtime
  active_config: ../.router/runtime/litellm.active.yaml
  state_file: ../.router/runtime/state.json
  log_file: ../.router/runtime/events.log
services:
  litellm: {{host: 0.0.0.0, port: {port}, command: {{args: [litellm, --port, \"{port}\"]}}}}
  cliproxyapi_plus: {{port: 8317, command: {{args: [CLIProxyAPIPlus]}}}}
litellm_base: {{model_list: []}}
profiles: {{p: {{}}}}
integration: {{default_model: router-default, fast_model: router-cheap}}
"
        );
        self.write("gw/config/flowgate.yaml", &text);
    }

    fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    fn write(&self, below: &str, text: &str) {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn run(&self, args: &[&str]) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_flowgate"))
            .arg("--config")
            .arg(self.path("gw/config/flowgate.yaml"))
            .args(args)
            .env("HOME", self.dir.path())
            .env_remove("CODEX_HOME")
            .env_remove("CLAUDE_CONFIG_DIR")
            .env_remove("XDG_CONFIG_HOME")
            .output()
            .unwrap();
        Said::of(&output)
    }
}

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

const CLIENTS: [(&str, &str); 3] = [
    ("codex", ".codex/config.toml"),
    ("claude-code", ".claude/settings.json"),
    ("openai-env", ".config/flowgate/openai.env"),
];

#[test]
fn what_is_printed_is_what_the_original_printed() {
    let home = Home::new();
    assert_eq!(
        home.run(&["integration", "print", "codex"]).out,
        "model_provider = \"flowgate\"\nmodel = \"router-default\"\n\n[model_providers.flowgate]\n\
         name = \"FlowGate Local\"\nbase_url = \"http://127.0.0.1:4999/v1\"\n\
         env_key = \"OPENAI_API_KEY\"\nwire_api = \"responses\"\n"
    );
    assert_eq!(
        home.run(&["integration", "print", "claude-code"]).out,
        "ANTHROPIC_BASE_URL=http://127.0.0.1:4999\nANTHROPIC_AUTH_TOKEN=your-gateway-token\n\
         ANTHROPIC_MODEL=router-default\nANTHROPIC_DEFAULT_OPUS_MODEL=router-default\n\
         ANTHROPIC_DEFAULT_SONNET_MODEL=router-default\nANTHROPIC_DEFAULT_HAIKU_MODEL=router-cheap\n"
    );
    assert_eq!(home.run(&["integration", "print", "cursor"]).code, Some(2));
    let text = read(&home.path("gw/config/flowgate.yaml")).replace("port: 4999, ", "");
    home.write("gw/config/flowgate.yaml", &text);
    for (verb, word) in [("print", "render"), ("apply", "apply")] {
        let said = home.run(&["integration", verb, "codex"]);
        assert_eq!(said.code, Some(1));
        assert_eq!(
            said.err,
            format!("integration {word} failed: services.litellm.port must be an integer\n")
        );
    }
}

#[test]
fn every_client_is_pointed_with_the_key_of_the_gateway_and_comes_back_byte_for_byte() {
    let home = Home::new();
    let own = [
        ("codex", "# mine\nmodel = \"o4\"\n"),
        ("claude-code", "{\"theme\": \"dark\"}\n"),
        ("openai-env", "OTHER=1\n"),
    ];
    for ((client, file), (_, text)) in CLIENTS.into_iter().zip(own) {
        home.write(file, text);
        let path = home.path(file);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        let said = home.run(&["integration", "apply", client]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        let mut lines = said.out.lines();
        assert_eq!(
            lines.next().unwrap(),
            format!("saved_path={}", path.display())
        );
        let backup = lines.next().unwrap().strip_prefix("backup_path=").unwrap();
        assert!(backup.starts_with(&format!("{}.backup.", path.display())));
        assert_eq!(read(Path::new(backup)), text);
        assert_eq!((mode(&path), mode(Path::new(backup))), (0o600, 0o600));
        let now = read(&path);
        assert!(
            now.contains(KEY) && now.contains("http://127.0.0.1:4999"),
            "{now}"
        );
        let said = home.run(&["integration", "remove", client]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert_eq!(said.out, format!("restored_path={}\n", path.display()));
        assert_eq!(read(&path), text);
        assert_eq!(home.run(&["integration", "remove", client]).code, Some(1));
    }
}

#[test]
fn a_file_that_was_not_there_is_removed_again_and_undo_takes_a_change_back() {
    let home = Home::new();
    for (client, file) in CLIENTS {
        let path = home.path(file);
        let said = home.run(&["integration", "apply", client]);
        assert_eq!(said.out, format!("saved_path={}\n", path.display()));
        assert_eq!(mode(&path), 0o600);
        assert_eq!(
            home.run(&["integration", "remove", client]).out,
            format!("removed_path={}\n", path.display())
        );
        assert!(!path.exists());
        home.run(&["integration", "apply", client]);
        let said = home.run(&["doctor", "undo"]);
        assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
        assert!(!path.exists());
    }
}

#[test]
fn a_key_in_use_is_kept_until_it_is_asked_for() {
    let home = Home::new();
    let file = ".claude/settings.json";
    home.write(
        file,
        "{\"env\": {\"ANTHROPIC_AUTH_TOKEN\": \"sk-working\"}}",
    );
    let said = home.run(&["integration", "apply", "claude-code"]);
    assert!(said.err.contains("--gateway-key"), "{}", said.err);
    assert!(read(&home.path(file)).contains("sk-working"));
    home.run(&["integration", "apply", "claude-code", "--gateway-key"]);
    assert!(read(&home.path(file)).contains(KEY));
    home.run(&["integration", "remove", "claude-code"]);
    assert_eq!(
        read(&home.path(file)),
        "{\"env\": {\"ANTHROPIC_AUTH_TOKEN\": \"sk-working\"}}"
    );
}

#[test]
fn nothing_is_written_for_show_and_a_broken_file_stays_as_it_is() {
    let home = Home::new();
    let said = home.run(&["integration", "apply", "codex", "--dry-run"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(!said.out.contains(KEY), "{}", said.out);
    assert!(!home.path(".codex").exists());
    home.write(".codex/config.toml", "model = \n");
    let said = home.run(&["integration", "apply", "codex"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.err.starts_with("integration apply failed: "),
        "{}",
        said.err
    );
    assert_eq!(read(&home.path(".codex/config.toml")), "model = \n");
}

#[test]
fn a_check_names_what_is_wrong_and_sends_no_key_elsewhere() {
    let home = Home::new();
    home.run(&["integration", "apply", "claude-code"]);
    let said = home.run(&["integration", "check", "claude-code"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.out.starts_with(
            "claude-code:url=fail key=not-asked model=not-asked base_url=http://127.0.0.1:4999\n"
        ) && said.out.contains("nothing listens there"),
        "{}",
        said.out
    );
    home.configure(4998);
    let said = home.run(&["integration", "check", "claude-code", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["asked"], serde_json::json!([]));
    assert_eq!(json["url"]["state"], "fail");
}
