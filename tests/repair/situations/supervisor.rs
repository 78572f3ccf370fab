//! Faults of flowgate's own supervisor, its records and its repairs.

use serde_json::{Value, json};

use crate::crash;
use crate::fix::text;
use crate::process::write;
use crate::situation::Situation;
use crate::stage::{FLOWGATE_YAML, Stage};
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
    ),
    Situation::safe(
        "a supervisor of an older flowgate",
        "supervisor/version-skew:supervisor",
        "reexec-supervisor",
        || {
            let mut stage = Stage::started();
            stage.pid = holder(&stage);
            let own = format!("\"{}\"", env!("CARGO_PKG_VERSION"));
            stage.gateway.edit(LOCK, &own, "\"0.0.1\"");
            stage
        },
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
    let mut stage = Stage::stopped();
    stage.put_stranger(crate::oracle::local(stage.gateway.proxy));
    let config = stage.gateway.path(FLOWGATE_YAML);
    assert!(crash::is_killed(&config, 8, "before"));
    stage
}
