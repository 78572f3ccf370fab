//! Every file of a gateway: its kind, mode, owner and content. What a repair may not change.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::process::set_mode;

/// One file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    mode: u32,
    owner: (u32, u32),
    content: Vec<u8>,
}

/// Every file below a folder by its path. Left out is what lives: logs, journals of stand-ins, the
/// records of a supervisor that runs, and the folder of the doctor.
pub fn state(folder: &Path) -> BTreeMap<PathBuf, Entry> {
    let mut seen = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(path) = open.pop() {
        let below = path.strip_prefix(folder).unwrap().to_owned();
        let text = below.display().to_string();
        let lives = text.starts_with(".router/runtime/doctor")
            || text.starts_with(".router/runtime/supervisor")
            || text.starts_with(".router/runtime/process-logs")
            || text.starts_with(".router/runtime/pids")
            || text.ends_with(".journal")
            || text.ends_with(".log");
        if lives {
            continue;
        }
        let facts = std::fs::symlink_metadata(&path).unwrap();
        let content = if facts.is_dir() {
            open.extend(unlocked(&path, facts.mode(), || entries(&path)));
            Vec::new()
        } else if facts.is_symlink() {
            let target = std::fs::read_link(&path).unwrap();
            target.display().to_string().into_bytes()
        } else {
            unlocked(&path, facts.mode(), || bytes(&path))
        };
        let entry = Entry {
            mode: facts.mode(),
            owner: (facts.uid(), facts.gid()),
            content,
        };
        seen.insert(below, entry);
    }
    seen
}

/// The paths at which two states differ.
pub fn differences(
    before: &BTreeMap<PathBuf, Entry>,
    after: &BTreeMap<PathBuf, Entry>,
) -> Vec<String> {
    let mut paths: Vec<&PathBuf> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    paths
        .into_iter()
        .filter(|path| before.get(*path) != after.get(*path))
        .map(|path| path.display().to_string())
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "a test reads its own files")]
fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    std::fs::read(path)
}

fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect()
}

/// Reads what its owner has locked away from himself; the mode is as before afterwards.
fn unlocked<T>(path: &Path, mode: u32, read: impl Fn() -> std::io::Result<T>) -> T {
    let is_open = mode & 0o500 == 0o500 || mode & 0o040_400 == 0o400;
    if is_open || rustix::process::geteuid().is_root() {
        return read().unwrap();
    }
    set_mode(path, mode & 0o7777 | 0o700);
    let found = read();
    set_mode(path, mode & 0o7777);
    found.unwrap()
}
