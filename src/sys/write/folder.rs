//! Folders: made with their mode, and on the disk.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::WriteError;
use super::temp::set_mode;
use crate::sys::write_error::sentence;

/// Makes a folder and those above it, with a mode that no umask trims; one that is there keeps
/// its own.
///
/// # Errors
/// [`WriteError`].
pub fn create_folder(path: &Path, mode: u32) -> Result<(), WriteError> {
    match std::fs::metadata(path) {
        Ok(there) if there.is_dir() => return Ok(()),
        Ok(_) => return Err(WriteError::NotFolder { path: path.into() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(WriteError::io(path, &error)),
    }
    if let Some(above) = path.parent() {
        create_folder(above, mode)?;
    }
    let said = |error: io::Error| WriteError::io(path, &error);
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => {}
        // Made by somebody else a moment ago; a dangling symlink comes here too.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return match std::fs::metadata(path) {
                Ok(there) if there.is_dir() => Ok(()),
                _ => Err(WriteError::NotFolder { path: path.into() }),
            };
        }
        Err(error) => return Err(said(error)),
    }
    let flags = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits() as i32;
    let made = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(said)?;
    set_mode(&made, mode).map_err(said)
}

/// Without this a crash could bring the old name back.
pub(super) fn sync(target: &Path) -> Result<(), WriteError> {
    let folder = target.parent().unwrap_or(Path::new("/"));
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // A folder that may be written and not read cannot be opened; some file systems know no
        // `fsync` of a folder. The file itself is whole either way.
        Err(error)
            if error.kind() != io::ErrorKind::PermissionDenied
                && error.raw_os_error() != Some(rustix::io::Errno::INVAL.raw_os_error()) =>
        {
            Err(WriteError::Io {
                path: target.into(),
                why: sentence(target, &error),
            })
        }
        _ => Ok(()),
    }
}
