//! The committed schemas are those of the types. Run with `FLOWGATE_UPDATE_SCHEMA=1` to write them anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

#[path = "support/committed.rs"]
mod committed;

#[test]
fn the_committed_schemas_are_fresh() {
    for (name, schema) in [
        ("report.v1.json", flowgate::doctor::schema::report()),
        ("snapshot.v1.json", flowgate::doctor::schema::snapshot()),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("docs/schema")
            .join(name);
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        committed::compare(&path, &text, "FLOWGATE_UPDATE_SCHEMA");
    }
}
