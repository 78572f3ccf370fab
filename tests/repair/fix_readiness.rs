//! Fixes of section 5: the oracle is a request with the right key, or a process.

use crate::fix::{apply, text};
use crate::gateway::{Gateway, MASTER_KEY, UPSTREAM_KEY, free_port};
use crate::ports::status_with_key;
use crate::stage::rendered;
use crate::state::{differences, state};
use crate::supervised::Supervised;

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
