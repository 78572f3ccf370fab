//! Why a repair, or one step of it, was not done.

use thiserror::Error;

use super::lock::Holder;
use crate::config::edit::Refused;
use crate::sys::write::WriteError;

/// Why one step was not done. The texts are sentences without a full stop, and hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StepError {
    /// What it acts upon is not what it was when the step was planned; nothing was done.
    #[error("{0}")]
    Changed(String),
    /// It cannot be done in this way; nothing was done.
    #[error("{0}")]
    Refused(String),
    /// It was tried and did not work.
    #[error("{0}")]
    Failed(String),
}

impl From<WriteError> for StepError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Changed { .. } => Self::Changed(error.to_string()),
            WriteError::ForeignLink { .. } | WriteError::Dangling { .. } => {
                Self::Refused(error.to_string())
            }
            other => Self::Failed(other.to_string()),
        }
    }
}

impl StepError {
    /// Whether the step was given up before it did anything.
    pub fn is_without_effect(&self) -> bool {
        matches!(self, Self::Changed(_) | Self::Refused(_))
    }

    /// A config that is not edited, with its name.
    pub fn refused(file: &str, why: &Refused) -> Self {
        Self::Refused(format!("{file} is not edited: {why}"))
    }
}

/// Why nothing was repaired at all.
#[derive(Debug, Error)]
pub enum RepairError {
    /// Another one repairs this gateway.
    #[error("repair: {holder} repairs this gateway already")]
    Locked {
        /// Who.
        holder: Holder,
    },
    /// The runtime dir belongs to somebody else.
    #[error("repair: {dir} belongs to {owner}")]
    NotOwner {
        /// The runtime dir.
        dir: String,
        /// Login name of its owner.
        owner: String,
    },
    /// The journal cannot be written, so nothing is begun.
    #[error("write the journal of a repair: {0}")]
    Journal(String),
    /// What a command asked for was not done.
    #[error("{0}")]
    NotDone(String),
    /// There is no such run.
    #[error("find run {0}: there is none")]
    NoRun(String),
    /// There is no look to go on.
    #[error("look: {0}")]
    Look(String),
}
