//! Whether the active config is what a profile renders, by its parsed values alone.

use std::collections::{BTreeMap, BTreeSet};

use flowgate_checks::model::Observed;
use serde_json::Value;

use crate::config::document::{Document, Rules};
use crate::config::file::LARGEST;
use crate::config::schema::FlowgateConfig;
use crate::config::{path, profiles};
use crate::sys::read::{self, ReadError};

/// So many differences of one profile are told.
const TOLD: usize = 20;

/// For each profile the entries at which the active config differs; not asked without `litellm_base`,
/// or without an active config that can be parsed.
pub fn differences(config: &FlowgateConfig) -> Observed<BTreeMap<String, Vec<String>>> {
    if config.litellm_base.is_none() || config.profiles.is_empty() {
        return Observed::NotAsked;
    }
    let bytes = match read::whole(&config.paths.active_config, LARGEST) {
        Ok(bytes) => bytes,
        Err(ReadError::Missing) => return Observed::NotAsked,
        Err(error) => return Observed::unknown(error.to_string()),
    };
    let rules = Rules {
        first_document_only: false,
        refuses_tabs: true,
    };
    let Ok(document) = Document::parse_bytes(&bytes, rules) else {
        return Observed::NotAsked;
    };
    let active = profiles::to_json(&document.root);
    let of_profile = |name: &String| {
        let rendered = profiles::render(config, name)?;
        Some((name.clone(), differing(&active, &rendered)))
    };
    Observed::Known(config.profiles.keys().filter_map(of_profile).collect())
}

/// The entries at which two values differ, sorted; never their values.
fn differing(active: &Value, rendered: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(String::new(), active, rendered, &mut found);
    found.truncate(TOLD);
    found
}

fn compare(at: String, active: &Value, rendered: &Value, found: &mut Vec<String>) {
    match (active, rendered) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            // An earlier flowgate put the key in the place of a reference to it.
            let is_resolved = right.contains_key("api_key_ref");
            for key in keys {
                if is_resolved && matches!(key.as_str(), "api_key" | "api_key_ref") {
                    continue;
                }
                let below = path::key(&at, key);
                match (left.get(key), right.get(key)) {
                    (Some(left), Some(right)) => compare(below, left, right, found),
                    _ => found.push(below),
                }
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            for index in 0..left.len().max(right.len()) {
                let below = path::index(&at, index);
                match (left.get(index), right.get(index)) {
                    (Some(left), Some(right)) => compare(below, left, right, found),
                    _ => found.push(below),
                }
            }
        }
        (left, right) if is_same(left, right) => {}
        _ => found.push(at),
    }
}

/// Whether two scalars are one value to the readers of either file. The earlier flowgate read the
/// words for yes and no as YAML 1.1 does, and wrote them as `true` and `false`.
fn is_same(left: &Value, right: &Value) -> bool {
    let truth = |value: &Value| match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "yes" | "on" | "true" => Some(true),
            "no" | "off" | "false" => Some(false),
            _ => None,
        },
        _ => None,
    };
    if left == right {
        return true;
    }
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Bool(_), _) | (_, Value::Bool(_)) => {
            truth(left).is_some() && truth(left) == truth(right)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_values_count_and_never_their_spelling() {
        let rendered = json!({"a": {"x": 1, "y": true}, "l": [1, {"k": "v"}], "n": null});
        let active = json!({"n": null, "l": [1.0, {"k": "v"}], "a": {"y": "yes", "x": 1}});
        assert_eq!(differing(&active, &rendered), Vec::<String>::new());
        let reference = json!({"api_key_ref": "proxy", "model": "m"});
        let resolved = json!({"api_key": "lab-upstream-0001", "model": "m"});
        assert_eq!(differing(&resolved, &reference), Vec::<String>::new());
        let active = json!({"a": {"x": 2, "z": 1}, "l": [1], "n": {}});
        assert_eq!(
            differing(&active, &rendered),
            ["a.x", "a.y", "a.z", "l[1]", "n"]
        );
    }

    proptest! {
        #[test]
        fn a_value_differs_from_itself_nowhere(keys in prop::collection::vec("[a-z.\\[]{0,4}", 0..6)) {
            let map: serde_json::Map<String, Value> = keys
                .iter()
                .enumerate()
                .map(|(number, key)| (key.clone(), json!([number, {key.clone(): null}])))
                .collect();
            let value = Value::Object(map);
            prop_assert_eq!(differing(&value, &value), Vec::<String>::new());
        }
    }
}
