//! Bounded reads of regular files.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use thiserror::Error;

/// Why a file could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It is not there.
    #[error("no such file")]
    Missing,
    /// The right is missing.
    #[error("permission denied")]
    Denied,
    /// It is a directory.
    #[error("is a directory")]
    Directory,
    /// It is a FIFO, socket or device; reading one could hang or never end.
    #[error("is not a regular file")]
    NotRegular,
    /// It is larger than flowgate reads.
    #[error("is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Anything else.
    #[error("{0}")]
    Other(io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing,
            io::ErrorKind::PermissionDenied => Self::Denied,
            io::ErrorKind::IsADirectory => Self::Directory,
            _ => Self::Other(error),
        }
    }
}

/// Opens a regular file for reading, without ever waiting for a FIFO's writer.
///
/// # Errors
/// [`ReadError`], when it is not there, not readable or no regular file.
pub fn open_regular(path: &Path) -> Result<File, ReadError> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits() as i32)
        .open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(ReadError::Directory);
    }
    if !kind.is_file() {
        return Err(ReadError::NotRegular);
    }
    Ok(file)
}

/// The whole file, at most `limit` bytes.
///
/// # Errors
/// [`ReadError::TooLarge`] when it is larger: half a file is never taken for a whole one.
pub fn whole(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    open_regular(path)?
        .take(limit + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge { limit });
    }
    Ok(bytes)
}

/// The first bytes of a file, at most `limit`.
///
/// # Errors
/// [`ReadError`], when it is not there, not readable or no regular file.
pub fn head(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    open_regular(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The bytes from `from` (or from so late that at most `limit` bytes are read) to the end,
/// and whether something was left out.
///
/// # Errors
/// [`ReadError`], when it is not there, not readable or no regular file.
pub fn tail(path: &Path, from: u64, limit: u64) -> Result<(Vec<u8>, bool), ReadError> {
    let mut file = open_regular(path)?;
    let len = file.metadata()?.len();
    // A log that was rotated since is shorter than the recorded offset: read it from its start.
    let from = if from > len { 0 } else { from };
    let start = from.max(len.saturating_sub(limit));
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok((bytes, start > from))
}
