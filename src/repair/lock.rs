//! One repair at a time: who holds the lock may change things.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;

use jiff::Timestamp;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::error::RepairError;
use super::place::Place;
use crate::platform;
use crate::sys::write_error::sentence;

/// The right to change things; it goes with its holder, however that ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

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

impl Lock {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`RepairError::Locked`] when another doctor holds it; [`RepairError::Journal`] when its file
    /// cannot be written.
    pub fn win(place: &Place) -> Result<Self, RepairError> {
        let path = place.lock();
        let fault = |error: &io::Error| {
            RepairError::Journal(format!("{}: {}", path.display(), sentence(&path, error)))
        };
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits() as i32)
            .open(&path)
            .map_err(|error| fault(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = read(&mut file).unwrap_or(Holder {
                    pid: 0,
                    start_time: 0,
                    since: Timestamp::now(),
                });
                return Err(RepairError::Locked { holder });
            }
            Err(TryLockError::Error(error)) => return Err(fault(&error)),
        }
        let pid = std::process::id();
        let holder = Holder {
            pid,
            start_time: platform::process_stat(pid).map_or(0, |stat| stat.start_time),
            since: Timestamp::now(),
        };
        let text = serde_json::to_vec(&holder).map_err(|error| fault(&error.into()))?;
        file.set_len(0)
            .and_then(|()| file.write_all(&text))
            .map_err(|error| fault(&error))?;
        Ok(Self { _file: file })
    }
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_is_first() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::below(&dir.path().join("runtime"));
        place.make().unwrap();
        let first = Lock::win(&place).unwrap();
        let RepairError::Locked { holder } = Lock::win(&place).unwrap_err() else {
            panic!("the lock was won twice");
        };
        assert_eq!(holder.pid, std::process::id());
        drop(first);
        assert!(Lock::win(&place).is_ok());
    }
}
