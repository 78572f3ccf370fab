//! Profiles: what the active LiteLLM config should be, and which profile is active.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::document::{Node, NodeValue};
use super::key_ref;
use super::schema::FlowgateConfig;
use crate::sys::read::{self, ReadError};

/// The largest state file that is read, in bytes.
const LARGEST_STATE: u64 = 64 << 10;

/// What a profile renders: its overlay over `litellm_base`; none for a profile that is not there.
///
/// Where both sides have a mapping they are merged key by key; in every other case the overlay
/// replaces, lists and nulls included (facts/original.md section 4.2). An `api_key_ref` to a
/// variable is resolved. Keys are sorted, as in the active config. The value holds secrets.
pub fn render(config: &FlowgateConfig, profile: &str) -> Option<Value> {
    let overlay = config.profiles.get(profile)?;
    let mut rendered = config
        .litellm_base
        .as_ref()
        .map_or_else(|| Value::Object(serde_json::Map::new()), to_json);
    merge(&mut rendered, to_json(overlay));
    key_ref::resolve(&mut rendered, config);
    Some(rendered)
}

fn merge(base: &mut Value, overlay: Value) {
    match (base, overlay) {
        (Value::Object(base), Value::Object(overlay)) => {
            for (key, value) in overlay {
                match base.get_mut(&key) {
                    Some(below) => merge(below, value),
                    None => {
                        base.insert(key, value);
                    }
                }
            }
        }
        (base, overlay) => *base = overlay,
    }
}

/// A node as JSON, as `PyYAML` reads it: a plain `yes` is true. Numbers on which readers disagree
/// stay text when JSON cannot hold them.
pub fn to_json(node: &Node) -> Value {
    match &node.value {
        NodeValue::Null => Value::Null,
        NodeValue::Bool(truth) => Value::Bool(*truth),
        NodeValue::Int(number) => Value::from(*number),
        NodeValue::Number(text) => number(text).unwrap_or_else(|| Value::from(text.as_str())),
        NodeValue::Text(text) => match super::scalar::word_as_bool(text) {
            // In quotes it is spelled otherwise than it reads, and a word.
            Some(truth) if node.raw.is_none() => Value::Bool(truth),
            _ => Value::from(text.as_str()),
        },
        NodeValue::List(items) => items.iter().map(to_json).collect(),
        NodeValue::Map(pairs) => pairs
            .iter()
            .map(|(key, node)| (key.text.clone(), to_json(node)))
            .collect(),
    }
}

fn number(text: &str) -> Option<Value> {
    if let Some(number) = super::scalar::integer(text) {
        return Some(Value::from(number));
    }
    let number = text.replace('_', "").parse::<f64>().ok()?;
    serde_json::Number::from_f64(number).map(Value::Number)
}

/// What the state file says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct State {
    /// The active profile.
    #[serde(default)]
    pub current_profile: Option<String>,
    /// When it was made the active one, as written: `2026-02-17T03:26:54.123456+00:00`.
    #[serde(default)]
    pub updated_at: Option<String>,
}

/// `current_profile` of the state file; none when there is no file or it names none.
///
/// # Errors
/// Why it could not be read, as a fragment.
pub fn current(state_file: &Path) -> Result<Option<String>, String> {
    Ok(state(state_file)?.current_profile)
}

/// The state file; empty when there is none.
///
/// # Errors
/// Why it could not be read, as a fragment.
pub fn state(state_file: &Path) -> Result<State, String> {
    let bytes = match read::whole(state_file, LARGEST_STATE) {
        Ok(bytes) => bytes,
        Err(ReadError::Missing) => return Ok(State::default()),
        Err(error) => return Err(error.to_string()),
    };
    serde_json::from_slice(&bytes)
        .map_err(|_| "is not the JSON that `profile set` writes".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mappings_merge_and_everything_else_is_replaced() {
        let mut base = json!({"a": {"x": 1, "y": [1, 2]}, "b": {"z": 1}, "c": 1});
        merge(
            &mut base,
            json!({"a": {"y": [3], "n": true}, "b": null, "c": {"k": 1}}),
        );
        assert_eq!(
            base,
            json!({"a": {"x": 1, "y": [3], "n": true}, "b": null, "c": {"k": 1}})
        );
    }

    #[test]
    fn the_state_file_may_be_absent_but_not_broken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        assert_eq!(current(&path), Ok(None));
        #[expect(clippy::disallowed_methods, reason = "a test prepares its own file")]
        std::fs::write(
            &path,
            r#"{"current_profile": "balanced", "updated_at": "2026-02-17T03:26:54+00:00"}"#,
        )
        .unwrap();
        assert_eq!(current(&path), Ok(Some("balanced".into())));
        #[expect(clippy::disallowed_methods, reason = "a test prepares its own file")]
        std::fs::write(&path, "{").unwrap();
        assert!(current(&path).is_err());
    }
}
