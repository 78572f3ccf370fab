//! Runbook section 5 on real HTTP: the first hop that refuses.

use serde_json::Value;

use crate::gateway::{Gateway, UPSTREAM_KEY, effects, finding, free_port, roots};

#[test]
fn a_healthy_gateway_has_nothing_wrong_and_a_chain_of_proven_hops() {
    let gateway = Gateway::running();
    let document = gateway.doctor(&[]);
    assert_eq!(document["findings"], Value::Array(vec![]), "{document:#}");
    assert_eq!(document["exitCode"], 0, "{document:#}");
    let states: Vec<(&str, &str)> = document["chain"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hop| (hop["hop"].as_str().unwrap(), hop["state"].as_str().unwrap()))
        .collect();
    assert_eq!(
        states,
        [
            ("litellm", "ok"),
            ("cliproxyapi_plus", "ok"),
            ("codex", "unproven")
        ]
    );
}

#[test]
fn a_service_that_should_run_and_does_not_is_named_with_the_way_to_start_it() {
    let mut gateway = Gateway::running();
    gateway.process("litellm").kill();
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), ["readiness/not-running:litellm"]);
    let fixes = finding(&document, "readiness/not-running:litellm")["fixes"].to_string();
    assert!(fixes.contains(".router/runtime/bin/litellm"), "{fixes}");
}

#[test]
fn a_key_that_the_proxy_refuses_is_the_upstream_key_and_both_lines_are_shown() {
    let mut gateway = Gateway::new();
    gateway.write_litellm_config("sk-planted-other-3321", gateway.proxy);
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");
    let document = gateway.doctor(&[]);
    assert_eq!(
        roots(&document),
        ["readiness/upstream-key-rejected:litellm"]
    );
    let found = finding(&document, "readiness/upstream-key-rejected:litellm").to_string();
    assert!(found.contains("config/cliproxyapi.yaml:5"), "{found}");
    assert!(
        found.contains(".router/runtime/litellm.active.yaml:"),
        "{found}"
    );
}

#[test]
fn a_changed_master_key_that_litellm_has_not_read_is_the_older_config_that_runs() {
    let mut gateway = Gateway::running();
    // The process keeps the old key; the file that the doctor reads has a new one.
    gateway.edit(
        ".router/runtime/litellm.active.yaml",
        crate::gateway::MASTER_KEY,
        "sk-planted-new-master-1",
    );
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), ["config/running-config-differs:litellm"]);
    assert_eq!(
        effects(&document),
        ["readiness/client-key-rejected:litellm"]
    );
    assert!(gateway.process("litellm").is_alive());
}

#[test]
fn an_api_base_that_leads_nowhere_is_told_although_every_health_path_is_fine() {
    let mut gateway = Gateway::new();
    gateway.write_litellm_config(UPSTREAM_KEY, free_port());
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), ["readiness/upstream-unreachable:litellm"]);
}

#[test]
fn a_missing_active_config_explains_that_litellm_does_not_run() {
    let mut gateway = Gateway::new();
    gateway.start("cliproxyapi_plus");
    std::fs::remove_file(gateway.path(".router/runtime/litellm.active.yaml")).unwrap();
    gateway.spawn("litellm", &[]);
    assert_eq!(gateway.process("litellm").wait(), Some(1));
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), ["readiness/no-active-profile:litellm"]);
    assert_eq!(effects(&document), ["readiness/not-running:litellm"]);
}
