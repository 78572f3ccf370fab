//! Profiles: what the active LiteLLM config should be, and which profile is active.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::document::{Node, NodeValue};
use super::schema::FlowgateConfig;
use crate::sys::read::{self, ReadError};

/// The largest state file that is read, in bytes.
const LARGEST_STATE: u64 = 64 << 10;

/// What a profile renders: its overlay over `litellm_base`; none for a profile that is not there.
///
/// Where both sides have a mapping they are merged key by key; in every other case the overlay
/// replaces, lists and nulls included (facts/original.md section 4.2). Keys are sorted, as in the
/// active config. The value holds secrets.
pub fn render(config: &FlowgateConfig, profile: &str) -> Option<Value> {
    let overlay = config.profiles.get(profile)?;
    let mut rendered = config
        .litellm_base
        .as_ref()
        .map_or_else(|| Value::Object(serde_json::Map::new()), to_json);
    merge(&mut rendered, to_json(overlay));
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

/// A node as JSON. Numbers on which readers disagree stay text when JSON cannot hold them.
pub fn to_json(node: &Node) -> Value {
    match &node.value {
        NodeValue::Null => Value::Null,
        NodeValue::Bool(truth) => Value::Bool(*truth),
        NodeValue::Int(number) => Value::from(*number),
        NodeValue::Number(text) => number(text).unwrap_or_else(|| Value::from(text.as_str())),
        NodeValue::Text(text) => Value::from(text.as_str()),
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

#[derive(Deserialize)]
struct State {
    current_profile: Option<String>,
}

/// `current_profile` of the state file; none when there is no file or it names none.
///
/// # Errors
/// Why it could not be read, as a fragment.
pub fn current(state_file: &Path) -> Result<Option<String>, String> {
    let bytes = match read::whole(state_file, LARGEST_STATE) {
        Ok(bytes) => bytes,
        Err(ReadError::Missing) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    match serde_json::from_slice::<State>(&bytes) {
        Ok(state) => Ok(state.current_profile),
        Err(_) => Err("is not the JSON that `profile set` writes".into()),
    }
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
