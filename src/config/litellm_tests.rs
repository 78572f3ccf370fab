use secrecy::ExposeSecret;

use super::*;
use crate::config::document::Rules;

fn read(text: &str) -> Result<LitellmConfig, ParseFault> {
    LitellmConfig::read(&Document::parse(text, Rules::default())?)
}

fn config(text: &str) -> LitellmConfig {
    read(text).map_err(|fault| fault.message).unwrap()
}

#[test]
fn deployments_and_keys_are_read_with_their_places() {
    let config = config(
        "model_list:\n  - model_name: a\n    litellm_params:\n      model: openai/a\n      api_base: http://h/v1\n      \
         api_key: os.environ/KEY\n  - model_name: b\n    litellm_params: {model: openai/b, api_key: ''}\n\
         general_settings:\n  master_key: sk-lab-1\nenvironment_variables: {KEY: x}\n",
    );
    let first = &config.deployments[0];
    assert_eq!(
        (first.model_name.as_str(), first.model.as_str()),
        ("a", "openai/a")
    );
    assert_eq!(first.api_base.as_deref(), Some("http://h/v1"));
    let key = first.api_key.as_ref().unwrap();
    assert!(matches!(&key.value, KeyValue::Environment(name) if name == "KEY"));
    assert_eq!(key.entry, "model_list[0].litellm_params.api_key");
    assert_eq!(
        key.position,
        Position {
            line: 6,
            column: 16
        }
    );
    let second = &config.deployments[1];
    assert!(matches!(
        second.api_key.as_ref().unwrap().value,
        KeyValue::Empty
    ));
    assert_eq!(second.api_base, None);
    assert_eq!(
        second.api_base_entry,
        "model_list[1].litellm_params.api_base"
    );
    let master = config.master_key.as_ref().unwrap();
    assert!(matches!(&master.value, KeyValue::Literal(key) if key.expose_secret() == "sk-lab-1"));
    assert_eq!(config.environment["KEY"].expose_secret(), "x");
    assert_eq!(config.model_names(), ["a", "b"]);
}

#[test]
fn what_litellm_refuses_is_refused() {
    for (text, told) in [
        ("", "is empty; LiteLLM expects keys such as model_list"),
        (
            "- a",
            "is no mapping; LiteLLM expects keys such as model_list",
        ),
        (
            "general_settings: x",
            "general_settings must be a mapping/object",
        ),
        (
            "litellm_settings: x",
            "litellm_settings must be a mapping/object",
        ),
        ("model_list: {}", "model_list must be a list"),
        (
            "model_list: [{litellm_params: {model: m}}]",
            "model_list[0].model_name is missing",
        ),
        (
            "model_list: [{model_name: a}]",
            "model_list[0].litellm_params is missing",
        ),
        (
            "model_list: [{model_name: a, litellm_params: {}}]",
            "model_list[0].litellm_params.model is missing",
        ),
        (
            "general_settings: {master_key: 1234}",
            "general_settings.master_key must be text; put it in quotes",
        ),
    ] {
        assert_eq!(
            read(text).err().map(|fault| fault.message).as_deref(),
            Some(told)
        );
    }
}

#[test]
fn what_litellm_lets_pass_loads() {
    for text in [
        "model_list:",
        "unknown: 1",
        "general_settings: {master_key: }",
        "{\"model_list\": []}",
    ] {
        assert!(config(text).deployments.is_empty());
        assert!(config(text).master_key.is_none());
    }
}
