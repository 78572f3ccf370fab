//! A lock on a file in which its holder writes who it is. It goes with its holder, however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::read;
use crate::platform;

/// Nobody writes more of itself, in bytes.
const LONGEST: u64 = 4096;

/// A lock that is held.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes a lock; none when another holds it. `holder` makes what is written, from the pid and the
/// start time of this process. The file is for this user alone; a symlink is refused.
///
/// # Errors
/// As the system says.
pub fn win<H: Serialize>(
    path: &Path,
    holder: impl FnOnce(u32, u64) -> H,
) -> io::Result<Option<Lock>> {
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits() as i32)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let pid = std::process::id();
    let start_time = platform::process_stat(pid).map_or(0, |stat| stat.start_time);
    let text = serde_json::to_vec(&holder(pid, start_time))?;
    file.set_len(0)?;
    file.write_all(&text)?;
    Ok(Some(Lock { _file: file }))
}

/// Who last took a lock, and may hold it; none when nobody wrote it down.
pub fn holder<H: DeserializeOwned>(path: &Path) -> Option<H> {
    let bytes = read::whole(path, LONGEST).ok()?;
    serde_json::from_slice(&bytes).ok()
}
