//! With what a service was ready last: what the doctor compares with what it has now.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::record::RunRecord;

/// With what a service was ready last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastReady {
    /// When it became ready.
    pub at: Timestamp,
    /// The port at which it was.
    #[serde(default)]
    pub port: Option<u16>,
    /// Digests of its configs, by entry.
    #[serde(default)]
    pub digests: BTreeMap<String, String>,
    /// Digest of its executable.
    #[serde(default)]
    pub binary_digest: Option<String>,
    /// The names of its variables, sorted.
    #[serde(default)]
    pub variables: Vec<String>,
}

impl LastReady {
    /// Of a run that became ready.
    pub fn of(run: &RunRecord, port: Option<u16>, at: Timestamp) -> Self {
        Self {
            at,
            port,
            digests: run.digests.clone(),
            binary_digest: run.binary_digest.clone(),
            variables: run.variables.clone(),
        }
    }
}
