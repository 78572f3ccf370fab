//! What runs is not what the files and records say.

use flowgate::config::file::Reading;
use flowgate::config::litellm;
use flowgate::sys::fingerprint::Fingerprinter;
use flowgate::sys::place::Root;
use flowgate::sys::redact::Redactor;
use serde_json::{Value, json};

use crate::gateway::{Gateway, effects, finding, is_listening, roots};
use crate::process::{Process, read, wait_for, write};

const HISTORY: &str = ".router/runtime/supervisor/litellm.history.jsonl";
const ACTIVE: &str = ".router/runtime/litellm.active.yaml";

#[test]
fn an_earlier_run_that_holds_the_port_is_ours_and_can_be_stopped_safely() {
    let mut gateway = Gateway::new();
    gateway.start("cliproxyapi_plus");
    let earlier = gateway.play("litellm", &[]);
    let port = gateway.litellm;
    wait_for("the earlier run to listen", || is_listening(port));
    write(&gateway.path(HISTORY), &spawn_line(&earlier), 0o600);
    // The run that is on record finds the port taken and moves.
    gateway.spawn(
        "litellm",
        &[("FLOWGATE_STANDIN_SPECIAL_PORT", port.to_string())],
    );
    let log = gateway.path(".router/runtime/process-logs/litellm.log");
    wait_for("the second run to listen", || {
        read(&log).matches("Uvicorn running on").count() == 2
    });
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), ["port-conflict/own-orphan:litellm"]);
    assert_eq!(effects(&document), ["port-conflict/drifted-port:litellm"]);
    let fix = &finding(&document, "port-conflict/own-orphan:litellm")["fixes"][0];
    assert_eq!(
        (&fix["id"], &fix["safety"]),
        (&json!("stop-orphan"), &json!("safe"))
    );
    let kill = fix["commands"][0].as_str().unwrap();
    assert!(kill.contains(&earlier.pid().to_string()), "{kill}");

    // Somebody who is connected makes it a matter of asking.
    let _client = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let document = gateway.doctor(&[]);
    let fix = &finding(&document, "port-conflict/own-orphan:litellm")["fixes"][0];
    assert_eq!(fix["safety"], "unsafe");
}

fn spawn_line(process: &Process) -> String {
    let boot = read(std::path::Path::new("/proc/sys/kernel/random/boot_id"));
    let line = json!({"kind": "spawn", "at": "2026-11-24T09:00:00Z", "run": {
        "pid": process.pid(), "startTime": process.start_time(), "bootId": boot.trim(),
        "sid": process.pid(),
    }});
    format!("{line}\n")
}

#[test]
fn a_changed_entry_is_told_by_the_digests_of_the_start_and_a_comment_is_none() {
    let mut gateway = Gateway::running();
    write(
        &gateway.path(".router/secrets/fingerprint.key"),
        &"5a".repeat(32),
        0o600,
    );
    let digests = litellm::load(
        &gateway.path(ACTIVE),
        &Reading {
            root: &Root::new(gateway.path(".")),
            fingerprinter: &Fingerprinter::load(&gateway.path(".router/secrets/fingerprint.key")),
            redactor: &Redactor::default(),
        },
    )
    .digests;
    assert!(digests.contains_key("litellm:model_list[0].litellm_params.model"));
    let pid_before = gateway.process("litellm").pid();
    gateway.record_running("litellm", &digests);
    let text = read(&gateway.path(ACTIVE));
    write(
        &gateway.path(ACTIVE),
        &format!("# a comment\n{text}"),
        0o600,
    );
    let document = gateway.doctor(&[]);
    assert_eq!(document["findings"], Value::Array(vec![]), "{document:#}");

    gateway.edit(ACTIVE, "\"openai/gpt-5\"", "\"openai/gpt-5-codex\"");
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), ["config/running-config-differs:litellm"]);
    let found = finding(&document, "config/running-config-differs:litellm").to_string();
    assert!(
        found.contains("model_list[0].litellm_params.model"),
        "{found}"
    );
    assert!(found.contains(&pid_before.to_string()), "{found}");
}

#[test]
fn a_stray_env_file_that_takes_the_config_away_is_told_without_its_value() {
    let mut gateway = Gateway::new();
    write(
        &gateway.path(".env"),
        "export PGSTORE_DSN = 'postgres://ana:planted-upstream-dsn@db/x'\n",
        0o600,
    );
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), ["config/overridden:cliproxyapi_plus"]);
    let text = document.to_string();
    assert!(text.contains("PGSTORE_DSN") && !text.contains("planted-upstream-dsn"));
}

#[test]
fn a_supervisor_that_is_gone_is_told_while_its_services_live() {
    let gateway = Gateway::running();
    let lock = ".router/runtime/supervisor/supervisor.lock";
    let me = std::process::id();
    let stat = read(std::path::Path::new(&format!("/proc/{me}/stat")));
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    let start_time: u64 = fields[19].parse().unwrap();
    let holder = |start_time: u64| {
        json!({"pid": me, "startTime": start_time, "version": env!("CARGO_PKG_VERSION")})
            .to_string()
    };
    write(&gateway.path(lock), &holder(start_time), 0o600);
    let document = gateway.doctor(&[]);
    assert_eq!(document["findings"], Value::Array(vec![]), "{document:#}");
    write(&gateway.path(lock), &holder(start_time + 1), 0o600);
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), ["supervisor/gone:supervisor"]);
}

#[test]
fn output_into_a_removed_log_is_lost() {
    let mut gateway = Gateway::running();
    std::fs::remove_file(gateway.path(".router/runtime/process-logs/litellm.log")).unwrap();
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), ["config/log-lost:litellm"]);
    assert!(gateway.process("litellm").is_alive());
}

#[test]
fn a_management_key_that_does_not_match_is_told_and_not_sent() {
    let gateway = Gateway::running();
    gateway.keep_management_key("planted-other-management-1");
    let document = gateway.doctor(&[]);
    assert_eq!(
        roots(&document),
        ["oauth-login/management-key-mismatch:cliproxyapi_plus"]
    );
    let is_management = |request: &Value| request.to_string().contains("/v0/management/");
    assert!(
        !gateway
            .requests("cliproxyapi_plus")
            .iter()
            .any(is_management)
    );
}
