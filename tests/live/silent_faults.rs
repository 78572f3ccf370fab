//! What is wrong while every health path of LiteLLM says 200.

use crate::gateway::{Gateway, UPSTREAM_KEY, effects, finding, free_port, roots};

const ACTIVE: &str = ".router/runtime/litellm.active.yaml";

/// A gateway whose LiteLLM was started with a changed config and these variables.
fn with(edits: &[(&str, &str)], env: &[(&str, String)]) -> Gateway {
    let mut gateway = Gateway::new();
    for (from, to) in edits {
        gateway.edit(ACTIVE, from, to);
    }
    gateway.start("cliproxyapi_plus");
    gateway.spawn("litellm", env);
    let port = gateway.litellm;
    crate::process::wait_for("LiteLLM to listen", || crate::gateway::is_listening(port));
    gateway
}

#[test]
fn an_api_base_without_its_path_is_told_with_the_right_one() {
    let gateway = with(&[("/v1\"", "\"")], &[]);
    let document = gateway.doctor(&[]);
    let key = "readiness/upstream-wrong-path:litellm";
    assert_eq!(roots(&document), [key]);
    let step = &finding(&document, key)["fixes"][0]["steps"][0];
    assert_eq!(step["kind"], "set-value", "{document:#}");
    assert_eq!(step["file"], ACTIVE);
    assert_eq!(
        step["to"]["literal"]["text"],
        format!("http://127.0.0.1:{}/v1", gateway.proxy)
    );
}

#[test]
fn an_api_base_whose_variable_is_not_set_leaves_for_the_vendor() {
    let mut gateway = Gateway::new();
    let url = format!("http://127.0.0.1:{}/v1", gateway.proxy);
    gateway.edit(ACTIVE, &url, "os.environ/PLANTED_BASE");
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");
    let document = gateway.doctor(&[]);
    let key = "readiness/upstream-is-vendor:litellm";
    assert_eq!(roots(&document), [key]);
    let cause = finding(&document, key)["cause"].to_string();
    assert!(cause.contains("PLANTED_BASE"), "{cause}");

    gateway.process("litellm").kill();
    gateway.spawn("litellm", &[("PLANTED_BASE", url)]);
    let port = gateway.litellm;
    crate::process::wait_for("LiteLLM to listen", || crate::gateway::is_listening(port));
    assert_eq!(roots(&gateway.doctor(&[])), Vec::<String>::new());
}

#[test]
fn a_model_without_a_provider_is_dropped_and_with_it_the_whole_list() {
    let gateway = with(&[("openai/gpt-5", "lab-model")], &[]);
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), ["readiness/models-dropped:litellm"]);
    assert_eq!(effects(&document), ["readiness/no-models:litellm"]);
    assert_eq!(document["exitCode"], 1);
}

#[test]
fn a_model_that_the_proxy_does_not_have_is_told_with_the_near_one() {
    let gateway = with(&[("openai/gpt-5\"", "openai/gpt-5x\"")], &[]);
    let document = gateway.doctor(&[]);
    let key = "readiness/model-unserved:litellm";
    assert_eq!(roots(&document), [key]);
    let fix = &finding(&document, key)["fixes"][0];
    assert_eq!(fix["id"], "set-model", "{fix:#}");
    assert_eq!(fix["steps"][0]["to"]["literal"]["text"], "openai/gpt-5");
}

#[test]
fn a_proxy_variable_captures_this_machine_unless_it_is_kept_out() {
    let proxy = format!("http://127.0.0.1:{}", free_port());
    let gateway = with(&[], &[("HTTP_PROXY", proxy.clone())]);
    let document = gateway.doctor(&[]);
    let key = "readiness/proxy-captures-loopback:litellm";
    assert_eq!(roots(&document), [key]);
    assert_eq!(finding(&document, key)["confidence"], "certain");

    let kept_out = [
        ("HTTP_PROXY", proxy),
        ("NO_PROXY", "localhost,127.0.0.1".to_owned()),
    ];
    let gateway = with(&[], &kept_out);
    assert_eq!(roots(&gateway.doctor(&[])), Vec::<String>::new());
}

#[test]
fn a_model_with_a_key_of_its_own_goes_to_its_vendor_on_purpose() {
    let mut gateway = Gateway::new();
    let text = crate::process::read(&gateway.path(ACTIVE));
    let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
    config["model_list"]
        .as_array_mut()
        .unwrap()
        .push(serde_json::json!({
            "model_name": "claude",
            "litellm_params": {"model": "anthropic/claude-sonnet-4", "api_key": "sk-planted-own-2207"},
        }));
    assert!(text.contains(UPSTREAM_KEY));
    crate::process::write(&gateway.path(ACTIVE), &config.to_string(), 0o600);
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), Vec::<String>::new(), "{document:#}");
}
