//! The committed schemas are those of the types. Run with `FLOWGATE_UPDATE_SCHEMA=1` to write them anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

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
        compare(&path, &text);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test reads and, when asked, writes the committed schema"
)]
fn compare(path: &Path, text: &str) {
    if std::env::var_os("FLOWGATE_UPDATE_SCHEMA").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == text,
        "{} is stale: FLOWGATE_UPDATE_SCHEMA=1 cargo test --test schema",
        path.display()
    );
}
