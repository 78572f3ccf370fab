//! One line more at the end of a file.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use super::target::target_of;
use super::temp::set_mode;
use super::{Modes, WriteError};

/// Adds a line to a file with one write, so that lines of several writers do not mix; makes the
/// file when it is not there.
///
/// # Errors
/// [`WriteError`].
pub fn append_line(path: &Path, line: &str, modes: Modes) -> Result<(), WriteError> {
    let target = target_of(path, modes.folder)?;
    let said = |error: io::Error| WriteError::io(path, &error);
    let is_new = std::fs::metadata(&target).is_err();
    // Without this a FIFO that nobody reads would hang.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(modes.file)
        .custom_flags(flags)
        .open(&target)
        .map_err(said)?;
    if !file.metadata().map_err(said)?.is_file() {
        return Err(WriteError::NotRegular { path: path.into() });
    }
    if is_new {
        set_mode(&file, modes.file).map_err(said)?;
    }
    file.write_all(format!("{line}\n").as_bytes()).map_err(said)
}
