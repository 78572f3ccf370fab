//! Every check on every scenario: data in, report out, against a truth that was written by hand.
//!
//! A scenario is a folder below `tests/scenarios/`:
//! - `scenario.json`: `{"base": NAME, "patch": …}`, a merge patch (RFC 7386) over
//!   `_base/NAME.json`, or a whole snapshot (a recording);
//! - `truth.json`: `roots` and `effects` exactly, `infos` allowed, `silent` ids absent; the status
//!   of a check where it matters (`checks`), and the severities where they are said.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use flowgate_checks::diagnose::{Diagnosis, diagnose};
use flowgate_checks::model::{Severity, Snapshot};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Truth {
    roots: BTreeSet<String>,
    effects: BTreeSet<String>,
    /// Roots of severity info that may be there.
    #[serde(default)]
    infos: BTreeSet<String>,
    /// Effects that may be there.
    #[serde(default)]
    may_be_effects: BTreeSet<String>,
    /// Ids that must not be there.
    #[serde(default)]
    silent: BTreeSet<String>,
    #[serde(default)]
    severity: BTreeMap<String, Severity>,
    /// Checks that must have an unknown that kept them from a verdict.
    #[serde(default)]
    unknown: BTreeSet<String>,
}

#[test]
fn every_scenario_is_diagnosed_as_its_truth_says() {
    let mut faults = Vec::new();
    let folders = scenario_folders();
    assert!(!folders.is_empty());
    for folder in &folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let snapshot = match load(folder) {
            Ok(snapshot) => snapshot,
            Err(error) => {
                faults.push(format!("{name}: {error}"));
                continue;
            }
        };
        let truth: Truth = serde_json::from_value(read_json(&folder.join("truth.json")))
            .unwrap_or_else(|error| panic!("{name}/truth.json: {error}"));
        for fault in compare(&diagnose(&snapshot), &truth) {
            faults.push(format!("{name}: {fault}"));
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {} scenarios:\n{}",
        faults.len(),
        folders.len(),
        faults.join("\n")
    );
}

fn compare(diagnosis: &Diagnosis, truth: &Truth) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |text: String| faults.push(text);
    let (mut roots, mut effects) = (BTreeSet::new(), BTreeSet::new());
    for finding in &diagnosis.findings {
        let key = finding.key();
        let is_info = finding.severity == Severity::Info;
        if truth.silent.contains(finding.spec.id) {
            fault(format!("{key} is not silent: {}", finding.symptom));
        }
        if let Some(expected) = truth.severity.get(&key)
            && *expected != finding.severity
        {
            fault(format!("{key} is {:?}, not {expected:?}", finding.severity));
        }
        if finding.evidence.is_empty() || finding.evidence.iter().all(|row| row.command.is_none()) {
            fault(format!("{key} has no evidence with a command"));
        }
        if finding.fixes.is_empty() && !is_info {
            fault(format!("{key} has no fix"));
        }
        let is_allowed =
            truth.infos.contains(&key) && is_info || truth.may_be_effects.contains(&key);
        if finding.is_root() && !(is_info && is_allowed) {
            roots.insert(key);
        } else if !finding.is_root() && !is_allowed {
            effects.insert(key);
        }
    }
    if roots != truth.roots {
        fault(format!("roots are {roots:?}, not {:?}", truth.roots));
    }
    if effects != truth.effects {
        fault(format!("effects are {effects:?}, not {:?}", truth.effects));
    }
    let unknown: BTreeSet<String> = diagnosis
        .unknowns
        .iter()
        .filter(|(_, unknown)| !unknown.optional)
        .map(|(check, _)| (*check).to_owned())
        .collect();
    if unknown != truth.unknown {
        fault(format!(
            "unknown are {unknown:?}, not {:?}: {:?}",
            truth.unknown, diagnosis.unknowns
        ));
    }
    faults
}

fn scenario_folders() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(all)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.is_dir() && !path.file_name().unwrap().to_string_lossy().starts_with('_')
        })
        .collect();
    folders.sort();
    folders
}

fn load(folder: &Path) -> Result<Snapshot, String> {
    let scenario = read_json(&folder.join("scenario.json"));
    let whole = match scenario.get("base") {
        Some(base) => {
            let name = base.as_str().ok_or("base is no text")?;
            let mut whole = read_json(&folder.join(format!("../_base/{name}.json")));
            merge(&mut whole, scenario.get("patch").unwrap_or(&Value::Null));
            whole
        }
        None => scenario,
    };
    serde_json::from_value(whole).map_err(|error| format!("scenario.json: {error}"))
}

/// A merge patch: null removes, mappings merge, everything else replaces (RFC 7386).
fn merge(target: &mut Value, patch: &Value) {
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

#[expect(clippy::disallowed_methods, reason = "a test reads its own data")]
fn read_json(path: &Path) -> Value {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
