//! Faults of section 1: who holds a port.

use std::net::{TcpListener, TcpStream};
use std::path::Path;

use serde_json::json;

use crate::elsewhere::HELD;
use crate::fix::text;
use crate::gateway::{Gateway, is_listening};
use crate::oracle::{both_serve, litellm_serves, local, proxy_serves, upstream_works};
use crate::process::{Process, read, wait_for, write};
use crate::situation::{Place, Situation};
use crate::stage::{ACTIVE, FLOWGATE_YAML, Stage, at_v6, copy_elsewhere};

const FOREIGN: &str = "port-conflict/foreign-listener:litellm";

pub const ALL: &[Situation] = &[
    Situation::asked(
        "a stranger on the port of litellm",
        FOREIGN,
        "move-port",
        stranger_on_litellm,
        litellm_serves,
    ),
    Situation::asked(
        "a stranger on the port of the proxy",
        "port-conflict/foreign-listener:cliproxyapi_plus",
        "move-port",
        stranger_on_proxy,
        |stage| both_serve(stage) && upstream_works(stage),
    ),
    Situation::asked(
        "another copy of litellm on its port",
        "port-conflict/second-instance:litellm",
        "move-port",
        second_instance,
        litellm_serves,
    ),
    Situation::safe(
        "an earlier run on the port of litellm",
        "port-conflict/own-orphan:litellm",
        "stop-orphan",
        orphan,
        serves_instead_of_orphan,
    ),
    Situation::asked(
        "an earlier run that serves somebody",
        "port-conflict/own-orphan:litellm",
        "stop-orphan",
        orphan_with_client,
        serves_instead_of_orphan,
    ),
    Situation::safe(
        "a litellm that moved away from its port, which is free again",
        "port-conflict/drifted-port:litellm",
        "restart",
        drifted,
        litellm_serves,
    )
    .stays(),
    Situation::asked(
        "two services on one port",
        "port-conflict/same-port-twice:litellm",
        "set-port",
        same_port,
        both_serve,
    ),
    Situation::asked(
        "a stranger on the other family of a port that localhost names",
        "port-conflict/split-stack:cliproxyapi_plus",
        "set-host",
        split_stack,
        upstream_works,
    ),
    Situation::asked(
        "a host that is no address of this machine",
        "port-conflict/cannot-bind:litellm",
        "set-host",
        host_elsewhere,
        litellm_serves,
    ),
    Situation::asked(
        "a port that is reserved for root",
        "port-conflict/cannot-bind:litellm",
        "set-port",
        reserved_port,
        litellm_serves,
    )
    .at(Place::OrdinaryUser),
    Situation::asked(
        "a server of root on the port of litellm, of which nobody else sees the owner",
        "port-conflict/unknown-owner:litellm",
        "move-port",
        held_by_root,
        litellm_serves,
    )
    .at(Place::BesideRoot),
];

fn stranger_on_litellm() -> Stage {
    let mut stage = Stage::started();
    let port = stage.gateway.litellm;
    stage.while_litellm_is_stopped(|stage| stage.put_stranger(local(port)));
    stage
}

fn stranger_on_proxy() -> Stage {
    let mut stage = Stage::rendered();
    let stop = ["service", "stop", "cliproxyapi_plus"];
    assert_eq!(stage.gateway.flowgate(&stop).code, 0);
    stage.put_stranger(local(stage.gateway.proxy));
    stage
        .gateway
        .flowgate(&["service", "start", "cliproxyapi_plus"]);
    stage
}

fn second_instance() -> Stage {
    let mut stage = Stage::started();
    let port = stage.gateway.litellm;
    stage.while_litellm_is_stopped(|stage| {
        let copy = copy_elsewhere(&stage.gateway, "litellm", port);
        stage.processes.push(copy);
    });
    stage
}

/// What is left of an earlier run of litellm, told by the history alone.
fn orphan() -> Stage {
    let mut stage = Stage::stopped();
    let gateway = &stage.gateway;
    let said = gateway.flowgate(&["service", "start", "cliproxyapi_plus"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let earlier = gateway.play("litellm", &[]);
    wait_for("the earlier run to listen", || {
        is_listening(gateway.litellm)
    });
    record_as_earlier(gateway, &earlier);
    stage.pid = earlier.pid();
    stage.processes.push(earlier);
    stage
}

fn record_as_earlier(gateway: &Gateway, earlier: &Process) {
    let boot = read(Path::new("/proc/sys/kernel/random/boot_id"));
    let line = json!({"kind": "spawn", "at": "2026-11-24T09:00:00Z", "run": {
        "pid": earlier.pid(), "startTime": earlier.start_time(), "bootId": boot.trim(),
        "sid": earlier.pid(),
    }});
    let folder = gateway.path(".router/runtime/supervisor");
    let history = folder.join("litellm.history.jsonl");
    write(&history, &format!("{line}\n"), 0o600);
    let record = json!({"v": 1, "wanted": "running", "state": "stopped", "run": null,
        "restarts": 0, "nextTryAt": null, "lastExit": null});
    write(&folder.join("litellm.json"), &record.to_string(), 0o600);
}

fn orphan_with_client() -> Stage {
    let mut stage = orphan();
    let client = TcpStream::connect(local(stage.gateway.litellm)).unwrap();
    stage.clients.push(client);
    stage
}

fn serves_instead_of_orphan(stage: &Stage) -> bool {
    !crate::supervised::is_alive(stage.pid)
        && stage.recorded_pid("litellm").is_some()
        && litellm_serves(stage)
}

/// LiteLLM found its port taken and went elsewhere without a word; who took it has gone.
fn drifted() -> Stage {
    let mut gateway = Gateway::new();
    gateway.start("cliproxyapi_plus");
    let holder = TcpListener::bind(local(gateway.litellm)).unwrap();
    gateway.spawn(
        "litellm",
        &[("FLOWGATE_STANDIN_SPECIAL_PORT", gateway.litellm.to_string())],
    );
    let log = gateway.path(".router/runtime/process-logs/litellm.log");
    wait_for("LiteLLM to listen elsewhere", || {
        read(&log).contains("Uvicorn running on")
    });
    drop(holder);
    Stage::recorded(gateway)
}

fn same_port() -> Stage {
    let stage = Stage::stopped();
    let gateway = &stage.gateway;
    let (litellm, proxy) = (gateway.litellm.to_string(), gateway.proxy.to_string());
    gateway.edit(FLOWGATE_YAML, &litellm, &proxy);
    stage.start();
    stage
}

fn split_stack() -> Stage {
    let mut stage = Stage::stopped();
    let port = stage.gateway.proxy;
    stage.put_stranger(at_v6(port));
    let (right, wrong) = ("//127.0.0.1:", "//localhost:");
    stage.gateway.edit(ACTIVE, right, wrong);
    stage.gateway.edit(FLOWGATE_YAML, right, wrong);
    stage.start();
    stage
}

/// An address of the documentation, which no machine has.
fn host_elsewhere() -> Stage {
    let stage = Stage::stopped();
    let whole = text(&stage.gateway, FLOWGATE_YAML);
    let (head, tail) = whole.split_once("host: 127.0.0.1").unwrap();
    let tail = tail.replacen("127.0.0.1", "192.0.2.7", 1);
    let path = stage.gateway.path(FLOWGATE_YAML);
    write(&path, &format!("{head}host: 192.0.2.7{tail}"), 0o644);
    stage.start();
    stage
}

fn reserved_port() -> Stage {
    let stage = Stage::stopped();
    let port = stage.gateway.litellm.to_string();
    stage.gateway.edit(FLOWGATE_YAML, &port, "883");
    stage.start();
    assert!(proxy_serves(&stage), "only litellm cannot start");
    stage
}

fn held_by_root() -> Stage {
    let stage = Stage::stopped();
    wait_for("the server of root", || is_listening(HELD));
    let port = stage.gateway.litellm.to_string();
    stage.gateway.edit(FLOWGATE_YAML, &port, &HELD.to_string());
    stage.start();
    stage
}
