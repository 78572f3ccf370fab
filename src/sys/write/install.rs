//! Programs put in their place, and the names that lead to them.

use std::io;
use std::path::Path;

use super::folder::sync;
use super::replace::Prepared;
use super::target::{in_folder, refuse_foreign_links};
use super::temp::{Lasting, Temp, beside};
use super::{Modes, WriteError};

/// Puts a program in its place with its mode, whatever is there: a symlink gives way itself, and the
/// file that it leads to stays as it is. A program that runs meanwhile goes on with its old file.
///
/// # Errors
/// [`WriteError`]; what was there is then as it was.
pub fn install(path: &Path, bytes: &[u8], mode: u32) -> Result<(), WriteError> {
    let target = in_folder(path, Modes::PLAIN.folder)?;
    if std::fs::symlink_metadata(&target).is_ok_and(|there| there.is_dir()) {
        return Err(WriteError::NotRegular { path: path.into() });
    }
    Prepared {
        temp: Temp::write(&target, bytes, mode, None, Lasting::Now)?,
        target,
        expected: None,
    }
    .commit()
}

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
