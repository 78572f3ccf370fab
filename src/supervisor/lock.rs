//! Who holds the lock is the supervisor.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use serde::{Deserialize, Serialize};

use super::places::{PlaceError, Places};
use crate::platform;
use crate::sys::read;

/// The lock of a runtime dir; it goes with its holder, however that ends.
pub struct Lock {
    _file: File,
}

/// Who holds a lock, as it wrote down itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// Its pid.
    pub pid: u32,
    /// Its start time.
    pub start_time: u64,
    /// Version of the flowgate that it is.
    pub version: String,
}

/// Takes the lock; none when another supervisor holds it.
///
/// # Errors
/// [`PlaceError`], when the lock file cannot be written.
pub fn win(places: &Places) -> Result<Option<Lock>, PlaceError> {
    let path = places.lock();
    let fault = |error: io::Error| PlaceError::Write {
        path: path.clone(),
        error,
    };
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(fault)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(fault(error)),
    }
    let pid = std::process::id();
    let holder = Holder {
        pid,
        start_time: platform::process_stat(pid).map_or(0, |stat| stat.start_time),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let text = serde_json::to_vec(&holder).map_err(|error| fault(error.into()))?;
    file.set_len(0)
        .and_then(|()| file.write_all(&text))
        .map_err(fault)?;
    Ok(Some(Lock { _file: file }))
}

/// Who last took the lock, and may hold it; none when nobody wrote it down.
pub fn holder(places: &Places) -> Option<Holder> {
    let bytes = read::whole(&places.lock(), 4096).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_wins_and_the_next_when_it_has_gone() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::new(&dir.path().join("runtime"));
        places.make().unwrap();
        let first = win(&places).unwrap().unwrap();
        assert!(win(&places).unwrap().is_none());
        assert_eq!(holder(&places).unwrap().pid, std::process::id());
        drop(first);
        assert!(win(&places).unwrap().is_some());
    }
}
