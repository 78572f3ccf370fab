//! `litellm_params.api_key_ref: NAME`, which stands for a key of `credentials.upstream.NAME`.
//!
//! A key of a variable becomes LiteLLM's own `os.environ/NAME`, so that no key stands in the
//! rendered config. A key of a file would: such a reference is refused.

use flowgate_checks::model::Position;
use serde_json::Value;
use thiserror::Error;

use super::document::{Node, NodeValue};
use super::schema::{FlowgateConfig, UpstreamCredential};

const REFERENCE: &str = "api_key_ref";

/// A reference that cannot be rendered, and where it stands in flowgate.yaml.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct KeyRefError {
    /// Where.
    pub position: Position,
    /// What is wrong and what to write, as a sentence.
    pub message: String,
}

/// Whether every reference that a profile could render is one to a variable.
///
/// # Errors
/// The first that is not, with its place.
pub fn check(config: &FlowgateConfig, profile: &str) -> Result<(), KeyRefError> {
    let parts = config
        .litellm_base
        .iter()
        .chain(config.profiles.get(profile));
    for part in parts {
        walk(part, &mut |node| check_one(node, config))?;
    }
    Ok(())
}

fn check_one(node: &Node, config: &FlowgateConfig) -> Result<(), KeyRefError> {
    let refuse = |message: String| {
        Err(KeyRefError {
            position: node.position,
            message,
        })
    };
    let Some(name) = node.as_text() else {
        return refuse(format!(
            "{REFERENCE} must be a name of credentials.upstream"
        ));
    };
    match config.upstream.get(name) {
        Some(UpstreamCredential::Environment(_)) => Ok(()),
        Some(UpstreamCredential::File(_)) => refuse(format!(
            "{REFERENCE} {name} is a key in a file, which would stand in clear in the active config; \
             give credentials.upstream.{name} an env instead"
        )),
        None => refuse(format!(
            "unknown {REFERENCE} {name}; credentials.upstream has {}",
            known(config)
        )),
    }
}

fn known(config: &FlowgateConfig) -> String {
    let names: Vec<&str> = config.upstream.keys().map(String::as_str).collect();
    if names.is_empty() {
        return "none".into();
    }
    names.join(", ")
}

fn walk(
    node: &Node,
    visit: &mut impl FnMut(&Node) -> Result<(), KeyRefError>,
) -> Result<(), KeyRefError> {
    match &node.value {
        NodeValue::Map(pairs) => pairs.iter().try_for_each(|(key, node)| {
            if key.text == REFERENCE {
                visit(node)
            } else {
                walk(node, visit)
            }
        }),
        NodeValue::List(items) => items.iter().try_for_each(|node| walk(node, visit)),
        _ => Ok(()),
    }
}

/// Puts `api_key: os.environ/NAME` in the place of each reference to a variable; any other stays.
pub fn resolve(value: &mut Value, config: &FlowgateConfig) {
    match value {
        Value::Object(map) => {
            let variable = map
                .get(REFERENCE)
                .and_then(Value::as_str)
                .and_then(|name| match config.upstream.get(name)? {
                    UpstreamCredential::Environment(variable) => Some(variable),
                    UpstreamCredential::File(_) => None,
                });
            if let Some(variable) = variable {
                map.remove(REFERENCE);
                map.insert("api_key".into(), format!("os.environ/{variable}").into());
            }
            map.values_mut().for_each(|value| resolve(value, config));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| resolve(value, config)),
        _ => {}
    }
}
