//! Files that are made from the sources and committed.

use std::path::Path;

/// Compares a committed file with what it should hold; a variable that is set writes it anew.
#[expect(
    clippy::disallowed_methods,
    reason = "a test reads and, when asked, writes the committed file"
)]
pub fn compare(path: &Path, text: &str, variable: &str) {
    if std::env::var_os(variable).is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == text,
        "{} is stale: set {variable}=1 and run this test again",
        path.display()
    );
}
