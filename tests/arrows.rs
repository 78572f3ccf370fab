//! The arrows between the modules, as `docs/architecture.md` draws them, over the `crate::` paths.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each module may use. `platform` is below all of them, and nothing uses `cli`.
const ARROWS: &[(&str, &[&str])] = &[
    // The command line also lays out reports, shows the config and plays a stand-in.
    (
        "cli",
        &[
            "bootstrap",
            "config",
            "doctor",
            "integration",
            "login",
            "repair",
            "report",
            "standin",
            "supervisor",
            "sys",
        ],
    ),
    ("doctor", &["gather", "report", "sys"]),
    // A repair is told in the report, as data.
    (
        "repair",
        &[
            "bootstrap",
            "config",
            "doctor",
            "integration",
            "report",
            "supervisor",
            "sys",
        ],
    ),
    // Of the obtaining only what it wrote down.
    (
        "gather",
        &[
            "bootstrap",
            "config",
            "gateway",
            "integration",
            "supervisor",
            "sys",
        ],
    ),
    ("bootstrap", &["config", "gateway", "sys"]),
    ("integration", &["config", "gateway", "sys"]),
    // A login stands on what a look sees, and asks more than a look may.
    (
        "login",
        &["config", "gateway", "gather", "supervisor", "sys"],
    ),
    ("gateway", &["sys"]),
    ("config", &["sys"]),
    ("report", &[]),
    ("standin", &["config", "gateway", "sys"]),
    ("supervisor", &["config", "gateway", "sys"]),
    ("sys", &[]),
    ("platform", &["sys"]),
];

#[test]
fn no_module_uses_what_it_must_not() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> = ARROWS
        .iter()
        .map(|(from, to)| (*from, to.iter().copied().chain(["platform"]).collect()))
        .collect();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut faults = Vec::new();
    for file in rust_files(&source) {
        let below = file.strip_prefix(&source).unwrap();
        let module = below
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs");
        if ["main", "lib"].contains(&module) {
            continue;
        }
        let may_use = allowed
            .get(module)
            .unwrap_or_else(|| panic!("no arrows for {module}"));
        for used in used_modules(&file) {
            if used != module && !may_use.contains(used.as_str()) {
                faults.push(format!("{}: {module} -> {used}", below.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[expect(clippy::disallowed_methods, reason = "a test reads its own sources")]
fn used_modules(file: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(file).unwrap();
    text.split("crate::")
        .skip(1)
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect::<String>()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}
