//! Who holds the lock is the supervisor.

use serde::{Deserialize, Serialize};

use super::places::{PlaceError, Places};
use crate::sys::lock;

pub use crate::sys::lock::Lock;

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

/// Takes the lock of a runtime dir; none when another supervisor holds it.
///
/// # Errors
/// [`PlaceError`], when the lock file cannot be written.
pub fn win(places: &Places) -> Result<Option<Lock>, PlaceError> {
    let path = places.lock();
    let won = lock::win(&path, |pid, start_time| Holder {
        pid,
        start_time,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    });
    won.map_err(|error| PlaceError::Write { path, error })
}

/// Who last took the lock, and may hold it; none when nobody wrote it down.
pub fn holder(places: &Places) -> Option<Holder> {
    lock::holder(&places.lock())
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
