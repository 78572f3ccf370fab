//! A file that is not there yet, and one that goes.

use std::io;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags};

use super::folder::sync;
use super::target::in_folder;
use super::temp::{Lasting, Temp};
use super::{Created, Modes, WriteError};
use crate::sys::read;

/// Makes a secret, mode 0600, in a folder of mode 0700 when that is made too.
///
/// # Errors
/// [`WriteError`]; nothing is left behind.
pub fn create_new_secret(path: &Path, bytes: &[u8]) -> Result<Created, WriteError> {
    create(path, bytes, Modes::SECRET)
}

/// Makes a file, whole from its first moment on. Whatever is there already, a dangling symlink
/// too, is left alone.
///
/// # Errors
/// [`WriteError`]; nothing is left behind.
pub fn create(path: &Path, bytes: &[u8], modes: Modes) -> Result<Created, WriteError> {
    if std::fs::symlink_metadata(path).is_ok() {
        return Ok(Created::Kept);
    }
    let target = in_folder(path, modes.folder)?;
    let mut temp = Temp::write(&target, bytes, modes.file, None, Lasting::Now)?;
    match put_new(&temp.path, &target) {
        Ok(()) => {
            temp.is_gone = std::fs::symlink_metadata(&temp.path).is_err();
            sync(&target)?;
            Ok(Created::Written)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Created::Kept),
        Err(error) => Err(WriteError::io(path, &error)),
    }
}

/// Gives a file its name, unless that is taken. Some file systems know the one way, some the other.
fn put_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => std::fs::hard_link(from, to),
        other => Ok(other?),
    }
}

/// Removes a file that holds exactly these bytes.
///
/// # Errors
/// [`WriteError::Changed`] when it holds others; the file is then as it was.
pub fn remove(path: &Path, expected: &[u8]) -> Result<(), WriteError> {
    let now = read::whole(path, expected.len() as u64);
    if !now.is_ok_and(|now| now == expected) {
        return Err(WriteError::Changed { path: path.into() });
    }
    std::fs::remove_file(path).map_err(|error| WriteError::io(path, &error))?;
    sync(path)
}
