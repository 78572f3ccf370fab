//! `doctor/mutes.json` of the runtime dir: of what a person does not want to hear, and until when.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::report::Mute;
use crate::sys::read::{self, ReadError};
use crate::sys::write::{self, Modes, WriteError};

/// Bytes of the file at most.
const LARGEST: u64 = 1 << 20;

/// Version of its form.
const VERSION: u32 = 1;

/// Why the mutes cannot be changed.
#[derive(Debug, Error)]
pub enum MutesError {
    /// The file is there and no list of mutes.
    #[error("failed to read {}: {why}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    v: u32,
    mutes: Vec<Mute>,
}

/// The mutes of a runtime dir that hold at this moment. What cannot be read mutes nothing.
pub fn current(runtime_dir: &Path, now: Timestamp) -> Vec<Mute> {
    let mut mutes = load(&file(runtime_dir)).unwrap_or_default();
    mutes.retain(|mute| mute.until > now);
    mutes
}

/// Adds a mute; one of the same finding and subject is replaced, and those that are over go.
///
/// # Errors
/// [`MutesError`].
pub fn add(runtime_dir: &Path, mute: Mute, now: Timestamp) -> Result<(), MutesError> {
    let path = file(runtime_dir);
    let mut mutes = load(&path)?;
    mutes.retain(|old| old.until > now && !is_same(old, &mute.id, mute.subject.as_deref()));
    mutes.push(mute);
    save(&path, mutes)
}

/// Takes a mute away; false when there is none.
///
/// # Errors
/// [`MutesError`].
pub fn remove(runtime_dir: &Path, id: &str, subject: Option<&str>) -> Result<bool, MutesError> {
    let path = file(runtime_dir);
    let mut mutes = load(&path)?;
    let before = mutes.len();
    mutes.retain(|old| !is_same(old, id, subject));
    if mutes.len() == before {
        return Ok(false);
    }
    save(&path, mutes)?;
    Ok(true)
}

fn is_same(mute: &Mute, id: &str, subject: Option<&str>) -> bool {
    mute.id == id && mute.subject.as_deref() == subject
}

fn file(runtime_dir: &Path) -> PathBuf {
    runtime_dir.join("doctor/mutes.json")
}

fn load(path: &Path) -> Result<Vec<Mute>, MutesError> {
    let fault = |why: String| MutesError::Read {
        path: path.to_owned(),
        why,
    };
    let bytes = match read::whole(path, LARGEST) {
        Ok(bytes) => bytes,
        Err(ReadError::Missing) => return Ok(Vec::new()),
        Err(error) => return Err(fault(error.to_string())),
    };
    let kept: Kept = serde_json::from_slice(&bytes).map_err(|error| fault(error.to_string()))?;
    Ok(kept.mutes)
}

fn save(path: &Path, mutes: Vec<Mute>) -> Result<(), MutesError> {
    let kept = Kept { v: VERSION, mutes };
    let text = serde_json::to_vec_pretty(&kept).unwrap_or_default();
    if let Some(folder) = path.parent() {
        write::create_folder(folder, 0o700)?;
    }
    Ok(write::replace(path, &text, Modes::SECRET, None)?)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_mute_ends_by_itself_or_by_hand() {
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let later = now + SignedDuration::from_hours(1);
        let mute = |subject: Option<&str>| Mute {
            id: "readiness/slow".into(),
            subject: subject.map(str::to_owned),
            until: later,
            reason: "known".into(),
        };
        add(dir.path(), mute(None), now).unwrap();
        add(dir.path(), mute(Some("litellm")), now).unwrap();
        add(dir.path(), mute(None), now).unwrap();
        assert_eq!(current(dir.path(), now).len(), 2);
        assert!(current(dir.path(), later).is_empty());
        assert!(remove(dir.path(), "readiness/slow", None).unwrap());
        assert!(!remove(dir.path(), "readiness/slow", None).unwrap());
        assert_eq!(current(dir.path(), now), [mute(Some("litellm"))]);
    }
}
