//! A log that is rotated while its writer has it open, read as one.
//!
//! The writer only ever appends. When the log has become long, its head is copied to `<log>.1` and
//! freed: the file keeps its length, offsets in it stay what they are, and where the head was there is
//! a hole, which reads as NULs. So `<log>.1` holds what comes before the first byte that is left, and
//! that byte is where the hole ends. Between the copy and the hole a note, `<log>.cut`, says how far
//! the copy goes, so that nothing is ever read twice.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::SeekFrom;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::read::{self, ReadError};

/// A block that is freed in part is blanked in part; none is larger.
const BLOCK: usize = 64 * 1024;

/// So often a log is looked at again because it was rotated meanwhile.
const TRIES: usize = 5;

/// A note is no longer.
const NOTE: u64 = 1024;

/// What `<log>.cut` says: the head of this file up to `to` is in that copy, and not yet freed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Inode of the log.
    pub log: u64,
    /// Inode of the copy; as long as it is not `<log>.1`, the note means nothing.
    pub copy: u64,
    /// The offset after the last byte that was copied.
    pub to: u64,
}

/// Where the earlier lines of a log are.
pub fn previous_of(log: &Path) -> PathBuf {
    with_ending(log, ".1")
}

/// Where the note on a rotation that goes on is.
pub fn note_of(log: &Path) -> PathBuf {
    with_ending(log, ".cut")
}

/// The log with more at the end of its name.
pub fn with_ending(log: &Path, ending: &str) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// A log and its earlier lines, as they belong together.
#[derive(Debug)]
pub struct Rotated {
    /// The log.
    pub file: File,
    /// Its inode.
    pub inode: u64,
    /// The offset of the first byte that is left in it.
    pub head: u64,
    previous: Option<(File, u64)>,
}

impl Rotated {
    /// Opens both.
    ///
    /// # Errors
    /// [`ReadError`], of the log itself: earlier lines may be missing.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let mut opened = Self::open_once(path)?;
        for _ in 1..TRIES {
            // Rotated between the one and the other: they do not belong together.
            if opened.is_current(path) {
                break;
            }
            opened = Self::open_once(path)?;
        }
        Ok(opened)
    }

    fn open_once(path: &Path) -> Result<Self, ReadError> {
        let file = read::open_regular(path)?;
        let inode = file.metadata()?.ino();
        let previous = read::open_regular(&previous_of(path)).ok();
        let previous = previous.and_then(|file| Some((file.metadata().ok()?.ino(), file)));
        let noted = note(path).filter(|cut| {
            let copy = previous.as_ref().map(|(inode, _)| *inode);
            cut.log == inode && Some(cut.copy) == copy
        });
        let hole = end_of_hole(&file)?;
        Ok(Self {
            head: noted.map_or(hole, |cut| cut.to.max(hole)),
            previous: previous.and_then(|(_, file)| {
                let length = file.metadata().ok()?.len();
                Some((file, length))
            }),
            file,
            inode,
        })
    }

    fn is_current(&self, path: &Path) -> bool {
        let previous = self.previous.as_ref();
        let opened = previous.and_then(|(file, _)| Some(file.metadata().ok()?.ino()));
        // A log that was just renamed is its own earlier one.
        inode_at(&previous_of(path)) == opened && opened != Some(self.inode)
    }

    /// The offset of the first byte that can still be read, here or in the copy of the head.
    pub fn first(&self) -> u64 {
        match &self.previous {
            // Without a hole the earlier lines are those of a log that was renamed.
            Some((_, length)) if self.head > 0 => self.head.saturating_sub(*length),
            _ => self.head,
        }
    }

    /// Reads at an offset of the log, of which the head may have been copied; 0 at the end.
    ///
    /// # Errors
    /// As the files give them.
    pub fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<usize> {
        let first = self.first();
        match &self.previous {
            Some((previous, _)) if (first..self.head).contains(&at) => {
                let most = usize::try_from(self.head - at).unwrap_or(usize::MAX);
                let most = bytes.len().min(most);
                previous.read_at(&mut bytes[..most], at - first)
            }
            _ => self.file.read_at(bytes, at),
        }
    }

    /// The earlier lines, where they are those of a log that was renamed: as a log of their own.
    pub fn renamed(&self) -> Option<(&File, u64)> {
        let (file, _) = self.previous.as_ref().filter(|_| self.head == 0)?;
        Some((file, end_of_hole(file).ok()?))
    }
}

/// The end of a log, and the log as it was read.
#[derive(Debug)]
pub struct Tail {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether something was left out.
    pub is_cut: bool,
    /// The offset after the last of them.
    pub end: u64,
    /// The log.
    pub log: Rotated,
}

/// The bytes of a log from `from` (or from so late that at most `limit` bytes are read) to its end,
/// those of its head that were copied too; and whether something was left out.
///
/// # Errors
/// [`ReadError`], when it is not there, not readable or no regular file.
pub fn tail(path: &Path, from: u64, limit: u64) -> Result<(Vec<u8>, bool), ReadError> {
    let tail = read_tail(path, from, limit)?;
    Ok((tail.bytes, tail.is_cut))
}

/// The same, with the log that was read.
///
/// # Errors
/// As [`tail`].
pub fn read_tail(path: &Path, from: u64, limit: u64) -> Result<Tail, ReadError> {
    let mut tries = 0;
    loop {
        let log = Rotated::open(path)?;
        let length = log.file.metadata()?.len();
        // A log that was begun anew is shorter than the recorded offset: read it from its start.
        let from = if from > length { 0 } else { from };
        let start = from.max(length.saturating_sub(limit)).max(log.first());
        let bytes = read_range(&log, start, length)?;
        tries += 1;
        // What was freed while it was read came out as NULs.
        let again = Rotated::open(path)?;
        if tries == TRIES || (again.inode, again.head) == (log.inode, log.head) {
            return Ok(Tail {
                is_cut: start > from,
                end: start + bytes.len() as u64,
                bytes,
                log,
            });
        }
    }
}

fn read_range(log: &Rotated, start: u64, end: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(end.saturating_sub(start)).unwrap_or(0);
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match log.read_at(&mut bytes[filled..], start + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// The note on a rotation that goes on.
pub fn note(log: &Path) -> Option<Cut> {
    let bytes = read::whole(&note_of(log), NOTE).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The inode of what a path names.
pub fn inode_at(path: &Path) -> Option<u64> {
    Some(std::fs::metadata(path).ok()?.ino())
}

/// Where the hole at the head of a file ends: the offset of the first byte that was not freed. The
/// system says which block that is; what was freed of that block reads as NULs.
///
/// # Errors
/// As the file gives them.
pub fn end_of_hole(file: &File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let hole = match rustix::fs::seek(file, SeekFrom::Hole(0)) {
        Ok(hole) => hole,
        // Empty, or of a file system that does not tell.
        Err(Errno::NXIO | Errno::INVAL) => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    if hole != 0 {
        return Ok(0);
    }
    let data = match rustix::fs::seek(file, SeekFrom::Data(0)) {
        Ok(data) => data,
        Err(Errno::NXIO) => return Ok(length),
        Err(error) => return Err(error.into()),
    };
    let mut block = vec![0; BLOCK];
    let read = file.read_at(&mut block, data)?;
    let blank = block[..read].iter().take_while(|byte| **byte == 0).count();
    Ok(data + blank as u64)
}

/// All of a file from an offset on, at most `limit` bytes.
///
/// # Errors
/// As the file gives them.
pub fn from_offset(file: &File, at: u64, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut reader = file;
    rustix::fs::seek(file, SeekFrom::Start(at))?;
    Read::take(&mut reader, limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
