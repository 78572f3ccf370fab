//! `supervisor/supervisor.log`: what the supervisor itself had to say.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;

use super::places::{PlaceError, Places};

/// A log that is longer is begun anew; little is ever said.
const LONGEST: u64 = 64 * 1024;

/// Opens the log for appending.
///
/// # Errors
/// [`PlaceError::Write`], when it cannot be made.
pub fn open(places: &Places) -> Result<File, PlaceError> {
    let path = places.supervisor_log();
    let is_long = path.metadata().is_ok_and(|facts| facts.len() > LONGEST);
    let opened = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32)
        .open(&path)
        .and_then(|file| {
            if is_long {
                file.set_len(0)?;
            }
            Ok(file)
        });
    opened.map_err(|error| PlaceError::Write { path, error })
}
