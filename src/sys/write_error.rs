//! Why a file could not be written, each in one clear sentence.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use thiserror::Error;

/// Why a file could not be written; it is then as it was before.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The system refused.
    #[error("failed to write {}: {why}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why, as a fragment.
        why: String,
    },
    /// Somebody edited it meanwhile.
    #[error("failed to write {}: it was changed meanwhile", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// It is a folder, FIFO, socket or device.
    #[error("failed to write {}: it is not a regular file", path.display())]
    NotRegular {
        /// What is there.
        path: PathBuf,
    },
    /// What should be a folder is none.
    #[error("failed to make the folder {}: something else has that name", path.display())]
    NotFolder {
        /// What is there.
        path: PathBuf,
    },
    /// It is a symlink whose target is missing.
    #[error("failed to write {}: it is a symlink to a missing file", path.display())]
    Dangling {
        /// The symlink.
        path: PathBuf,
    },
    /// A symlink of another user leads there.
    #[error("failed to write {}: {} is a symlink of another user (uid {uid})", path.display(), link.display())]
    ForeignLink {
        /// The file.
        path: PathBuf,
        /// The symlink.
        link: PathBuf,
        /// Its owner.
        uid: u32,
    },
    /// The owner of the old file cannot be given to the new one.
    #[error("failed to write {}: it belongs to uid {uid}, gid {gid}, which could not be kept", path.display())]
    Owner {
        /// The file.
        path: PathBuf,
        /// Its owner.
        uid: u32,
        /// Its group.
        gid: u32,
    },
    /// The disk gave other bytes back.
    #[error("failed to write {}: the disk gave other bytes back", path.display())]
    NotReadBack {
        /// The file.
        path: PathBuf,
    },
}

impl WriteError {
    /// From what the system said of a file.
    pub fn io(path: &Path, error: &io::Error) -> Self {
        Self::Io {
            path: path.into(),
            why: sentence(path, error),
        }
    }
}

/// What the system said, in words that lead to what is to be done.
pub fn sentence(path: &Path, error: &io::Error) -> String {
    let folder = path.parent().unwrap_or(Path::new("/")).display();
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NOSPC) => format!("no space is left on the disk of {folder}"),
        Some(Errno::DQUOT) => format!("the disk quota of this user is used up in {folder}"),
        Some(Errno::ROFS) => format!("the file system of {folder} is read-only"),
        Some(Errno::ACCESS | Errno::PERM) => format!("permission denied in {folder}"),
        Some(Errno::NOTDIR) => format!("a part of {folder} is no folder"),
        Some(Errno::LOOP) => "its symlinks lead in a circle".into(),
        Some(Errno::NAMETOOLONG) => "its name is too long".into(),
        Some(Errno::NXIO) => "it is a FIFO that nobody reads".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_can_mend_is_said_in_words() {
        for (errno, words) in [
            (Errno::NOSPC, "no space is left on the disk of /gw/.router"),
            (Errno::ROFS, "the file system of /gw/.router is read-only"),
            (Errno::ACCESS, "permission denied in /gw/.router"),
            (Errno::PERM, "permission denied in /gw/.router"),
        ] {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            let said = WriteError::io(Path::new("/gw/.router/state.json"), &error).to_string();
            assert_eq!(
                said,
                format!("failed to write /gw/.router/state.json: {words}")
            );
        }
    }
}
