//! A text that lies beside its target, whole, until it gets its name.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::WriteError;
use crate::sys::hex::hex;
use crate::sys::read;

/// Whether a text must be on the disk before anything else happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasting {
    Now,
    Soon,
}

/// A temporary file; it goes when this is dropped, unless it got its name.
#[derive(Debug)]
pub(super) struct Temp {
    pub(super) path: PathBuf,
    pub(super) is_gone: bool,
    /// Held under a lock, so that [`super::sweep`] knows the file of a writer that lives.
    _held: File,
}

/// How the name of a temporary file begins and ends.
pub(super) const TEMP: (&str, &str) = (".flowgate-", ".tmp");

impl Temp {
    /// Writes a text beside its target and reads it back. It is closed to others until it is whole.
    pub(super) fn write(
        target: &Path,
        bytes: &[u8],
        mode: u32,
        owner: Option<(u32, u32)>,
        lasting: Lasting,
    ) -> Result<Self, WriteError> {
        let said = |error: io::Error| WriteError::io(target, &error);
        let path = beside(target).map_err(said)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(said)?;
        // Where the file system knows no locks nothing is swept either.
        let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
        let temp = Self {
            path,
            is_gone: false,
            _held: file.try_clone().map_err(said)?,
        };
        file.write_all(bytes).map_err(said)?;
        if let Some((uid, gid)) = owner {
            keep_owner(&file, uid, gid).map_err(|_| WriteError::Owner {
                path: target.into(),
                uid,
                gid,
            })?;
        }
        // After the owner: a change of owner takes bits away.
        set_mode(&file, mode).map_err(said)?;
        if lasting == Lasting::Now {
            file.sync_all().map_err(said)?;
        }
        let again = read::whole(&temp.path, bytes.len() as u64);
        if again.as_deref().is_ok_and(|again| again == bytes) || mode & 0o400 == 0 {
            return Ok(temp);
        }
        Err(WriteError::NotReadBack {
            path: target.into(),
        })
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.is_gone {
            // It may be gone with its folder; there is nothing else to be done about it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

pub(super) fn beside(target: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let ending = hex(&random);
    // A name of its own, not one made of the target's: that may be as long as names can be.
    Ok(target.with_file_name(format!("{}{ending}{}", TEMP.0, TEMP.1)))
}

fn keep_owner(file: &File, uid: u32, gid: u32) -> io::Result<()> {
    let now = file.metadata()?;
    if (now.uid(), now.gid()) == (uid, gid) {
        return Ok(());
    }
    fchown(file, Some(uid), Some(gid))
}

pub(super) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(mode))
}
