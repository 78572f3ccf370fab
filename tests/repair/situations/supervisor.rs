//! Faults of flowgate's own supervisor, its records and its repairs.

use serde_json::{Value, json};

use crate::crash;
use crate::fix::text;
use crate::gateway::FLOWGATE;
use crate::process::write;
use crate::situation::Situation;
use crate::stage::{FLOWGATE_YAML, Stage, copy_elsewhere};
use crate::supervised::is_alive;

const LOCK: &str = ".router/runtime/supervisor/supervisor.lock";
const PID_FILE: &str = ".router/runtime/pids/litellm.pid";

pub const ALL: &[Situation] = &[
    Situation::safe(
        "nobody watches the services that run",
        "supervisor/gone:supervisor",
        "start-supervisor",
        || {
            let stage = Stage::started();
            stage.gateway.kill_supervisor();
            stage
        },
        |stage| is_alive(holder(stage)),
    ),
    Situation::safe(
        "a record of a run that is over",
        "supervisor/stale-record:litellm",
        "remove-record",
        || {
            let stage = Stage::stopped();
            let gone = "{\"pid\": 999999, \"cmd\": [\"litellm\"]}";
            write(&stage.gateway.path(PID_FILE), gone, 0o644);
            let stopped = json!({"v": 1, "wanted": "stopped", "state": "stopped", "run": null,
                "restarts": 0, "nextTryAt": null, "lastExit": null});
            let folder = stage.gateway.path(".router/runtime/supervisor");
            write(&folder.join("litellm.json"), &stopped.to_string(), 0o600);
            stage
        },
        |stage| !stage.gateway.path(PID_FILE).exists(),
    ),
    Situation::safe(
        "a repair that was killed half-way",
        "supervisor/unfinished-repair:supervisor",
        "finish-roll-back",
        killed_repair,
        |stage| {
            let port = format!("port: {}\n", stage.gateway.proxy);
            text(&stage.gateway, FLOWGATE_YAML).contains(&port)
        },
    )
    .lasts(),
    Situation::safe(
        "a supervisor of an older flowgate",
        "supervisor/version-skew:supervisor",
        "reexec-supervisor",
        older_supervisor,
        |stage| {
            let is_new = text(&stage.gateway, LOCK).contains(env!("CARGO_PKG_VERSION"));
            is_new && holder(stage) == stage.pid && is_alive(stage.pid)
        },
    )
    .stays(),
];

/// The pid that the lock of the supervisor names.
fn holder(stage: &Stage) -> u32 {
    let lock: Value = serde_json::from_str(&text(&stage.gateway, LOCK)).unwrap_or_default();
    u32::try_from(lock["pid"].as_u64().unwrap_or(0)).unwrap()
}

/// Killed before the last of the lines that say of a step what it changes.
fn killed_repair() -> Stage {
    let stage = Stage::stopped();
    // Whoever held the port has gone by the time of the next repair.
    let _holder = copy_elsewhere(&stage.gateway, "litellm", stage.gateway.proxy);
    let config = stage.gateway.path(FLOWGATE_YAML);
    assert!(crash::is_killed(&config, 8, "before"));
    stage
}

/// The flowgate under test with an older version in it, as the supervisor of both services.
#[expect(
    clippy::disallowed_methods,
    reason = "a test runs the program under test"
)]
fn older_supervisor() -> Stage {
    let (own, older) = (env!("CARGO_PKG_VERSION"), "0.0.1");
    assert_eq!(
        own.len(),
        older.len(),
        "one is put in the place of the other"
    );
    let mut stage = Stage::stopped();
    // A state of the files leaves out what ends so.
    let program = stage.gateway.path("older.log");
    let script = format!(
        "LC_ALL=C sed 's/{}/{older}/g' {FLOWGATE} >{program} && chmod 755 {program} && exec {program} service start all",
        own.replace('.', "\\."),
        program = program.display(),
    );
    let started = std::process::Command::new("sh")
        .args(["-c", &script])
        .current_dir(stage.gateway.path("."))
        .env("HOME", stage.gateway.path("."))
        .output()
        .unwrap();
    assert!(started.status.success(), "{started:?}");
    stage.pid = holder(&stage);
    stage
}
