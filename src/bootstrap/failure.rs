//! Why the last try to obtain a program failed, for the doctor.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::{BootstrapError, Reason, Wanted};
use super::places::Places;
use crate::sys::read;
use crate::sys::write::{self, Modes};

/// Such a file is far smaller, in bytes.
const LARGEST: u64 = 64 << 10;

/// The name of CLIProxyAPIPlus in tokens and records.
pub const CLIPROXYAPI: &str = "cliproxyapi_plus";
/// The name of LiteLLM in tokens and records.
pub const LITELLM: &str = "litellm";

/// A try that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// The kind of the reason.
    pub reason: Reason,
    /// The reason as one sentence, plain and without a secret.
    pub sentence: String,
    /// What was to be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Wanted>,
    /// When.
    pub at: Timestamp,
}

/// The last try of each program, where it failed.
pub type Failures = BTreeMap<String, Failed>;

/// What is noted; nothing where nothing is, or where it cannot be read.
pub fn read(places: &Places) -> Failures {
    let bytes = read::whole(&places.failure(), LARGEST).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Notes why a try failed. When that cannot be written, it was said all the same.
pub fn note(places: &Places, program: &str, error: &BootstrapError) {
    let mut failures = read(places);
    failures.insert(
        program.to_owned(),
        Failed {
            reason: error.reason,
            sentence: error.sentence.clone(),
            wanted: error.wanted.clone(),
            at: Timestamp::now(),
        },
    );
    put(places, &failures);
}

/// Forgets it: the program is there.
pub fn forget(places: &Places, program: &str) {
    let mut failures = read(places);
    if failures.remove(program).is_some() {
        put(places, &failures);
    }
}

fn put(places: &Places, failures: &Failures) {
    let text = serde_json::to_vec_pretty(failures).unwrap_or_default();
    let _ = write::replace(&places.failure(), &text, Modes::PLAIN, None);
}
