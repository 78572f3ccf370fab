//! The journal of a run: written before each step, so that a crash at any point leaves the old state
//! or a run that can be taken back.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::RepairError;
use super::place::Place;
use super::record::{Event, Line, RunRecord, RunState};
use crate::sys::read;
use crate::sys::write::{self, Modes};
use crate::sys::write_error::sentence;

/// Bytes of a plan, and of a journal, at most.
const LARGEST: u64 = 16 << 20;

/// Where the lines of a journal go. A line is on the disk when [`Lines::put`] returns.
pub trait Lines {
    /// Adds a line.
    ///
    /// # Errors
    /// As the system says; nothing may be done then that the line announces.
    fn put(&mut self, line: &str) -> io::Result<()>;
}

/// How the lines of the journal at a path are written.
pub type OpenLines<'a> = &'a dyn Fn(&Path) -> io::Result<Box<dyn Lines>>;

/// Opens the lines of a journal as a file, each line followed by `fsync`.
///
/// # Errors
/// As the system says.
pub fn on_disk(path: &Path) -> io::Result<Box<dyn Lines>> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32)
        .open(path)?;
    Ok(Box::new(OnDisk(file)))
}

struct OnDisk(File);

impl Lines for OnDisk {
    fn put(&mut self, line: &str) -> io::Result<()> {
        self.0.write_all(format!("{line}\n").as_bytes())?;
        self.0.sync_data()
    }
}

/// The journal of one run.
pub struct Journal {
    folder: PathBuf,
    lines: Box<dyn Lines>,
}

impl Journal {
    /// The folder of a new run, and its id: one more than the newest.
    ///
    /// # Errors
    /// [`RepairError::Journal`].
    pub fn new_folder(place: &Place) -> Result<(u64, PathBuf), RepairError> {
        let mut id = place.ids().last().copied().unwrap_or(0);
        loop {
            id += 1;
            let folder = place.run(id);
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => return Ok((id, folder)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(fault(&folder, &error)),
            }
        }
    }

    /// Writes what a run needs to be taken back, then its plan, and opens its journal. Where that
    /// fails nothing is left of the run.
    ///
    /// # Errors
    /// [`RepairError::Journal`]; nothing was changed.
    pub fn begin(
        folder: &Path,
        record: &RunRecord,
        copies: &[(String, Vec<u8>)],
        before: &[u8],
        open: OpenLines<'_>,
    ) -> Result<Self, RepairError> {
        let begun = Self::write_all(folder, record, copies, before, open);
        if begun.is_err() {
            // Whatever stays behind has no plan, or a plan of which no step was begun.
            let _ = std::fs::remove_dir_all(folder);
        }
        begun
    }

    fn write_all(
        folder: &Path,
        record: &RunRecord,
        copies: &[(String, Vec<u8>)],
        before: &[u8],
        open: OpenLines<'_>,
    ) -> Result<Self, RepairError> {
        let keep = |name: &str, bytes: &[u8]| keep(folder, name, bytes);
        for (name, bytes) in copies {
            keep(name, bytes)?;
        }
        keep("before.json", before)?;
        let plan = serde_json::to_vec_pretty(record)
            .map_err(|error| RepairError::Journal(error.to_string()))?;
        keep("plan.json", &plan)?;
        Self::resume(folder, open)
    }

    /// Opens the journal of a run that is there.
    ///
    /// # Errors
    /// [`RepairError::Journal`].
    pub fn resume(folder: &Path, open: OpenLines<'_>) -> Result<Self, RepairError> {
        let path = folder.join("journal.jsonl");
        let lines = open(&path).map_err(|error| fault(&path, &error))?;
        Ok(Self {
            folder: folder.to_owned(),
            lines,
        })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// [`RepairError::Journal`]; what it announces may not be done.
    pub fn note(&mut self, event: Event) -> Result<(), RepairError> {
        let line = Line {
            at: Timestamp::now(),
            event,
        };
        let text = serde_json::to_string(&line)
            .map_err(|error| RepairError::Journal(error.to_string()))?;
        self.lines
            .put(&text)
            .map_err(|error| fault(&self.folder.join("journal.jsonl"), &error))
    }

    /// Keeps the report of the look after the run. One that cannot be kept takes nothing back.
    pub fn keep_after(&self, report: &[u8]) {
        let _ = keep(&self.folder, "after.json", report);
    }
}

fn keep(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), RepairError> {
    write::create(&folder.join(name), bytes, Modes::SECRET)
        .map(|_| ())
        .map_err(|error| RepairError::Journal(error.to_string()))
}

fn fault(path: &Path, error: &io::Error) -> RepairError {
    RepairError::Journal(format!("{}: {}", path.display(), sentence(path, error)))
}

/// A run as its folder tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The plan.
    pub record: RunRecord,
    /// The lines, oldest first.
    pub lines: Vec<Line>,
}

/// Reads a run; none when its folder holds no plan.
pub fn read(place: &Place, id: u64) -> Option<History> {
    let folder = place.run(id);
    let plan = read::whole(&folder.join("plan.json"), LARGEST).ok()?;
    let record = serde_json::from_slice(&plan).ok()?;
    let lines = read::whole(&folder.join("journal.jsonl"), LARGEST).unwrap_or_default();
    Some(History {
        record,
        lines: parse(&lines),
    })
}

/// The lines of a journal. One that was cut short announces nothing that was done.
fn parse(bytes: &[u8]) -> Vec<Line> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

impl History {
    /// What became of it; none when it was not finished.
    pub fn state(&self) -> Option<RunState> {
        match &self.lines.last()?.event {
            Event::End { state, .. } => Some(*state),
            _ => None,
        }
    }

    /// Whether it was begun and has no end: something of it may be done.
    pub fn is_unfinished(&self) -> bool {
        !self.lines.is_empty() && self.state().is_none()
    }

    /// The steps that were begun and not taken back, in the order in which they were done.
    pub fn standing(&self) -> Vec<usize> {
        let mut standing = Vec::new();
        for line in &self.lines {
            match line.event {
                Event::Intent { step } => standing.push(step),
                Event::UndoDone { step } => standing.retain(|begun| *begun != step),
                _ => {}
            }
        }
        standing.retain(|step| *step < self.record.steps.len());
        standing
    }
}
