//! Whoever does not own the runtime dir changes nothing, root included: files of root in it would
//! lock its owner out.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use flowgate_checks::model::Snapshot;

use super::error::RepairError;
use crate::sys::place::Root;
use crate::sys::users::Users;

/// Refuses another user than the owner of the runtime dir; one that is not there will be ours.
///
/// # Errors
/// [`RepairError::NotOwner`].
pub fn check(snapshot: &Snapshot) -> Result<(), RepairError> {
    let shown = &snapshot.paths.runtime_dir;
    if shown.is_empty() {
        return Ok(());
    }
    let path = Root::new(&snapshot.paths.root).resolve(shown);
    check_dir(&path, shown)
}

/// The same for a runtime dir; `shown` is how it is named.
///
/// # Errors
/// [`RepairError::NotOwner`].
pub fn check_dir(path: &Path, shown: &str) -> Result<(), RepairError> {
    let Ok(facts) = std::fs::metadata(path) else {
        return Ok(());
    };
    if facts.uid() == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(RepairError::NotOwner {
        dir: shown.to_owned(),
        owner: Users::load().name(facts.uid()),
    })
}
