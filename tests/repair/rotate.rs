//! `flowgate key rotate`: a request with the new key is answered and one with the old refused, at every
//! hop; undo, and a kill at any line, bring the old key back.

use rustix::process::{Pid, Signal, kill_process};

use crate::gateway::{MANAGEMENT_KEY, MASTER_KEY, PLANTED, Said, UPSTREAM_KEY, roots};
use crate::ports::status;
use crate::process::{read, wait_for, write};
use crate::state::{differences, state};
use crate::supervised::Supervised;

const MODELS: &str = "/v1/models";
const AUTH_FILES: &str = "/v0/management/auth-files";

/// A gateway that runs, its keys in its configs.
fn with_literals() -> Supervised {
    let gateway = Supervised::new(&[]);
    started(gateway)
}

/// A gateway that runs, its keys as `init` writes them: in variables from an env file, the management
/// key from flowgate's own.
fn with_variables() -> Supervised {
    let gateway = Supervised::new(&[]);
    let secrets = gateway.path(".router/secrets");
    write(&secrets.join("upstream.key"), UPSTREAM_KEY, 0o600);
    write(&secrets.join("litellm-master.key"), MASTER_KEY, 0o600);
    write(
        &secrets.join("litellm.env"),
        &format!(
            "# keys\nROUTER_UPSTREAM_API_KEY={UPSTREAM_KEY}\nexport LITELLM_MASTER_KEY='{MASTER_KEY}'\n"
        ),
        0o600,
    );
    let active = ".router/runtime/litellm.active.yaml";
    gateway.edit(active, UPSTREAM_KEY, "os.environ/ROUTER_UPSTREAM_API_KEY");
    gateway.edit(active, MASTER_KEY, "os.environ/LITELLM_MASTER_KEY");
    gateway.edit(
        "config/flowgate.yaml",
        "    readiness_path: /health/readiness\n",
        "    readiness_path: /health/readiness\n    env_file: ../.router/secrets/litellm.env\n",
    );
    gateway.edit(
        "config/flowgate.yaml",
        "    readiness_path: /\n",
        "    readiness_path: /\n    management: auto\n",
    );
    let yaml = read(&gateway.path("config/cliproxyapi.yaml"));
    let line = yaml
        .lines()
        .find(|line| line.contains("secret-key"))
        .unwrap();
    gateway.edit("config/cliproxyapi.yaml", line, "  secret-key: \"\"");
    started(gateway)
}

fn started(gateway: Supervised) -> Supervised {
    let said = gateway.flowgate(&["service", "start", "all"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(roots(&gateway.doctor(&[])), Vec::<String>::new());
    gateway
}

fn rotate(gateway: &Supervised, key: &str) -> Said {
    let said = gateway.flowgate(&["key", "rotate", key, "--yes"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let shown = gateway.flowgate(&["key", "show", key]).out;
    assert!(!said.out.contains(shown.trim()) && !said.err.contains(shown.trim()));
    said
}

fn shown(gateway: &Supervised, key: &str) -> String {
    gateway
        .flowgate(&["key", "show", key])
        .out
        .trim()
        .to_owned()
}

/// Whether the old key is in no file of the gateway but the backups of the run.
fn is_nowhere(gateway: &Supervised, old: &str) {
    let files = [
        "config/flowgate.yaml",
        "config/cliproxyapi.yaml",
        ".router/runtime/litellm.active.yaml",
        ".router/secrets/upstream.key",
        ".router/secrets/litellm-master.key",
        ".router/secrets/management.key",
        ".router/secrets/litellm.env",
        ".router/runtime/events.log",
    ];
    for file in files {
        assert!(!read(&gateway.path(file)).contains(old), "{file}");
    }
}

#[test]
fn the_key_of_the_clients_is_another_one_at_once_and_undo_brings_the_old_one_back() {
    for gateway in [with_literals(), with_variables()] {
        let before = state(&gateway.path("."));
        let said = rotate(&gateway, "litellm");
        assert!(
            said.out.starts_with("key=litellm\nchanged="),
            "{}",
            said.out
        );
        assert!(said.out.contains("restarted=litellm\n"), "{}", said.out);
        let new = shown(&gateway, "litellm");
        assert_eq!(status(gateway.litellm, MODELS, &new), 200);
        assert_ne!(status(gateway.litellm, MODELS, MASTER_KEY), 200);
        is_nowhere(&gateway, MASTER_KEY);
        assert_eq!(roots(&gateway.doctor(&[])), Vec::<String>::new());
        let said = gateway.flowgate(&["doctor", "undo"]);
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        assert_eq!(status(gateway.litellm, MODELS, MASTER_KEY), 200);
        assert_ne!(status(gateway.litellm, MODELS, &new), 200);
        assert_eq!(
            differences(&before, &state(&gateway.path("."))),
            Vec::<String>::new()
        );
    }
}

#[test]
fn both_sides_of_the_upstream_key_change_together() {
    for gateway in [with_literals(), with_variables()] {
        let before = state(&gateway.path("."));
        let said = rotate(&gateway, "upstream");
        assert!(
            said.out
                .contains("restarted=cliproxyapi_plus\nrestarted=litellm\n"),
            "{}",
            said.out
        );
        let new = shown(&gateway, "upstream");
        assert_eq!(status(gateway.proxy, MODELS, &new), 200);
        assert_eq!(status(gateway.proxy, MODELS, UPSTREAM_KEY), 401);
        assert_eq!(status(gateway.litellm, MODELS, MASTER_KEY), 200);
        is_nowhere(&gateway, UPSTREAM_KEY);
        // The doctor asks with the key that LiteLLM really sends.
        assert_eq!(roots(&gateway.doctor(&[])), Vec::<String>::new());
        assert_eq!(gateway.flowgate(&["doctor", "undo"]).code, 0);
        assert_eq!(status(gateway.proxy, MODELS, UPSTREAM_KEY), 200);
        assert_eq!(status(gateway.proxy, MODELS, &new), 401);
        assert_eq!(
            differences(&before, &state(&gateway.path("."))),
            Vec::<String>::new()
        );
    }
}

#[test]
fn the_management_key_never_stands_in_the_config_of_the_program() {
    for gateway in [with_literals(), with_variables()] {
        let before = state(&gateway.path("."));
        rotate(&gateway, "management");
        let new = shown(&gateway, "management");
        assert_eq!(status(gateway.proxy, AUTH_FILES, &new), 200);
        assert_eq!(status(gateway.proxy, AUTH_FILES, MANAGEMENT_KEY), 401);
        is_nowhere(&gateway, MANAGEMENT_KEY);
        assert!(!read(&gateway.path("config/cliproxyapi.yaml")).contains(&new));
        assert_eq!(roots(&gateway.doctor(&[])), Vec::<String>::new());
        assert_eq!(gateway.flowgate(&["doctor", "undo"]).code, 0);
        assert_eq!(status(gateway.proxy, AUTH_FILES, MANAGEMENT_KEY), 200);
        assert_eq!(
            differences(&before, &state(&gateway.path("."))),
            Vec::<String>::new()
        );
    }
}

#[test]
fn a_client_that_sends_the_key_gets_the_new_one() {
    let gateway = with_literals();
    let settings = gateway.path(".claude/settings.json");
    let text = format!(
        "{{\n  \"env\": {{\n    \"ANTHROPIC_AUTH_TOKEN\": \"{MASTER_KEY}\"\n  }},\n  \"x\": 1\n}}\n"
    );
    write(&settings, &text, 0o600);
    rotate(&gateway, "litellm");
    let new = shown(&gateway, "litellm");
    assert_eq!(read(&settings), text.replace(MASTER_KEY, &new));
    assert_eq!(gateway.flowgate(&["doctor", "undo"]).code, 0);
    assert_eq!(read(&settings), text);
}

#[test]
fn a_client_that_flowgate_pointed_gets_the_new_key_in_the_same_run() {
    let gateway = with_literals();
    let said = gateway.flowgate(&["integration", "apply", "codex"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let config = gateway.path(".codex/config.toml");
    let before = read(&config);
    assert!(before.contains(MASTER_KEY));
    rotate(&gateway, "litellm");
    let new = shown(&gateway, "litellm");
    assert_eq!(read(&config), before.replace(MASTER_KEY, &new));
    assert_eq!(status(gateway.litellm, MODELS, &new), 200);
    let said = gateway.flowgate(&["integration", "check", "codex"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(gateway.flowgate(&["doctor", "undo"]).code, 0);
    assert_eq!(read(&config), before);
}

#[test]
fn what_is_not_flowgates_to_change_is_said_and_nothing_is_changed() {
    let gateway = with_literals();
    let before = state(&gateway.path("."));
    let said = gateway.flowgate(&["key", "rotate", "litellm"]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (1, ""),
        "nobody is there to be asked"
    );
    assert!(
        said.err.contains("key rotate litellm --yes"),
        "{}",
        said.err
    );
    let said = gateway.flowgate(&["key", "rotate", "upstream", "--dry-run"]);
    assert_eq!(said.code, 0);
    assert!(
        said.out
            .contains("would_changed=config/cliproxyapi.yaml: api-keys[0]"),
        "{}",
        said.out
    );
    for secret in PLANTED {
        assert!(!said.out.contains(secret));
    }
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        Vec::<String>::new()
    );
    // A key that only a shell knows.
    let active = ".router/runtime/litellm.active.yaml";
    gateway.edit(active, MASTER_KEY, "os.environ/A_SHELL_KEY");
    let said = crate::gateway::run_in(
        &gateway.path("."),
        &["key", "rotate", "litellm", "--yes"],
        &[("A_SHELL_KEY", "sk-of-the-shell-0001")],
    );
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains("A_SHELL_KEY: the shell gives it"),
        "{}",
        said.err
    );
}

#[test]
fn a_rotation_after_which_a_service_does_not_come_up_is_taken_back() {
    let gateway = with_literals();
    let before = state(&gateway.path("."));
    // The next start of LiteLLM fails, whatever its key is.
    std::fs::remove_file(gateway.path(".router/runtime/bin/litellm")).unwrap();
    let said = gateway.flowgate(&["key", "rotate", "litellm", "--yes"]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(
        said.err.contains("the litellm key is the old one"),
        "{}",
        said.err
    );
    let left = differences(&before, &state(&gateway.path(".")));
    assert_eq!(
        left,
        [".router/runtime/bin", ".router/runtime/bin/litellm"].map(str::to_owned)[1..]
    );
}

#[test]
fn a_rotation_that_is_killed_half_way_is_taken_back() {
    let gateway = with_variables();
    let before = state(&gateway.path("."));
    let (mut unfinished, mut run) = (0, 0);
    for lines in [1, 2, 4, 5, 6] {
        let mut child = gateway.begin(&["key", "rotate", "upstream", "--yes"]);
        run += 1;
        let journal = gateway.path(&format!(".router/runtime/doctor/runs/{run}/journal.jsonl"));
        wait_for("the run to come that far", || {
            let written = std::fs::metadata(&journal)
                .is_ok_and(|facts| facts.len() > 0 && read(&journal).lines().count() >= lines);
            written || child.try_wait().unwrap().is_some()
        });
        let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
        // It may have ended in the meantime.
        let _ = kill_process(pid, Signal::KILL);
        child.wait().unwrap();
        let key = "supervisor/unfinished-repair:supervisor".to_owned();
        if roots(&gateway.doctor(&[])).contains(&key) {
            unfinished += 1;
        }
        let said = gateway.flowgate(&["doctor", "undo"]);
        assert_eq!(said.code, 0, "{lines}: {}{}", said.out, said.err);
        assert_eq!(
            differences(&before, &state(&gateway.path("."))),
            Vec::<String>::new(),
            "{lines}"
        );
        assert_eq!(status(gateway.proxy, MODELS, UPSTREAM_KEY), 200, "{lines}");
        assert_eq!(status(gateway.litellm, MODELS, MASTER_KEY), 200, "{lines}");
        assert_eq!(roots(&gateway.doctor(&[])), Vec::<String>::new(), "{lines}");
    }
    assert!(unfinished >= 3, "{unfinished} of 5 were killed half-way");
}
