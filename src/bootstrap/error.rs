//! Why a program could not be obtained, in one sentence; what was there is then as it was.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::sys::write::WriteError;

/// Why a program could not be obtained.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{sentence}")]
pub struct BootstrapError {
    /// The kind of the reason.
    pub reason: Reason,
    /// The reason as one sentence that fits behind `bootstrap failed: `.
    pub sentence: String,
    /// What was to be had, as far as that was known; for those who fetch it in another way.
    pub wanted: Option<Wanted>,
}

/// The kind of a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The repository answers 404.
    RepositoryGone,
    /// The repository has no such release, or the release no archive for this machine.
    NotReleased,
    /// The release is still being made.
    Incomplete,
    /// The release or the package index cannot be reached, or went silent.
    Unreachable,
    /// A digest is not the one that was told beforehand.
    HashMismatch,
    /// What came is no archive with a program for this machine.
    BadArchive,
    /// There is no Python that can make an environment.
    NoPython,
    /// The packages could not be installed.
    Packages,
    /// The disk has no room, or a file cannot be written.
    Disk,
    /// Another flowgate installs at this moment.
    Locked,
    /// A wish that cannot be met, such as an archive without a digest where one is required.
    Refused,
}

/// What was to be had, and where from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Wanted {
    /// Name of the archive.
    pub asset: String,
    /// Its address.
    pub url: String,
    /// Its SHA-256 in hex, when it is known.
    pub sha256: Option<String>,
}

impl BootstrapError {
    /// A reason and its sentence.
    pub fn new(reason: Reason, sentence: impl Into<String>) -> Self {
        Self {
            reason,
            sentence: sentence.into(),
            wanted: None,
        }
    }

    /// The same, with what was to be had.
    pub fn wanting(mut self, wanted: &Wanted) -> Self {
        self.wanted.get_or_insert_with(|| wanted.clone());
        self
    }
}

impl From<WriteError> for BootstrapError {
    fn from(error: WriteError) -> Self {
        Self::new(Reason::Disk, error.to_string())
    }
}
