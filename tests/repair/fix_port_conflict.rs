//! Fixes of section 1 on real sockets.

use serde_json::json;

use crate::fix::{apply, text, undo};
use crate::gateway::{Gateway, MASTER_KEY, UPSTREAM_KEY, free_port, is_listening, roots};
use crate::ports::status_with_key;
use crate::process::{read, wait_for, write};
use crate::stage::rendered;
use crate::state::{differences, state};
use crate::stranger::Stranger;
use crate::supervised::{Supervised, is_alive};

const FLOWGATE_YAML: &str = "config/flowgate.yaml";

#[test]
fn the_port_of_the_proxy_moves_in_every_place_that_names_it() {
    let gateway = rendered();
    let old = gateway.proxy.to_string();
    assert_eq!(
        gateway
            .flowgate(&["service", "stop", "cliproxyapi_plus"])
            .code,
        0
    );
    let mut stranger = Stranger::on(gateway.proxy);
    gateway.flowgate(&["service", "start", "cliproxyapi_plus"]);
    let before = state(&gateway.path("."));
    let named = text(&gateway, FLOWGATE_YAML).matches(&old).count();

    let root = "port-conflict/foreign-listener:cliproxyapi_plus";
    apply(&gateway, root, "move-port:cliproxyapi_plus");

    let written = text(&gateway, FLOWGATE_YAML);
    assert!(!written.contains(&old), "{written}");
    let new = written
        .split("/v0/management")
        .next()
        .and_then(|head| head.rsplit(':').next())
        .unwrap();
    assert_eq!(written.matches(new).count(), named);
    let changed = differences(&before, &state(&gateway.path(".")));
    let expected = [
        ".router/runtime/litellm.active.yaml",
        // When the profile was rendered.
        ".router/runtime/state.json",
        "config/cliproxyapi.yaml",
        FLOWGATE_YAML,
    ];
    assert_eq!(changed, expected);
    let new: u16 = new.parse().unwrap();
    assert_eq!(status_with_key(new, UPSTREAM_KEY), 200);
    assert_eq!(status_with_key(gateway.litellm, MASTER_KEY), 200);
    let url = format!("http://127.0.0.1:{new}/v1");
    assert!(text(&gateway, expected[0]).contains(&url));
    assert!(stranger.is_well());

    undo(&gateway);
    let left = differences(&before, &state(&gateway.path(".")));
    assert_eq!(left, Vec::<String>::new());
    assert!(stranger.is_well());
}

#[test]
fn what_is_left_of_an_earlier_run_is_ended_and_the_service_started() {
    let gateway = Supervised::new(&[]);
    let said = gateway.flowgate(&["service", "start", "cliproxyapi_plus"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let earlier = gateway.play("litellm", &[]);
    wait_for("the earlier run to listen", || {
        is_listening(gateway.litellm)
    });
    let boot = read(std::path::Path::new("/proc/sys/kernel/random/boot_id"));
    let line = json!({"kind": "spawn", "at": "2026-11-24T09:00:00Z", "run": {
        "pid": earlier.pid(), "startTime": earlier.start_time(), "bootId": boot.trim(),
        "sid": earlier.pid(),
    }});
    let history = gateway.path(".router/runtime/supervisor/litellm.history.jsonl");
    write(&history, &format!("{line}\n"), 0o600);
    let record = json!({"v": 1, "wanted": "running", "state": "stopped", "run": null,
        "restarts": 0, "nextTryAt": null, "lastExit": null});
    let path = gateway.path(".router/runtime/supervisor/litellm.json");
    write(&path, &record.to_string(), 0o600);

    let root = "port-conflict/own-orphan:litellm";
    apply(&gateway, root, "stop-orphan:litellm");

    assert!(!is_alive(earlier.pid()));
    let pid = gateway.pid("litellm").unwrap();
    assert_ne!(pid, earlier.pid());
    assert_eq!(status_with_key(gateway.litellm, MASTER_KEY), 200);
}

#[test]
fn of_two_services_on_one_port_one_gets_another() {
    let gateway = Supervised::new(&[]);
    let (litellm, proxy) = (gateway.litellm.to_string(), gateway.proxy.to_string());
    gateway.edit(FLOWGATE_YAML, &litellm, &proxy);
    gateway.flowgate(&["service", "start", "cliproxyapi_plus"]);
    gateway.flowgate(&["service", "start", "litellm"]);
    let root = "port-conflict/same-port-twice:litellm";
    apply(&gateway, root, "set-port:litellm");
    let port: u16 = text(&gateway, FLOWGATE_YAML)
        .split("port: ")
        .nth(1)
        .and_then(|rest| rest.lines().next()?.parse().ok())
        .unwrap();
    assert_ne!(port, gateway.proxy);
    assert_eq!(status_with_key(port, MASTER_KEY), 200);
    assert_eq!(status_with_key(gateway.proxy, UPSTREAM_KEY), 200);
}

#[test]
fn a_host_that_is_not_here_becomes_loopback() {
    let gateway = Supervised::new(&[]);
    // An address of the documentation, which no machine has.
    let text_of = text(&gateway, FLOWGATE_YAML);
    let (head, tail) = text_of.split_once("host: 127.0.0.1").unwrap();
    let elsewhere = format!(
        "{head}host: 192.0.2.7{}",
        tail.replacen("127.0.0.1", "192.0.2.7", 1)
    );
    write(&gateway.path(FLOWGATE_YAML), &elsewhere, 0o644);
    gateway.flowgate(&["service", "start", "cliproxyapi_plus"]);
    gateway.flowgate(&["service", "start", "litellm"]);
    apply(
        &gateway,
        "port-conflict/cannot-bind:litellm",
        "set-host:litellm",
    );
    assert_eq!(text(&gateway, FLOWGATE_YAML), text_of);
    assert_eq!(status_with_key(gateway.litellm, MASTER_KEY), 200);
}

#[test]
fn a_service_that_moved_away_comes_back_when_its_port_is_free() {
    let mut gateway = Gateway::new();
    gateway.start("cliproxyapi_plus");
    let stranger = std::net::TcpListener::bind(("127.0.0.1", gateway.litellm)).unwrap();
    gateway.spawn(
        "litellm",
        &[("FLOWGATE_STANDIN_SPECIAL_PORT", gateway.litellm.to_string())],
    );
    let log = gateway.path(".router/runtime/process-logs/litellm.log");
    wait_for("LiteLLM to listen elsewhere", || {
        read(&log).contains("Uvicorn running on")
    });
    drop(stranger);
    let gateway = Supervised(gateway);
    let document = gateway.doctor(&["--fix=safe"]);
    assert_eq!(roots(&document), Vec::<String>::new(), "{document:#}");
    assert_eq!(status_with_key(gateway.litellm, MASTER_KEY), 200);
    assert_ne!(free_port(), gateway.litellm);
}
