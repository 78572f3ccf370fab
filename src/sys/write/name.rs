//! Names that are put in the place of others: of programs and environments.

use std::io;
use std::path::Path;

use super::folder::sync;
use super::target::{in_folder, refuse_foreign_links};
use super::temp::beside;
use super::{Modes, WriteError};

/// Puts one name in the place of another, in one folder or beside it: both are on one file system.
///
/// # Errors
/// [`WriteError`]; both are then as they were.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the file writer: names of programs and environments are changed here"
)]
pub fn rename(from: &Path, to: &Path) -> Result<(), WriteError> {
    refuse_foreign_links(to)?;
    std::fs::rename(from, to).map_err(|error| WriteError::io(to, &error))?;
    sync(to)
}

/// Lets a link lead somewhere, from one moment to the next; what is there and is no link stays.
///
/// # Errors
/// [`WriteError`]; it is then as it was.
pub fn point(link: &Path, target: &Path) -> Result<(), WriteError> {
    let link = in_folder(link, Modes::PLAIN.folder)?;
    if std::fs::symlink_metadata(&link).is_ok_and(|there| there.is_dir()) {
        return Err(WriteError::NotRegular { path: link });
    }
    let said = |error: io::Error| WriteError::io(&link, &error);
    let path = beside(&link).map_err(said)?;
    std::os::unix::fs::symlink(target, &path).map_err(said)?;
    rename(&path, &link).inspect_err(|_| {
        // It goes the next time that somebody cleans up.
        let _ = std::fs::remove_file(&path);
    })
}
