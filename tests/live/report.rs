//! Every JSON that a test sees is validated against the committed schema.

use std::sync::LazyLock;

use serde_json::Value;

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../../docs/schema/report.v1.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
});

/// Panics with every fault when a document is not what the schema says.
pub fn validate(document: &Value) {
    let faults: Vec<String> = SCHEMA
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{}\n{document:#}", faults.join("\n"));
}
