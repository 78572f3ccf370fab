//! One repair at a time: who holds the lock may change things.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::RepairError;
use super::place::Place;
use crate::sys::lock;
use crate::sys::write_error::sentence;

pub use crate::sys::lock::Lock;

/// Who repairs, as it wrote down itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// Its pid.
    pub pid: u32,
    /// Its start time.
    pub start_time: u64,
    /// Since when.
    pub since: Timestamp,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "another doctor (pid {}, since {})", self.pid, self.since)
    }
}

/// Takes the lock.
///
/// # Errors
/// [`RepairError::Locked`] when another doctor holds it; [`RepairError::Journal`] when its file
/// cannot be written.
pub fn win(place: &Place) -> Result<Lock, RepairError> {
    let path = place.lock();
    let won = lock::win(&path, |pid, start_time| Holder {
        pid,
        start_time,
        since: Timestamp::now(),
    });
    match won {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => Err(RepairError::Locked {
            holder: lock::holder(&path).unwrap_or(Holder {
                pid: 0,
                start_time: 0,
                since: Timestamp::now(),
            }),
        }),
        Err(error) => Err(RepairError::Journal(format!(
            "{}: {}",
            path.display(),
            sentence(&path, &error)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_is_first() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::below(&dir.path().join("runtime"));
        place.make().unwrap();
        let first = win(&place).unwrap();
        let RepairError::Locked { holder } = win(&place).unwrap_err() else {
            panic!("the lock was won twice");
        };
        assert_eq!(holder.pid, std::process::id());
        drop(first);
        assert!(win(&place).is_ok());
    }
}
