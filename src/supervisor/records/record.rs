//! `supervisor/<service>.json`: what the supervisor knows of a service.

use std::collections::BTreeMap;

use flowgate_checks::model::{ExitSignature, ExitSource};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use super::last_ready::LastReady;
use crate::sys::read::ReadError;

/// Version of the form that this flowgate writes and reads.
pub const RECORD_VERSION: u32 = 1;

/// Why a record says nothing.
#[derive(Debug, Error)]
pub enum RecordError {
    /// It cannot be read.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// A newer flowgate wrote it.
    #[error("is of version {0}, which a newer flowgate wrote")]
    Newer(u32),
    /// It is no record.
    #[error("is no record: {0}")]
    Form(String),
}

/// What the supervisor knows of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceRecord {
    /// Version of this form.
    pub v: u32,
    /// Whether the service should run; written `running` or `stopped`.
    #[serde(deserialize_with = "wanted_from", serialize_with = "wanted_to")]
    pub wanted: bool,
    /// Where its state machine stands.
    #[serde(default)]
    pub state: ServiceState,
    /// Its current or last run.
    #[serde(default)]
    pub run: Option<RunRecord>,
    /// Restarts since it was started by a person.
    #[serde(default)]
    pub restarts: u32,
    /// When it is tried again, in back-off.
    #[serde(default)]
    pub next_try_at: Option<Timestamp>,
    /// How its last run ended.
    #[serde(default)]
    pub last_exit: Option<LastExit>,
    /// With what it was ready last.
    #[serde(default)]
    pub last_ready: Option<LastReady>,
}

/// Where the state machine of a service stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceState {
    /// It does not run and should not.
    #[default]
    Stopped,
    /// It was spawned and is not ready yet.
    Starting,
    /// It is ready.
    Ready,
    /// It was ready and does not answer.
    Unready,
    /// It ended and is tried again later.
    Backoff,
    /// It ended twice the same way; nobody tries again.
    CrashLoop,
    /// It was told to stop and lives.
    Stopping,
    /// A state that this flowgate does not know.
    #[serde(other)]
    Unknown,
}

/// One run of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    /// Id of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<serde_json::Value>,
    /// Main process.
    pub pid: u32,
    /// Start time of the main process, in clock ticks after boot.
    pub start_time: u64,
    /// Boot in which it was started.
    pub boot_id: String,
    /// Session that was made for it.
    #[serde(default)]
    pub sid: Option<u32>,
    /// Executable that was started.
    #[serde(default)]
    pub exe: Option<String>,
    /// Digests of its configs, by entry or file.
    #[serde(default)]
    pub digests: BTreeMap<String, String>,
    /// Digest of the executable.
    #[serde(default)]
    pub binary_digest: Option<String>,
    /// The names of its variables, sorted.
    #[serde(default)]
    pub variables: Vec<String>,
    /// When it was started.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// Bytes that were in its log before it was started.
    #[serde(default)]
    pub log_offset: u64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastExit {
    /// When.
    pub at: Timestamp,
    /// Exit code, when it ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// Signal that ended it: `KILL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// Whether flowgate had asked it to stop.
    #[serde(default)]
    pub requested: bool,
    /// Milliseconds that it had lived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime_ms: Option<u64>,
    /// How its status is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<ExitSource>,
    /// What tells this kind of exit from others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<ExitSignature>,
}

/// Parses a record.
///
/// # Errors
/// [`RecordError::Newer`] for a version that this flowgate does not know, [`RecordError::Form`]
/// for anything that is no record.
pub fn parse_record(bytes: &[u8]) -> Result<ServiceRecord, RecordError> {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    let form = |error: serde_json::Error| RecordError::Form(place(&error));
    let Version { v } = serde_json::from_slice(bytes).map_err(form)?;
    if v > RECORD_VERSION {
        return Err(RecordError::Newer(v));
    }
    serde_json::from_slice(bytes).map_err(form)
}

/// Where JSON stops being what was expected, without its content.
fn place(error: &serde_json::Error) -> String {
    format!("line {} column {}", error.line(), error.column())
}

fn wanted_from<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Wanted {
        Flag(bool),
        Word(String),
    }
    match Wanted::deserialize(deserializer)? {
        Wanted::Flag(wanted) => Ok(wanted),
        Wanted::Word(word) => match word.as_str() {
            "running" => Ok(true),
            "stopped" => Ok(false),
            _ => Err(serde::de::Error::custom("expected running or stopped")),
        },
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn wanted_to<S: serde::Serializer>(wanted: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if *wanted { "running" } else { "stopped" })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_of_the_written_form_is_read_and_comes_back_the_same() {
        let text = br#"{"v":1,"wanted":"running","state":"crash-loop","run":{"id":7,"pid":4242,
            "startTime":123456,"bootId":"b","sid":4242,"exe":"/x/litellm","digests":{"a":"1"},
            "binaryDigest":"ff","startedAt":"2026-11-24T10:00:00Z","logOffset":99},
            "restarts":3,"nextTryAt":null,"lastExit":{"at":"2026-11-24T10:00:05Z","code":1,"uptimeMs":5000},
            "later":"additions are skipped"}"#;
        let record = parse_record(text).unwrap();
        assert!(record.wanted);
        assert_eq!(record.state, ServiceState::CrashLoop);
        assert_eq!(record.run.as_ref().unwrap().log_offset, 99);
        let again = serde_json::to_vec(&record).unwrap();
        assert_eq!(parse_record(&again).unwrap(), record);
    }

    #[test]
    fn a_newer_record_and_a_torn_one_say_nothing() {
        assert!(matches!(
            parse_record(br#"{"v":2,"wanted":{"new":"form"}}"#),
            Err(RecordError::Newer(2))
        ));
        for torn in [
            &b"{\"v\":1,\"wanted\":"[..],
            b"",
            b"[]",
            b"{\"v\":1,\"wanted\":\"maybe\"}",
        ] {
            assert!(matches!(parse_record(torn), Err(RecordError::Form(_))));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = parse_record(&bytes);
        }
    }
}
