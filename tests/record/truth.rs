//! The truth of a recording in the words of the scenario harness.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cases::Case;
use crate::read_text;
use crate::recording::Which;

/// What stands beside the recordings.
#[derive(Deserialize)]
pub struct Truth {
    roots: Vec<String>,
    effects: Vec<String>,
    #[serde(default)]
    infos: Vec<String>,
    silent: Vec<String>,
    severity: BTreeMap<String, String>,
}

/// The truth of every recording, by its folder.
pub fn read_all(path: &Path) -> BTreeMap<String, Truth> {
    serde_json::from_str(&read_text(path)).unwrap()
}

/// The truth of one scenario; what only the notes beside the truth tell comes with the case.
pub fn of(case: &Case, truth: &Truth) -> Value {
    // The truth of a recording with two moments speaks of the first; later all is well.
    let has_passed = case.moment == Which::Last && !case.suffix.is_empty();
    let infos: &[String] = if has_passed { &[] } else { &truth.infos };
    json!({
        "roots": truth.roots,
        "effects": truth.effects,
        "infos": infos,
        "may_be_effects": case.may_be_effects,
        "silent": truth.silent,
        "severity": truth.severity,
        "unknown": case.unknown,
    })
}
