//! Following a log across rotations: every byte once, or a word on those that were too fast.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::sys::read::ReadError;
use crate::sys::rotated::{self, Rotated};

/// Where a reader of a log stands.
pub struct Follower {
    path: PathBuf,
    /// The log that is read, and its inode: after a rename it is read to its end first.
    current: Option<(File, u64)>,
    at: u64,
}

/// What came of a look at a log.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// So many bytes were read.
    Bytes(usize),
    /// Nothing was appended.
    Nothing,
    /// So many bytes were rotated away before they could be read.
    Lost(u64),
}

impl Follower {
    /// Follows a log that is not there yet.
    pub fn from_start(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            current: None,
            at: 0,
        }
    }

    /// The last bytes of a log, at most `limit`, earlier lines too; and what comes after them.
    ///
    /// # Errors
    /// [`ReadError`], of the log itself.
    pub fn from_end(path: &Path, limit: u64) -> Result<(Vec<u8>, Self), ReadError> {
        let tail = rotated::read_tail(path, 0, limit)?;
        let mut bytes = tail.bytes;
        let room = limit.saturating_sub(bytes.len() as u64);
        if let Some((earlier, head)) = tail.log.renamed().filter(|_| room > 0) {
            let start = head.max(earlier.metadata()?.len().saturating_sub(room));
            let mut both = rotated::from_offset(earlier, start, room)?;
            both.append(&mut bytes);
            bytes = both;
        }
        let follower = Self {
            path: path.to_owned(),
            current: Some((tail.log.file, tail.log.inode)),
            at: tail.end,
        };
        Ok((bytes, follower))
    }

    /// Reads on.
    ///
    /// # Errors
    /// As the files give them.
    pub fn next(&mut self, piece: &mut [u8]) -> io::Result<Next> {
        loop {
            let Some((file, inode)) = &self.current else {
                match Rotated::open(&self.path) {
                    Ok(log) => self.current = Some((log.file, log.inode)),
                    Err(_) => return Ok(Next::Nothing),
                }
                continue;
            };
            let facts = std::fs::metadata(&self.path).ok();
            if facts.is_some_and(|facts| (facts.ino(), facts.len()) == (*inode, self.at)) {
                return Ok(Next::Nothing);
            }
            let log = match Rotated::open(&self.path) {
                Ok(log) if log.inode == *inode => log,
                other => {
                    let read = self.read_old(piece)?;
                    match other {
                        Ok(log) if read == Next::Nothing => {
                            self.current = Some((log.file, log.inode));
                            self.at = 0;
                            continue;
                        }
                        _ => return Ok(read),
                    }
                }
            };
            if file.metadata()?.len() < self.at {
                // It was cut: what is written from now on begins anew.
                self.at = 0;
                continue;
            }
            if self.at < log.first() {
                return Ok(self.skip_to(log.first()));
            }
            let read = log.read_at(piece, self.at)?;
            if self.at >= log.head && self.was_freed()? {
                continue;
            }
            return Ok(self.pass(read));
        }
    }

    /// Reads on in a log that has lost its name.
    fn read_old(&mut self, piece: &mut [u8]) -> io::Result<Next> {
        let Some((file, _)) = &self.current else {
            return Ok(Next::Nothing);
        };
        let read = file.read_at(piece, self.at)?;
        let head = rotated::end_of_hole(file)?;
        match self.at < head {
            true => Ok(self.skip_to(head)),
            false => Ok(self.pass(read)),
        }
    }

    /// Whether what was just read may have been freed meanwhile: then it came out as NULs.
    fn was_freed(&self) -> io::Result<bool> {
        match (&self.current, Rotated::open(&self.path)) {
            (Some((_, inode)), Ok(log)) if log.inode == *inode => Ok(log.head > self.at),
            (Some((file, _)), _) => Ok(rotated::end_of_hole(file)? > self.at),
            (None, _) => Ok(false),
        }
    }

    fn pass(&mut self, read: usize) -> Next {
        self.at += read as u64;
        match read {
            0 => Next::Nothing,
            read => Next::Bytes(read),
        }
    }

    fn skip_to(&mut self, first: u64) -> Next {
        let lost = first - self.at;
        self.at = first;
        Next::Lost(lost)
    }
}
