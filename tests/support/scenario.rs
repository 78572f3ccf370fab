//! Scenarios as data: a base with a merge patch, or a whole snapshot.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folders below `tests/scenarios/`, those that begin with `_` left out.
pub fn folders() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(all)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() && !name(path).starts_with('_'))
        .collect();
    folders.sort();
    folders
}

/// The name of a scenario.
pub fn name(folder: &Path) -> String {
    folder.file_name().unwrap().to_string_lossy().into_owned()
}

/// The snapshot of a scenario as JSON.
pub fn whole(folder: &Path) -> Value {
    let scenario = read_json(&folder.join("scenario.json"));
    match scenario.get("base").and_then(Value::as_str) {
        Some(base) => {
            let mut whole = read_json(&folder.join(format!("../_base/{base}.json")));
            merge(&mut whole, scenario.get("patch").unwrap_or(&Value::Null));
            whole
        }
        None => scenario,
    }
}

/// A merge patch: null removes, mappings merge, everything else replaces (RFC 7386).
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        if !patch.is_null() {
            *target = patch.clone();
        }
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Some(map) = target.as_object_mut() else {
        return;
    };
    for (key, change) in changes {
        if change.is_null() {
            map.remove(key);
        } else {
            merge(map.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

/// A JSON file of the tests.
#[expect(clippy::disallowed_methods, reason = "a test reads its own data")]
pub fn read_json(path: &Path) -> Value {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
