//! A run as its folder keeps it: `plan.json`, and what it needs to be taken back.

use std::path::PathBuf;

use flowgate_checks::model::{Safety, Step};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sys::fingerprint::Fingerprinter;
use crate::sys::hex::hex;

/// Version of the form of a run's files.
pub const VERSION: u32 = 1;

/// A run, written before its first step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    /// Version of this form.
    pub v: u32,
    /// Its id.
    pub run: u64,
    /// The id of the first run of its group.
    pub group: u64,
    /// In which round of the group it was planned, from 1.
    pub round: u32,
    /// When it was planned.
    pub at: Timestamp,
    /// Keys of the findings that it should end.
    pub roots: Vec<String>,
    /// Ids of their fixes.
    pub fixes: Vec<String>,
    /// What it does, in one line.
    pub title: String,
    /// Whether it was asked for.
    pub safety: Safety,
    /// Key of the digests below, in hex.
    pub digest_key: String,
    /// The steps, in the order in which they are done.
    pub steps: Vec<StepRecord>,
}

/// A step, and what was there before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepRecord {
    /// The change.
    pub step: Step,
    /// How it can be taken back.
    pub undo: Undo,
    /// What was there before.
    pub facts: Facts,
}

/// How a step can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Undo {
    /// To the same bytes and bits.
    Exact,
    /// By its opposite: what was started is stopped.
    Compensating,
    /// Not at all.
    None,
}

/// What was there before a step, and has to be there when it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Facts {
    /// Permission bits.
    Mode {
        /// The file, absolute.
        path: PathBuf,
        /// Device.
        device: u64,
        /// Inode.
        inode: u64,
        /// The bits.
        from: u32,
        /// The bits that it gets.
        to: u32,
        /// What the file holds, where its old bits would let others read it; none for a folder.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seal: Option<Seal>,
    },
    /// Files.
    Files {
        /// One for each file.
        files: Vec<FileRecord>,
    },
    /// A service.
    Service {
        /// Whether it ran.
        was_running: bool,
        /// Whether it should run.
        was_wanted: bool,
    },
    /// A process.
    Process {
        /// Its pid.
        pid: u32,
        /// Its start time.
        start_time: u64,
    },
    /// The supervisor.
    Supervisor {
        /// Whether one ran.
        was_running: bool,
    },
}

/// What a file held, told by a digest alone: a copy of a secret is not made for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seal {
    /// Key of the digest, in hex.
    key: String,
    /// Digest of the content.
    digest: String,
}

impl Seal {
    /// The seal of a content.
    pub fn of(content: &[u8]) -> Self {
        let mut key = [0; 32];
        // Without randomness the digest still tells equal from different.
        let _ = getrandom::fill(&mut key);
        Self {
            key: hex(&key),
            digest: Fingerprinter::fixed(key).of_bytes(content),
        }
    }

    /// Whether it is that of this content.
    pub fn is_of(&self, content: &[u8]) -> bool {
        Fingerprinter::of_key(self.key.as_bytes())
            .is_some_and(|digests| digests.of_bytes(content) == self.digest)
    }
}

/// One file before and after a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileRecord {
    /// The file, absolute, as it is named.
    pub path: PathBuf,
    /// The file that its symlinks lead to.
    pub target: PathBuf,
    /// Whether it is written into, because somebody watches its inode; else a new one takes its name.
    pub in_place: bool,
    /// What it was; none when it was not there.
    pub before: Option<ImageRecord>,
    /// What it becomes; none when it is removed.
    pub after: Option<ImageRecord>,
}

/// One content of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageRecord {
    /// Name of the copy in the folder of the run.
    pub copy: String,
    /// Digest of the content, under the key of the run.
    pub digest: String,
    /// Permission bits.
    pub mode: u32,
}

/// A line of `journal.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What a line of a journal tells. The number of a step counts from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "event",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Event {
    /// A step is about to be done.
    Intent {
        /// Which.
        step: usize,
    },
    /// It was done.
    Done {
        /// Which.
        step: usize,
    },
    /// It was not done.
    Failed {
        /// Which.
        step: usize,
        /// Why.
        why: String,
    },
    /// A step is about to be taken back.
    UndoIntent {
        /// Which.
        step: usize,
    },
    /// It was taken back.
    UndoDone {
        /// Which.
        step: usize,
    },
    /// It was not taken back, because what it acts upon was changed since.
    UndoRefused {
        /// Which.
        step: usize,
        /// Why.
        why: String,
    },
    /// The run has come to an end.
    End {
        /// To which.
        state: RunState,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// It was verified and kept.
    Kept,
    /// It harmed or did not help, and was taken back.
    RolledBack,
    /// It was not finished, and what it had done was taken back later.
    Recovered,
    /// A person took it back.
    Undone,
}

impl RunState {
    /// The state in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::RolledBack => "rolled back",
            Self::Recovered => "recovered",
            Self::Undone => "taken back",
        }
    }
}
