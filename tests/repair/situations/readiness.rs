//! Faults of section 5: services that do not run, or not with what they need.

use rustix::process::Signal;
use serde_json::json;

use crate::fix::{has_variable, text};
use crate::gateway::{Gateway, MASTER_KEY, UPSTREAM_KEY, free_port, is_listening};
use crate::oracle::{
    ask, both_serve, litellm_serves, local, port_of, readiness_path_is_there, upstream_works,
};
use crate::process::{read, wait_for, write};
use crate::situation::Situation;
use crate::stage::{ACTIVE, FLOWGATE_YAML, OTHER_KEY, PROXY_YAML, Stage, is_suspended};
use crate::supervised::send;

pub const ALL: &[Situation] = &[
    Situation::safe(
        "a service that should run and never did",
        "readiness/not-running:litellm",
        "start",
        never_started,
        litellm_serves,
    ),
    Situation::safe(
        "a service that ended again and again, of a cause that is gone",
        "readiness/crash-loop:litellm",
        "start",
        crash_loop,
        litellm_serves,
    ),
    Situation::safe(
        "both services dead and nobody watches",
        "readiness/not-running:litellm",
        "start",
        || {
            let stage = Stage::started();
            stage.kill(&["litellm", "cliproxyapi_plus"]);
            stage
        },
        both_serve,
    ),
    Situation::safe(
        "a service that was killed, as its supervisor saw",
        "readiness/killed:litellm",
        "start",
        killed,
        both_serve,
    ),
    Situation::safe(
        "a service that is suspended",
        "readiness/hung:litellm",
        "continue",
        suspended,
        goes_on,
    )
    .stays(),
    Situation::safe(
        "a service that is suspended, and is to be restarted",
        "readiness/hung:litellm",
        "restart",
        suspended,
        |stage| {
            let is_held = stage.recorded_pid("litellm").is_none_or(is_suspended);
            !is_held && litellm_serves(stage)
        },
    )
    .second()
    .stays(),
    Situation::safe(
        "an active config that is gone, of a known profile",
        "readiness/no-active-profile:litellm",
        "activate-profile",
        || without_active_config(true),
        litellm_serves,
    ),
    Situation::asked(
        "an active config that is gone, of one of several profiles",
        "readiness/no-active-profile:litellm",
        "activate-profile",
        || without_active_config(false),
        litellm_serves,
    ),
    Situation::asked(
        "an active config that is older than its profile",
        "readiness/stale-active-config:litellm",
        "activate-profile",
        || {
            let stage = Stage::rendered();
            let (old, new) = ("model_name: gpt-5 ", "model_name: gpt-6 ");
            stage.gateway.edit(FLOWGATE_YAML, old, new);
            stage
        },
        |stage| {
            let at = local(port_of(&stage.gateway, "litellm"));
            ask(at, "/v1/models", Some(MASTER_KEY)).is_some_and(|(_, body)| body.contains("gpt-6"))
        },
    ),
    Situation::asked(
        "a config that litellm refuses",
        "readiness/config-rejected:litellm",
        "activate-profile",
        || {
            let mut stage = Stage::rendered();
            stage.while_litellm_is_stopped(|stage| {
                write(&stage.gateway.path(ACTIVE), "model_list: [\n", 0o600);
            });
            stage
        },
        litellm_serves,
    ),
    Situation::asked(
        "a master key that everybody knows",
        "readiness/master-key-refused:litellm",
        "set-master-key",
        || {
            let mut stage = Stage::started();
            stage.while_litellm_is_stopped(|stage| {
                stage.gateway.edit(ACTIVE, MASTER_KEY, "sk-1234");
            });
            stage
        },
        |stage| !text(&stage.gateway, ACTIVE).contains("sk-1234") && litellm_serves(stage),
    ),
    Situation::asked(
        "a kept client key that litellm refuses",
        "readiness/client-key-rejected:litellm",
        "set-client-key",
        || {
            let stage = Stage::started();
            write(&stage.gateway.path(KEPT_KEY), OTHER_KEY, 0o600);
            stage
        },
        |stage| {
            let kept = text(&stage.gateway, KEPT_KEY);
            let at = local(stage.gateway.litellm);
            ask(at, "/v1/models", Some(kept.trim())).is_some_and(|(status, _)| status == 200)
        },
    ),
    Situation::asked(
        "a key of the file that litellm has not read",
        "readiness/client-key-rejected:litellm",
        "restart",
        || {
            let mut gateway = Gateway::new();
            gateway.start("cliproxyapi_plus");
            gateway.start("litellm");
            let whole = text(&gateway, ACTIVE);
            swap_in_old(
                &gateway,
                ACTIVE,
                &whole.replace(MASTER_KEY, OTHER_MASTER_KEY),
            );
            Stage::recorded(gateway)
        },
        litellm_serves,
    )
    .stays(),
    Situation::asked(
        "a key of the file that the proxy has not read",
        "readiness/upstream-key-rejected:litellm",
        "restart",
        || {
            let stage = Stage::stopped();
            let gateway = &stage.gateway;
            let right = text(gateway, PROXY_YAML);
            gateway.edit(PROXY_YAML, UPSTREAM_KEY, OTHER_KEY);
            stage.start();
            swap_in_old(gateway, PROXY_YAML, &right);
            stage
        },
        upstream_works,
    )
    .stays(),
    Situation::asked(
        "a proxy that captures loopback",
        "readiness/proxy-captures-loopback:litellm",
        "restart",
        captured,
        |stage| {
            let pid = stage.recorded_pid("litellm").unwrap();
            has_variable(pid, "NO_PROXY") && litellm_serves(stage)
        },
    )
    .stays(),
    Situation::asked(
        "a readiness path that does not exist",
        "readiness/wrong-path:cliproxyapi_plus",
        "set-readiness-path",
        || {
            let stage = Stage::stopped();
            let (right, wrong) = ("readiness_path: /\n", "readiness_path: /no-such-path\n");
            stage.gateway.edit(FLOWGATE_YAML, right, wrong);
            stage.start();
            stage
        },
        |stage| readiness_path_is_there(stage, "cliproxyapi_plus"),
    )
    .hint(),
    Situation::asked(
        "a key that litellm sends and the proxy refuses",
        "readiness/upstream-key-rejected:litellm",
        "set-upstream-key",
        || {
            let stage = Stage::rendered();
            stage.gateway.edit(FLOWGATE_YAML, UPSTREAM_KEY, OTHER_KEY);
            stage.take_up();
            stage
        },
        upstream_works,
    ),
];

/// A master key that litellm has not read.
const OTHER_MASTER_KEY: &str = "sk-another-master-key-0001";
const KEPT_KEY: &str = ".router/secrets/litellm-master.key";

fn never_started() -> Stage {
    let stage = Stage::stopped();
    let said = stage
        .gateway
        .flowgate(&["service", "start", "cliproxyapi_plus"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let record = json!({"v": 1, "wanted": "running", "state": "stopped", "run": null,
        "restarts": 0, "nextTryAt": null, "lastExit": null});
    let path = stage
        .gateway
        .path(".router/runtime/supervisor/litellm.json");
    write(&path, &record.to_string(), 0o600);
    stage
}

/// A program that ends while a file is missing, of which its supervisor knows nothing.
fn crash_loop() -> Stage {
    let stage = Stage::stopped();
    let program = stage.gateway.path(".router/runtime/bin/litellm");
    std::fs::remove_file(&program).unwrap();
    let needed = stage.gateway.path("needed");
    let script = format!(
        "#!/bin/sh\n[ -e {} ] || exit 7\nexec {} \"$@\"\n",
        needed.display(),
        crate::gateway::FLOWGATE
    );
    write(&program, &script, 0o755);
    stage.start();
    let history = stage
        .gateway
        .path(".router/runtime/supervisor/litellm.history.jsonl");
    wait_for("litellm to end again", || {
        read(&history).matches("\"exit\"").count() > 2
    });
    stage.kill(&["cliproxyapi_plus"]);
    write(&needed, "", 0o644);
    stage
}

fn suspended() -> Stage {
    let mut stage = Stage::started();
    stage.pid = stage.gateway.pid("litellm").unwrap();
    send(stage.pid, Signal::STOP);
    wait_for("the process to be suspended", || is_suspended(stage.pid));
    stage
}

fn goes_on(stage: &Stage) -> bool {
    !is_suspended(stage.pid) && stage.recorded_pid("litellm").is_some() && litellm_serves(stage)
}

fn without_active_config(is_recorded: bool) -> Stage {
    let mut stage = Stage::rendered();
    stage.while_litellm_is_stopped(|stage| {
        let gateway = &stage.gateway;
        std::fs::remove_file(gateway.path(ACTIVE)).unwrap();
        if !is_recorded {
            std::fs::remove_file(gateway.path(".router/runtime/state.json")).unwrap();
            let two = "profiles:\n  balanced: {}\n  fast: {}\n";
            gateway.edit(FLOWGATE_YAML, "profiles:\n  balanced: {}\n", two);
        }
    });
    stage
}

fn captured() -> Stage {
    let mut gateway = Gateway::new();
    gateway.start("cliproxyapi_plus");
    let proxy = format!("http://127.0.0.1:{}", free_port());
    gateway.spawn("litellm", &[("HTTP_PROXY", proxy)]);
    let port = gateway.litellm;
    wait_for("LiteLLM to listen", || is_listening(port));
    Stage::recorded(gateway)
}

/// Puts a file in the place of another by a rename, with a time of long ago, as restoring a backup does:
/// neither a watch nor the time tells of it.
fn swap_in_old(gateway: &Gateway, path: &str, text: &str) {
    let beside = gateway.path("config/backup");
    write(&beside, text, 0o600);
    let long_ago =
        std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    let file = std::fs::File::options().write(true).open(&beside).unwrap();
    file.set_modified(long_ago).unwrap();
    rustix::fs::rename(&beside, gateway.path(path)).unwrap();
}

/// Dead, with the line that its supervisor wrote before it died as well.
fn killed() -> Stage {
    let stage = Stage::started();
    stage.kill(&["litellm", "cliproxyapi_plus"]);
    let path = stage
        .gateway
        .path(".router/runtime/supervisor/litellm.json");
    let mut record: serde_json::Value = serde_json::from_str(&read(&path)).unwrap();
    let now = jiff::Timestamp::now().to_string();
    record["lastExit"] = json!({"at": now, "code": null, "signal": "KILL", "uptimeMs": 5000});
    write(&path, &record.to_string(), 0o600);
    stage
}
