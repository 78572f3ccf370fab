//! One fix that is asked for by its name, and what is left afterwards.

use std::path::Path;

use serde_json::Value;

use crate::gateway::{Gateway, roots};
use crate::process::read;

/// Applies a fix, which must be offered for that root and be kept; gives the report afterwards.
pub fn apply(gateway: &Gateway, root: &str, choice: &str) -> Value {
    let before = gateway.doctor(&[]);
    assert!(
        roots(&before).contains(&root.to_owned()),
        "{root} is not among {:?}",
        roots(&before)
    );
    let document = gateway.doctor(&[&format!("--fix={choice}"), "--yes"]);
    let run = run_of(&document, root);
    assert_eq!(run["state"], "kept", "{:#}", document["repair"]);
    assert!(
        !roots(&document).contains(&root.to_owned()),
        "{root} is still there: {document:#}"
    );
    document
}

/// The run of a root, the first one.
pub fn run_of<'a>(document: &'a Value, root: &str) -> &'a Value {
    document["repair"]["rounds"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|round| round["runs"].as_array().unwrap())
        .find(|run| run["root"] == root)
        .unwrap_or_else(|| panic!("no run of {root}: {:#}", document["repair"]))
}

/// Takes the last repair back.
pub fn undo(gateway: &Gateway) {
    let said = gateway.flowgate(&["doctor", "undo"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
}

/// A file of the gateway as text.
pub fn text(gateway: &Gateway, below: &str) -> String {
    read(&gateway.path(below))
}

/// The permission bits of a file of the gateway.
pub fn mode(gateway: &Gateway, below: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    let facts = std::fs::metadata(gateway.path(below)).unwrap();
    facts.permissions().mode() & 0o7777
}

/// Whether the environment of a process has a variable.
pub fn has_variable(pid: u32, name: &str) -> bool {
    read(Path::new(&format!("/proc/{pid}/environ")))
        .split('\0')
        .any(|pair| pair.split('=').next() == Some(name))
}
