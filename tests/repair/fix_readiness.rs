//! Fixes of section 5: the oracle is a request with the right key, or a process.

use rustix::process::Signal;

use crate::fix::{apply, mode, text, undo};
use crate::gateway::{Gateway, MASTER_KEY, UPSTREAM_KEY, free_port, roots};
use crate::ports::status_with_key;
use crate::process::{read, wait_for, write};
use crate::stage::rendered;
use crate::state::{differences, state};
use crate::supervised::{Supervised, is_alive, send};

const ACTIVE: &str = ".router/runtime/litellm.active.yaml";
/// What LiteLLM answers to a wrong key.
pub const REFUSED: u16 = 400;
const FLOWGATE_YAML: &str = "config/flowgate.yaml";

fn started() -> Supervised {
    let gateway = Supervised::new(&[]);
    start(&gateway);
    gateway
}

fn start(gateway: &Gateway) {
    let said = gateway.flowgate(&["service", "start", "all"]);
    assert_eq!(said.code, 0, "{}", said.err);
}

#[test]
fn a_killed_service_is_started() {
    let gateway = started();
    let pid = gateway.pid("litellm").unwrap();
    gateway.kill_supervisor();
    send(pid, Signal::KILL);
    wait_for("litellm to end", || !is_alive(pid));
    let document = gateway.doctor(&["--fix=safe"]);
    assert_eq!(roots(&document), Vec::<String>::new(), "{document:#}");
    assert_eq!(status_with_key(gateway.litellm, MASTER_KEY), 200);
}

#[test]
fn a_suspended_service_goes_on_as_the_same_process() {
    let gateway = started();
    let pid = gateway.pid("litellm").unwrap();
    send(pid, Signal::STOP);
    wait_for("the process to be suspended", || {
        read(std::path::Path::new(&format!("/proc/{pid}/stat"))).contains(") T ")
    });
    let document = gateway.doctor(&["--fix=safe"]);
    assert_eq!(roots(&document), Vec::<String>::new(), "{document:#}");
    assert_eq!(status_with_key(gateway.litellm, MASTER_KEY), 200);
    assert_eq!(gateway.pid("litellm"), Some(pid));
}

#[test]
fn a_hung_service_is_restarted_when_that_is_asked_for() {
    let gateway = started();
    let pid = gateway.pid("litellm").unwrap();
    send(pid, Signal::STOP);
    wait_for("the process to be suspended", || {
        read(std::path::Path::new(&format!("/proc/{pid}/stat"))).contains(") T ")
    });
    apply(&gateway, "readiness/hung:litellm", "restart:litellm");
    assert_eq!(status_with_key(gateway.litellm, MASTER_KEY), 200);
    assert!(!is_alive(pid));
}

#[test]
fn a_missing_active_config_is_rendered_and_litellm_started() {
    let gateway = rendered();
    assert_eq!(gateway.flowgate(&["service", "stop", "litellm"]).code, 0);
    std::fs::remove_file(gateway.path(ACTIVE)).unwrap();
    gateway.flowgate(&["service", "start", "litellm"]);
    let document = gateway.doctor(&["--fix=safe"]);
    assert_eq!(roots(&document), Vec::<String>::new(), "{document:#}");
    assert_eq!(status_with_key(gateway.litellm, MASTER_KEY), 200);
    assert_eq!(mode(&gateway, ACTIVE), 0o600);
}

#[test]
fn a_stale_active_config_is_rendered_anew_and_read() {
    let gateway = rendered();
    gateway.edit(FLOWGATE_YAML, "model_name: gpt-5 ", "model_name: gpt-6 ");
    let before = state(&gateway.path("."));
    let root = "readiness/stale-active-config:litellm";
    apply(&gateway, root, "activate-profile:litellm");
    assert!(text(&gateway, ACTIVE).contains("gpt-6"));
    undo(&gateway);
    assert!(!text(&gateway, ACTIVE).contains("gpt-6"));
    let left = differences(&before, &state(&gateway.path(".")));
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn a_wrong_upstream_key_is_replaced_where_it_is_written() {
    let gateway = rendered();
    gateway.edit(FLOWGATE_YAML, UPSTREAM_KEY, "sk-another-key-00000000");
    for args in [
        &["profile", "set", "balanced"],
        &["service", "restart", "litellm"],
    ] {
        assert_eq!(gateway.flowgate(args).code, 0);
    }
    let root = "readiness/upstream-key-rejected:litellm";
    apply(&gateway, root, "set-upstream-key:litellm");
    let written = text(&gateway, FLOWGATE_YAML);
    assert!(
        written.contains(&format!("        api_key: {UPSTREAM_KEY}\n")),
        "{written}"
    );
    assert!(written.contains("# the only one"), "comments survive");
    assert!(text(&gateway, ACTIVE).contains(UPSTREAM_KEY));
    assert_eq!(status_with_key(gateway.proxy, UPSTREAM_KEY), 200);
}

#[test]
fn an_api_base_that_leads_nowhere_is_corrected_in_the_config_that_is_written_by_hand() {
    let gateway = started();
    let dead = free_port();
    gateway.edit(ACTIVE, &gateway.proxy.to_string(), &dead.to_string());
    assert_eq!(gateway.flowgate(&["service", "restart", "litellm"]).code, 0);
    let before = state(&gateway.path("."));
    let root = "readiness/upstream-unreachable:litellm";
    apply(&gateway, root, "set-api-base:litellm");
    let changed = differences(&before, &state(&gateway.path(".")));
    assert_eq!(changed, [ACTIVE]);
    let url = format!("http://127.0.0.1:{}/v1", gateway.proxy);
    assert!(text(&gateway, ACTIVE).contains(&url));
    assert_eq!(status_with_key(gateway.litellm, MASTER_KEY), 200);
}

#[test]
fn a_missing_api_base_is_added_as_a_line_of_the_base() {
    let gateway = rendered();
    let line = format!("        api_base: http://127.0.0.1:{}/v1\n", gateway.proxy);
    let original = text(&gateway, FLOWGATE_YAML);
    gateway.edit(FLOWGATE_YAML, &line, "");
    for args in [
        &["profile", "set", "balanced"],
        &["service", "restart", "litellm"],
    ] {
        assert_eq!(gateway.flowgate(args).code, 0);
    }
    let root = "readiness/upstream-is-vendor:litellm";
    apply(&gateway, root, "set-api-base:litellm");
    assert!(text(&gateway, FLOWGATE_YAML).contains(&line));
    let lines = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(&text(&gateway, FLOWGATE_YAML)), lines(&original));
}

#[test]
fn the_key_that_flowgate_keeps_becomes_the_one_that_litellm_accepts() {
    let gateway = started();
    let kept = ".router/secrets/litellm-master.key";
    write(&gateway.path(kept), "sk-another-key-00000000", 0o600);
    let root = "readiness/client-key-rejected:litellm";
    apply(&gateway, root, "set-client-key:litellm");
    assert_eq!(text(&gateway, kept).trim(), MASTER_KEY);
    assert_eq!(mode(&gateway, kept), 0o600);
    undo(&gateway);
    assert_eq!(text(&gateway, kept), "sk-another-key-00000000");
}

#[test]
fn a_master_key_that_everybody_knows_becomes_a_random_one() {
    let gateway = started();
    assert_eq!(gateway.flowgate(&["service", "stop", "litellm"]).code, 0);
    gateway.edit(ACTIVE, MASTER_KEY, "sk-1234");
    gateway.flowgate(&["service", "start", "litellm"]);
    let root = "readiness/master-key-refused:litellm";
    apply(&gateway, root, "set-master-key:litellm");
    let config: serde_json::Value = serde_json::from_str(&text(&gateway, ACTIVE)).unwrap();
    let key = config["general_settings"]["master_key"].as_str().unwrap();
    assert!(key.starts_with("sk-") && key.len() >= 32, "{}", key.len());
    assert_eq!(status_with_key(gateway.litellm, key), 200);
    assert_eq!(status_with_key(gateway.litellm, "sk-1234"), REFUSED);
}

#[test]
fn an_api_base_without_its_path_and_a_model_that_is_not_served_are_written_right() {
    let choices = [
        (
            "/v1\"",
            "\"",
            "readiness/upstream-wrong-path:litellm",
            "set-api-base:litellm",
        ),
        (
            "openai/gpt-5\"",
            "openai/gpt-5x\"",
            "readiness/model-unserved:litellm",
            "set-model:litellm",
        ),
    ];
    for (right, wrong, root, choice) in choices {
        let gateway = started();
        let before = text(&gateway, ACTIVE);
        gateway.edit(ACTIVE, right, wrong);
        assert_eq!(gateway.flowgate(&["service", "restart", "litellm"]).code, 0);
        apply(&gateway, root, choice);
        assert_eq!(text(&gateway, ACTIVE), before);
        assert_eq!(status_with_key(gateway.litellm, MASTER_KEY), 200);
    }
}

#[test]
fn a_config_that_litellm_refuses_is_rendered_anew() {
    let gateway = rendered();
    let before = text(&gateway, ACTIVE);
    assert_eq!(gateway.flowgate(&["service", "stop", "litellm"]).code, 0);
    write(&gateway.path(ACTIVE), "model_list: [\n", 0o600);
    gateway.flowgate(&["service", "start", "litellm"]);
    let root = "readiness/config-rejected:litellm";
    apply(&gateway, root, "activate-profile:litellm");
    assert_eq!(text(&gateway, ACTIVE), before);
    assert_eq!(status_with_key(gateway.litellm, MASTER_KEY), 200);
}

#[test]
fn a_litellm_that_a_proxy_captures_is_restarted_with_loopback_kept_out() {
    let mut gateway = Gateway::new();
    gateway.start("cliproxyapi_plus");
    let proxy = format!("http://127.0.0.1:{}", free_port());
    gateway.spawn("litellm", &[("HTTP_PROXY", proxy)]);
    wait_for("LiteLLM to listen", || {
        crate::gateway::is_listening(gateway.litellm)
    });
    let gateway = Supervised(gateway);
    let root = "readiness/proxy-captures-loopback:litellm";
    apply(&gateway, root, "restart:litellm");
    let pid = gateway.pid("litellm").unwrap();
    assert!(crate::fix::has_variable(pid, "NO_PROXY"));
    assert_eq!(status_with_key(gateway.litellm, MASTER_KEY), 200);
}
