//! The documents of this repository.

use std::path::{Path, PathBuf};

/// One document.
pub struct Page {
    /// Where it is.
    pub path: PathBuf,
    /// Its Markdown.
    pub text: String,
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Markdown file at the root, in `docs/` and in `checks/`.
#[expect(clippy::disallowed_methods, reason = "a test reads the documents")]
pub fn all() -> Vec<Page> {
    let mut pages = Vec::new();
    for folder in [
        root().to_path_buf(),
        root().join("docs"),
        root().join("checks"),
    ] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "md") {
                let text = std::fs::read_to_string(&path).unwrap();
                pages.push(Page { path, text });
            }
        }
    }
    assert!(pages.len() > 10);
    pages
}
