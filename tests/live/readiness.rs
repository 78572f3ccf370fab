//! Runbook section 5 on real HTTP: the first hop that refuses.

use serde_json::Value;

use crate::gateway::{Gateway, UPSTREAM_KEY, effects, finding, free_port, roots};
use crate::process::{read, wait_for, write};

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
    assert!(fixes.contains("service start litellm"), "{fixes}");
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

#[test]
fn a_suspended_process_is_told_from_one_that_is_slow_and_goes_on_after_the_fix() {
    let mut gateway = Gateway::running();
    let pid = gateway.process("cliproxyapi_plus").pid();
    let signal = |signal| {
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    };
    signal(rustix::process::Signal::STOP);
    wait_for("the process to be suspended", || {
        read(std::path::Path::new(&format!("/proc/{pid}/stat"))).contains(") T ")
    });
    let document = gateway.doctor(&[]);
    signal(rustix::process::Signal::CONT);
    assert_eq!(roots(&document), ["readiness/hung:cliproxyapi_plus"]);
    let fix = &finding(&document, "readiness/hung:cliproxyapi_plus")["fixes"][0];
    assert_eq!(fix["id"], "continue");
    assert_eq!(fix["commands"][0], format!("kill -CONT {pid}"));
    assert_eq!(roots(&gateway.doctor(&[])), Vec::<String>::new());
}

#[test]
fn a_program_that_refuses_its_config_is_quoted_with_the_line() {
    let mut gateway = Gateway::new();
    let path = gateway.path("config/cliproxyapi.yaml");
    write(&path, "host: 127.0.0.1\nport: [8317\napi-keys: x\n", 0o600);
    gateway.spawn("cliproxyapi_plus", &[]);
    assert_eq!(gateway.process("cliproxyapi_plus").wait(), Some(0));
    gateway.start("litellm");
    let document = gateway.doctor(&["--check", "readiness"]);
    let key = "readiness/config-rejected:cliproxyapi_plus";
    assert_eq!(roots(&document), [key]);
    let found = finding(&document, key).to_string();
    assert!(found.contains("failed to parse config file"), "{found}");
    assert!(found.contains("config/cliproxyapi.yaml"), "{found}");
}

#[test]
fn a_master_key_that_everybody_knows_is_named_as_why_litellm_ends() {
    let mut gateway = Gateway::new();
    gateway.start("cliproxyapi_plus");
    gateway.edit(
        ".router/runtime/litellm.active.yaml",
        crate::gateway::MASTER_KEY,
        "sk-1234",
    );
    gateway.spawn("litellm", &[]);
    assert_eq!(gateway.process("litellm").wait(), Some(3));
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), ["readiness/master-key-refused:litellm"]);
    assert_eq!(effects(&document), ["readiness/not-running:litellm"]);
}

#[test]
fn a_variable_that_the_process_does_not_have_is_named_and_one_in_its_env_file_is_not() {
    let mut gateway = Gateway::new();
    gateway.write_litellm_config("os.environ/PLANTED_UPSTREAM", gateway.proxy);
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), ["readiness/missing-environment:litellm"]);
    write(
        &gateway.path(".env"),
        &format!("PLANTED_UPSTREAM={UPSTREAM_KEY}\n"),
        0o600,
    );
    let document = gateway.doctor(&[]);
    let fix = &finding(&document, "readiness/missing-environment:litellm")["fixes"][0];
    assert_eq!(fix["commands"][0], "set -a; . ./.env; set +a");
}

#[test]
fn a_profile_that_was_changed_since_it_was_rendered_is_told_by_its_entries() {
    let gateway = Gateway::running();
    let path = gateway.path("config/flowgate.yaml");
    let with = |model: &str| {
        let active = read(&gateway.path(".router/runtime/litellm.active.yaml"));
        let base = active.replace("\"gpt-5\"", &format!("\"{model}\""));
        read(&path).replace(
            "litellm_base:\n  model_list: []\n",
            &format!("litellm_base: {}\n", base.replace('\n', " ")),
        )
    };
    let (same, other) = (with("gpt-5"), with("gpt-6"));
    write(&path, &same, 0o600);
    assert_eq!(roots(&gateway.doctor(&[])), Vec::<String>::new());
    write(&path, &other, 0o600);
    let document = gateway.doctor(&[]);
    let key = "readiness/stale-active-config:litellm";
    assert_eq!(roots(&document), [key]);
    let cause = finding(&document, key)["cause"].to_string();
    assert!(cause.contains("model_list[0].model_name"), "{cause}");
}
