//! flowgate's own supervisor, as its files tell.

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
