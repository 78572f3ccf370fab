//! Where the bytes of a path go: through symlinks of this user and of root alone.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::WriteError;
use super::folder::create_folder;

/// Where the bytes of a path really go: a symlink is followed, so that it stays one.
pub(super) fn target_of(path: &Path, folder_mode: u32) -> Result<PathBuf, WriteError> {
    refuse_foreign_links(path)?;
    match path.canonicalize() {
        Ok(target) => Ok(target),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if std::fs::symlink_metadata(path).is_ok() {
                return Err(WriteError::Dangling { path: path.into() });
            }
            in_folder(path, folder_mode)
        }
        Err(error) => Err(WriteError::io(path, &error)),
    }
}

/// The place of a new file in its folder, which is made when it is not there.
pub(super) fn in_folder(path: &Path, folder_mode: u32) -> Result<PathBuf, WriteError> {
    refuse_foreign_links(path)?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(WriteError::NotRegular { path: path.into() });
    };
    create_folder(folder, folder_mode)?;
    let folder = folder
        .canonicalize()
        .map_err(|error| WriteError::io(path, &error))?;
    Ok(folder.join(name))
}

/// A symlink on the way that somebody else made leads where that one wants.
pub(super) fn refuse_foreign_links(path: &Path) -> Result<(), WriteError> {
    let me = rustix::process::geteuid().as_raw();
    for step in path.ancestors() {
        let Ok(there) = std::fs::symlink_metadata(step) else {
            continue;
        };
        if there.is_symlink() && ![me, 0].contains(&there.uid()) {
            return Err(WriteError::ForeignLink {
                path: path.into(),
                link: step.into(),
                uid: there.uid(),
            });
        }
    }
    Ok(())
}
