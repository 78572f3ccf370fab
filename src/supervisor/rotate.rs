//! Keeping the log of a service small while the service writes it.
//!
//! The head of the log is copied to `<log>.1`, up to the end of a line, and freed; what is left keeps
//! its place, so that the writer notices nothing (see [`crate::sys::rotated`]). The order makes that
//! exact: copy, note how far the copy goes, give the copy its name, free the head, remove the note.
//! Whenever this ends in between, the next look finishes it or forgets it, and no line is lost or
//! there twice.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FallocateFlags, FlockOperation, OFlags};
use rustix::io::Errno;

use super::grid;
use crate::sys::rotated::{self, Cut};

/// A log that has become so long is rotated; with its earlier lines it takes twice that.
pub const LIMIT: u64 = 10 * 1024 * 1024;

/// A log whose offsets have grown so far is begun anew at a start: not every program that copies or
/// packs files knows holes.
const FARTHEST: u64 = 1024 * 1024 * 1024;

/// A log that does not grow is looked at so often, together with the looks at services that are ready.
const LONGEST: Duration = Duration::from_secs(6);

/// One that grows as fast as it can is looked at so often.
const SHORTEST: Duration = Duration::from_millis(50);

/// The end of a line is looked for in pieces of this size.
const PIECE: u64 = 64 * 1024;

/// What was moved out of a log: the bytes between two offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The offset of the first byte.
    pub from: u64,
    /// The offset after the last byte.
    pub to: u64,
}

/// The rotation of one log.
#[derive(Debug, Clone)]
pub struct Rotation {
    log: PathBuf,
    limit: u64,
}

impl Rotation {
    /// The rotation of a log at this size, in bytes.
    pub fn new(log: &Path, limit: u64) -> Self {
        Self {
            log: log.to_owned(),
            limit,
        }
    }

    /// Moves the head of the log, at most so much as the limit, when the log is longer than that.
    /// A log that has grown far beyond is cut down step by step, each over the one before.
    ///
    /// # Errors
    /// `Unsupported` where the file system frees no part of a file; else why it failed. The log is
    /// then as it was.
    pub fn step(&self) -> io::Result<Option<Moved>> {
        let Some(log) = self.open()? else {
            return Ok(None);
        };
        self.recover(&log)?;
        let from = rotated::end_of_hole(&log)?;
        if log.metadata()?.len().saturating_sub(from) < self.limit {
            return Ok(None);
        }
        let to = match self.prepare(&log, from, self.limit) {
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                // The earlier lines go anyway; now, so that there is room for half of the later
                // ones and the note.
                std::fs::remove_file(rotated::previous_of(&self.log))?;
                self.prepare(&log, from, self.limit / 2)?
            }
            prepared => prepared?,
        };
        rename(&self.fresh(), &rotated::previous_of(&self.log))?;
        free(&log, to)?;
        self.forget();
        Ok(Some(Moved { from, to }))
    }

    /// Moves so much that less than the limit is left.
    ///
    /// # Errors
    /// As [`Rotation::step`].
    pub fn run(&self) -> io::Result<()> {
        while self.step()?.is_some() {}
        Ok(())
    }

    /// Moves the whole log out of the way of a run that begins, when it is long. One that cannot be
    /// moved is gone on with.
    pub fn at_start(&self) {
        let Ok(Some(log)) = self.open() else {
            return;
        };
        let _ = self.recover(&log);
        let (Ok(head), Ok(facts)) = (rotated::end_of_hole(&log), log.metadata()) else {
            return;
        };
        if facts.len() - head >= self.limit || facts.len() >= FARTHEST {
            let _ = rename(&self.log, &rotated::previous_of(&self.log));
        }
    }

    /// The log, locked for as long as it is open; none when there is none, or somebody rotates it.
    fn open(&self) -> io::Result<Option<File>> {
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(flags)
            .open(&self.log);
        let log = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let facts = log.metadata()?;
        if !facts.is_file() {
            return Ok(None);
        }
        match rustix::fs::flock(&log, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => return Ok(None),
            locked => locked?,
        }
        let is_same = rotated::inode_at(&self.log) == Some(facts.ino());
        Ok(is_same.then_some(log))
    }

    /// Finishes what an earlier rotation left: when its copy got its name, the head is freed; when
    /// not, the copy goes.
    fn recover(&self, log: &File) -> io::Result<()> {
        if let Some(cut) = rotated::note(&self.log) {
            let facts = log.metadata()?;
            let copy = rotated::inode_at(&rotated::previous_of(&self.log));
            if (cut.log, Some(cut.copy)) == (facts.ino(), copy) && cut.to <= facts.len() {
                free(log, cut.to)?;
            }
        }
        self.forget();
        Ok(())
    }

    /// Removes what a rotation needs while it goes on. The note goes last: as long as a copy waits
    /// for its name, its inode is not given to another file.
    fn forget(&self) {
        // As a rule there is neither.
        let _ = std::fs::remove_file(rotated::note_of(&self.log));
        let _ = std::fs::remove_file(self.fresh());
    }

    /// A copy that has not got its name yet.
    fn fresh(&self) -> PathBuf {
        rotated::with_ending(&self.log, ".1.new")
    }

    /// Copies whole lines from an offset on, and notes how far the copy goes; gives that.
    fn prepare(&self, log: &File, from: u64, most: u64) -> io::Result<u64> {
        let to = end_of_line(log, from, from + most)?;
        let prepared = self
            .copy(log, from, to)
            .and_then(|copy| self.note(log, copy.metadata()?.ino(), to));
        if prepared.is_err() {
            self.forget();
        }
        prepared.map(|()| to)
    }

    fn copy(&self, log: &File, from: u64, to: u64) -> io::Result<File> {
        let mut copy = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.fresh())?;
        // Tried on the copy, where nothing can be lost.
        punch(&copy, to, 1)?;
        let mut reader = log;
        reader.seek(SeekFrom::Start(from))?;
        let copied = io::copy(&mut reader.take(to - from), &mut copy)?;
        if copied != to - from {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // A log that is freed must not depend on a copy that a power cut takes.
        copy.sync_data()?;
        Ok(copy)
    }

    fn note(&self, log: &File, copy: u64, to: u64) -> io::Result<()> {
        let cut = Cut {
            log: log.metadata()?.ino(),
            copy,
            to,
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(rotated::note_of(&self.log))?;
        // Half a note is none, and before the rename none is needed.
        file.write_all(&serde_json::to_vec(&cut)?)
    }
}

/// Rotates a log whenever it has become long, until the file system turns out not to be able to.
/// A log that grows fast is looked at often, one that does not every few seconds.
pub async fn keep_small(log: PathBuf) {
    let mut pause = LONGEST;
    let (mut before, mut looked) = (
        log.metadata().map_or(0, |facts| facts.len()),
        Instant::now(),
    );
    loop {
        // At first at once: an earlier supervisor may have been killed in the middle of one.
        if let Ok(facts) = log.metadata() {
            let grown = facts.len().saturating_sub(before);
            pause = next_look(grown, looked.elapsed());
            (before, looked) = (facts.len(), Instant::now());
            // What was freed takes no blocks.
            if facts.blocks() * 512 >= LIMIT && !rotate(&log).await {
                return;
            }
        }
        if pause == LONGEST {
            grid::next(pause).await;
        } else {
            tokio::time::sleep(pause).await;
        }
    }
}

/// Rotates a log; whether its file system can. What failed is tried again at the next look.
async fn rotate(log: &Path) -> bool {
    let rotation = Rotation::new(log, LIMIT);
    let rotated = tokio::task::spawn_blocking(move || rotation.run()).await;
    !matches!(rotated, Ok(Err(error)) if error.kind() == io::ErrorKind::Unsupported)
}

/// So that a log is looked at again before it has grown by half the limit.
fn next_look(grown: u64, during: Duration) -> Duration {
    if grown == 0 {
        return LONGEST;
    }
    during
        .mul_f64(LIMIT as f64 / 2.0 / grown as f64)
        .clamp(SHORTEST, LONGEST)
}

/// The end of the last line between two offsets; the later offset when no line ends there.
fn end_of_line(log: &File, from: u64, to: u64) -> io::Result<u64> {
    let mut end = to;
    while end > from {
        let start = end.saturating_sub(PIECE).max(from);
        let mut piece = vec![0; usize::try_from(end - start).unwrap_or(0)];
        log.read_exact_at(&mut piece, start)?;
        if let Some(at) = piece.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(to)
}

/// Frees the head of a log; its length stays.
fn free(log: &File, to: u64) -> io::Result<()> {
    punch(log, 0, to)
}

fn punch(file: &File, from: u64, length: u64) -> io::Result<()> {
    let how = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    match rustix::fs::fallocate(file, how, from, length) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Err(io::ErrorKind::Unsupported.into()),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(()),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a log is moved, not written: it is long, and its writer has it open"
)]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)
}
