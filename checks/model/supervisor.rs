//! flowgate's own supervisor, as its files tell.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Observed, RunLife};

/// flowgate's own supervisor, as its files tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Supervisor {
    /// The supervisor that `supervisor/supervisor.lock` names; known and none when it names none.
    #[serde(skip_serializing_if = "Observed::is_not_asked")]
    pub recorded: Observed<Option<RecordedSupervisor>>,
    /// The repairs that were begun and neither kept nor taken back, oldest first; one that is going
    /// on is none.
    #[serde(skip_serializing_if = "Observed::is_not_asked")]
    pub unfinished_repairs: Observed<Vec<UnfinishedRepair>>,
}

/// A repair that was begun and neither kept nor taken back: it was killed, or the disk was full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnfinishedRepair {
    /// The id of its run.
    pub run: String,
    /// The folder of its journal.
    pub path: String,
    /// What it was about to do: `chmod 600 .router/auths/a.json (is 644)`.
    pub title: String,
    /// When it was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Timestamp>,
    /// How many of its steps were begun.
    pub steps_begun: usize,
    /// How many steps it has.
    pub steps: usize,
}

/// The supervisor that its lock file names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordedSupervisor {
    /// The file.
    pub path: String,
    /// Its pid.
    pub pid: u32,
    /// What became of it, by pid and start time.
    pub life: RunLife,
    /// The flowgate that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}
