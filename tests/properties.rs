//! What holds for every scenario: the same snapshot gives the same bytes whatever the order in
//! which it was gathered, every document is what the schema says, and every printed command can
//! be parsed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::LazyLock;
use std::time::Duration;

use clap::Parser;
use flowgate::doctor::report_on;
use flowgate::report::json_v1::Document;
use flowgate::report::{FailOn, Selection};
use flowgate_checks::model::Snapshot;
use proptest::prelude::*;
use serde_json::{Map, Value};

#[path = "support/scenario.rs"]
mod scenario;

static SCENARIOS: LazyLock<Vec<(String, Value)>> = LazyLock::new(|| {
    scenario::folders()
        .iter()
        .map(|folder| (scenario::name(folder), scenario::whole(folder)))
        .collect()
});

/// Lists whose order says nothing: whoever gathers may bring them in any.
const SETS: [&str; 8] = [
    "pids",
    "inodes",
    "siblings",
    "missing",
    "apiKeyProviders",
    "authDirs",
    "authFiles",
    "names",
];

fn document(value: Value) -> Value {
    let snapshot: Snapshot = serde_json::from_value(value).unwrap();
    let report = report_on(
        &snapshot,
        Selection::default(),
        FailOn::Error,
        Vec::new(),
        Duration::ZERO,
    );
    let mut document = serde_json::to_value(Document::from(&report)).unwrap();
    document["runId"] = Value::Null;
    document
}

/// The value with its mappings and sets in another order.
fn shuffled(value: &Value, name: &str, random: &mut impl FnMut() -> u32) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<(String, Value)> = map
                .iter()
                .map(|(key, item)| (key.clone(), shuffled(item, key, random)))
                .collect();
            pairs.sort_by_cached_key(|_| random());
            Value::Object(pairs.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items
                .iter()
                .map(|item| shuffled(item, "", random))
                .collect();
            if SETS.contains(&name) {
                items.sort_by_cached_key(|_| random());
            }
            Value::Array(items)
        }
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_in_which_things_were_seen_changes_nothing(which in any::<prop::sample::Index>(), seed in 1u32..) {
        let (name, whole) = which.get(&SCENARIOS);
        let mut state = seed;
        // Xorshift: enough to put a list into another order, and the same for the same seed.
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state
        };
        let other = shuffled(whole, "", &mut random);
        prop_assert_eq!(document(whole.clone()), document(other), "{}", name);
    }
}

#[test]
fn every_document_is_what_the_schema_says() {
    let schema = serde_json::from_str(include_str!("../docs/schema/report.v1.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for (name, whole) in SCENARIOS.iter() {
        let document = document(whole.clone());
        let faults: Vec<String> = schema
            .iter_errors(&document)
            .map(|error| error.to_string())
            .collect();
        assert!(faults.is_empty(), "{name}: {faults:?}");
    }
}

#[test]
fn a_snapshot_survives_its_bundle() {
    let schema = serde_json::from_str(include_str!("../docs/schema/snapshot.v1.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for (name, whole) in SCENARIOS.iter() {
        let snapshot: Snapshot = serde_json::from_value(whole.clone()).unwrap();
        let written = serde_json::to_value(&snapshot).unwrap();
        let faults: Vec<String> = schema
            .iter_errors(&written)
            .map(|error| error.to_string())
            .collect();
        assert!(faults.is_empty(), "{name}: {faults:?}");
        let read: Snapshot = serde_json::from_value(written).unwrap();
        assert_eq!(snapshot, read, "{name}");
    }
}

/// Every command of every report, as a shell reads it. Nothing is run.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test asks the shell to parse")]
fn every_printed_command_can_be_pasted() {
    let mut commands = std::collections::BTreeSet::new();
    for (_, whole) in SCENARIOS.iter() {
        let document = document(whole.clone());
        for finding in document["findings"].as_array().unwrap() {
            let fixes = finding["fixes"].as_array().unwrap();
            let of_fixes = fixes
                .iter()
                .flat_map(|fix| fix["commands"].as_array().unwrap());
            let of_evidence = finding["evidence"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|row| row.get("command"));
            let texts = of_fixes.chain(of_evidence).filter_map(Value::as_str);
            commands.extend(texts.map(str::to_owned));
        }
    }
    assert!(commands.len() > 100);
    let script: String = commands
        .iter()
        .map(|command| format!("{command}\n"))
        .collect();
    let output = std::process::Command::new("sh")
        .args(["-n", "-c", &script])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for command in &commands {
        assert!(!command.contains('\n'), "{command}");
        if command.starts_with("flowgate ") {
            let words = command.split(' ').map(|word| word.trim_matches('\''));
            let parsed = flowgate::cli::Cli::try_parse_from(words);
            assert!(parsed.is_ok(), "{command}: {}", parsed.unwrap_err());
        }
    }
}
