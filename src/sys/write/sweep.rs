//! What writers that were killed left behind.

use std::fs::OpenOptions;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, flock};

use super::temp::TEMP;

/// No writer takes so long from making its file to locking it.
pub(super) const YOUNG: Duration = Duration::from_millis(200);

/// Most entries of a folder that are looked at.
const MOST_ENTRIES: usize = 20_000;

/// Removes what writers that were killed left in a folder: temporary files of this user that nobody
/// holds any more. They may hold secrets.
pub fn sweep(folder: &Path) {
    let me = rustix::process::geteuid().as_raw();
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    for entry in entries.take(MOST_ENTRIES).flatten() {
        let name = entry.file_name();
        let is_temp = name
            .to_str()
            .is_some_and(|name| name.starts_with(TEMP.0) && name.ends_with(TEMP.1));
        if !is_temp || !is_abandoned(&entry.path(), me) {
            continue;
        }
        // Whoever was faster did the same.
        let _ = std::fs::remove_file(entry.path());
    }
}

fn is_abandoned(path: &Path, me: u32) -> bool {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let Ok((file, facts)) = opened.and_then(|file| {
        let facts = file.metadata()?;
        Ok((file, facts))
    }) else {
        return false;
    };
    let is_old = facts
        .modified()
        .ok()
        .and_then(|at| at.elapsed().ok())
        .is_some_and(|age| age > YOUNG);
    facts.is_file()
        && facts.uid() == me
        && is_old
        && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
}
