//! `flowgate profile list`, `current` and `set`.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::gateway::{FLOWGATE, Gateway, MASTER_KEY};
use crate::process::{read, set_mode, write};

const PROFILES: &str = "profiles:\n  zeta: {litellm_settings: {num_retries: 3}}\n  balanced: {}";

fn gateway() -> Gateway {
    let gateway = Gateway::new();
    gateway.edit(
        "config/flowgate.yaml",
        "profiles:\n  balanced: {}",
        PROFILES,
    );
    gateway.edit(
        "config/flowgate.yaml",
        "  model_list: []",
        &format!("  general_settings: {{master_key: {MASTER_KEY}}}\n  litellm_settings: {{num_retries: 1, request_timeout: 30}}"),
    );
    gateway
}

fn json_of(gateway: &Gateway, below: &str) -> Value {
    serde_json::from_str(&read(&gateway.path(below))).unwrap()
}

#[test]
fn names_are_sorted_and_bare() {
    let said = gateway().flowgate(&["profile", "list"]);
    assert_eq!((said.code, said.out.as_str()), (0, "balanced\nzeta\n"));
}

#[test]
fn a_switch_writes_the_config_the_state_and_an_event() {
    let gateway = gateway();
    let said = gateway.flowgate(&["profile", "current"]);
    assert_eq!(said.out, "current_profile=unknown\nupdated_at=unknown\n");
    let active = gateway.path(".router/runtime/litellm.active.yaml");
    let state = gateway.path(".router/runtime/state.json");
    let said = gateway.flowgate(&["profile", "set", "zeta"]);
    assert_eq!(
        (said.code, said.out),
        (
            0,
            format!(
                "profile=zeta\nactive_config={}\nstate_file={}\n",
                active.display(),
                state.display()
            )
        )
    );
    assert_eq!(said.err, "");
    assert_eq!(
        json_of(&gateway, ".router/runtime/litellm.active.yaml"),
        json!({
            "general_settings": {"master_key": MASTER_KEY},
            "litellm_settings": {"num_retries": 3, "request_timeout": 30},
        })
    );
    let mode = std::fs::metadata(&active).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let state = json_of(&gateway, ".router/runtime/state.json");
    assert_eq!(state["current_profile"], "zeta");
    assert_eq!(state["source"], "config/flowgate.yaml");
    let said = gateway.flowgate(&["profile", "current"]);
    let at = state["updated_at"].as_str().unwrap();
    assert_eq!(said.out, format!("current_profile=zeta\nupdated_at={at}\n"));
    let event = json_of(&gateway, ".router/runtime/events.log");
    assert_eq!(
        (&event["event"], &event["profile"], &event["result"]),
        (&json!("profile_switch"), &json!("zeta"), &json!("success"))
    );
    assert_eq!(event.as_object().unwrap().len(), 7);
    // Nothing of the profile before remains.
    gateway.flowgate(&["profile", "set", "balanced"]);
    let active = json_of(&gateway, ".router/runtime/litellm.active.yaml");
    assert_eq!(active["litellm_settings"]["num_retries"], 1);
}

#[test]
fn an_active_config_that_everybody_could_read_is_closed() {
    let gateway = gateway();
    let active = gateway.path(".router/runtime/litellm.active.yaml");
    set_mode(&active, 0o644);
    gateway.flowgate(&["profile", "set", "zeta"]);
    let mode = std::fs::metadata(&active).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn an_unknown_profile_names_the_known_ones_and_touches_nothing() {
    let gateway = gateway();
    let before = read(&gateway.path(".router/runtime/litellm.active.yaml"));
    let said = gateway.flowgate(&["profile", "set", "turbo"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert_eq!(said.err, "Unknown profile: turbo; known: balanced, zeta\n");
    assert_eq!(
        read(&gateway.path(".router/runtime/litellm.active.yaml")),
        before
    );
    for path in ["state.json", "events.log"] {
        assert!(!gateway.path(".router/runtime").join(path).exists());
    }
    assert!(!gateway.path(".router/secrets/fingerprint.key").exists());
}

#[test]
fn a_missing_active_profile_is_repaired_by_the_command_that_the_doctor_gives() {
    let gateway = gateway();
    std::fs::remove_file(gateway.path(".router/runtime/litellm.active.yaml")).unwrap();
    let document = gateway.doctor(&["--expect", "serving"]);
    let finding = crate::gateway::finding(&document, "readiness/no-active-profile:litellm");
    let command = finding["fixes"][0]["commands"][0].as_str().unwrap();
    assert_eq!(command, format!("{FLOWGATE} profile set balanced"));
    let said = gateway.flowgate(&["profile", "set", "balanced"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let document = gateway.doctor(&["--expect", "serving"]);
    let text = document.to_string();
    assert!(
        !text.contains("readiness/no-active-profile:litellm"),
        "{text}"
    );
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test runs the program under test"
)]
fn a_folder_without_the_right_to_write_is_one_sentence_and_changes_nothing() {
    let gateway = gateway();
    let runtime = gateway.path(".router/runtime");
    let active = read(&runtime.join("litellm.active.yaml"));
    // Root may write everywhere, so the command is run without that right where there is one.
    let is_root = read(std::path::Path::new("/proc/self/status"))
        .lines()
        .any(|line| line.starts_with("Uid:\t0\t"));
    let copy = gateway.path("flowgate");
    std::fs::copy(FLOWGATE, &copy).unwrap();
    set_mode(&copy, 0o755);
    set_mode(&runtime, 0o555);
    let mut command = if is_root {
        let mut command = std::process::Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]);
        command.arg(&copy);
        command
    } else {
        std::process::Command::new(&copy)
    };
    let output = command
        .args(["--config", "config/flowgate.yaml", "profile", "set", "zeta"])
        .current_dir(gateway.path("."))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .output()
        .unwrap();
    set_mode(&runtime, 0o755);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert_eq!(
        err,
        format!(
            "flowgate: failed to write {}: permission denied in {}\n",
            runtime.join("litellm.active.yaml").display(),
            runtime.display()
        )
    );
    assert_eq!(read(&runtime.join("litellm.active.yaml")), active);
    assert!(!runtime.join("state.json").exists());
}

#[test]
fn a_broken_config_stops_the_list_too() {
    let gateway = gateway();
    write(&gateway.path("config/flowgate.yaml"), "paths: 1\n", 0o644);
    let said = gateway.flowgate(&["profile", "list"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.starts_with("Config error: "), "{}", said.err);
}
