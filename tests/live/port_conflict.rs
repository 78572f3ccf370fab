//! Runbook section 1 on real sockets.

use std::net::TcpListener;

use serde_json::json;

use crate::gateway::{Gateway, effects, finding, roots};
use crate::process::{Process, wait_for};

/// A small HTTP server that is neither program, as a process of its own.
fn stranger(gateway: &Gateway, port: u16) -> Process {
    let port_text = port.to_string();
    let process = Process::start(
        std::path::Path::new("python3"),
        &["-m", "http.server", "--bind", "127.0.0.1", &port_text],
        &gateway.path("."),
        &gateway.path("stranger.log"),
        &[],
    );
    wait_for("the stranger to listen", || {
        crate::gateway::is_listening(port)
    });
    process
}

#[test]
fn a_stranger_on_the_port_of_the_proxy_is_named_with_pid_and_line() {
    let mut gateway = Gateway::new();
    let holder = stranger(&gateway, gateway.proxy);
    gateway.spawn("cliproxyapi_plus", &[]);
    assert_eq!(
        gateway.process("cliproxyapi_plus").wait(),
        Some(0),
        "it exits 0, as the real one does"
    );

    let document = gateway.doctor(&[]);

    assert_eq!(
        roots(&document),
        ["port-conflict/foreign-listener:cliproxyapi_plus"]
    );
    assert!(effects(&document).contains(&"readiness/not-running:cliproxyapi_plus".to_owned()));
    let found = finding(&document, "port-conflict/foreign-listener:cliproxyapi_plus");
    let symptom = found["symptom"].as_str().unwrap();
    assert!(
        symptom.contains(&format!("pid {}", holder.pid())),
        "{symptom}"
    );
    assert!(
        found.to_string().contains("config/flowgate.yaml:"),
        "{found:#}"
    );
    assert_eq!(document["exitCode"], 1);
}

#[test]
fn a_litellm_that_moved_away_is_seen_on_the_port_where_it_is() {
    let mut gateway = Gateway::new();
    gateway.start("cliproxyapi_plus");
    let _holder = stranger(&gateway, gateway.litellm);
    gateway.spawn(
        "litellm",
        &[("FLOWGATE_STANDIN_SPECIAL_PORT", gateway.litellm.to_string())],
    );
    let log = gateway.path(".router/runtime/process-logs/litellm.log");
    wait_for("LiteLLM to listen elsewhere", || {
        crate::process::read(&log).contains("Uvicorn running on")
    });

    let document = gateway.doctor(&[]);

    assert_eq!(roots(&document), ["port-conflict/foreign-listener:litellm"]);
    assert_eq!(effects(&document), ["port-conflict/drifted-port:litellm"]);
}

#[test]
fn a_port_held_by_nobody_who_matters_is_no_conflict() {
    let gateway = Gateway::running();
    let _elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let document = gateway.doctor(&[]);
    assert_eq!(document["findings"], json!([]), "{document:#}");
}
