//! The event log: JSON lines with the seven keys of the original (facts/original.md section 3).

use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::write::{self, Modes, WriteError};

/// One event. What does not apply is null; new facts go into `detail` as `k=v`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Event<'a> {
    /// `profile_switch`, `service_start`, `oauth_login`.
    pub event: &'a str,
    /// The service it is about.
    pub service: Option<&'a str>,
    /// The profile it is about.
    pub profile: Option<&'a str>,
    /// The provider it is about.
    pub provider: Option<&'a str>,
    /// `success`, `failed`.
    pub result: &'a str,
    /// More, without a secret.
    pub detail: Option<&'a str>,
}

/// Appends an event to the log as one line.
///
/// # Errors
/// [`WriteError`]; no work should fail because of it.
pub fn append(log_file: &Path, at: Timestamp, event: &Event<'_>) -> Result<(), WriteError> {
    #[derive(Serialize)]
    struct Line<'a> {
        timestamp: String,
        #[serde(flatten)]
        event: &'a Event<'a>,
    }
    let line = Line {
        timestamp: stamp(at),
        event,
    };
    let text = serde_json::to_string(&line).map_err(|error| WriteError::Io {
        path: log_file.into(),
        why: error.to_string(),
    })?;
    write::append_line(log_file, &text, Modes::PLAIN)
}

/// A time as the original writes it: `2026-02-17T03:26:54.123456+00:00`.
pub fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_seven_keys_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("runtime/events.log");
        let event = Event {
            event: "profile_switch",
            service: None,
            profile: Some("balanced"),
            provider: None,
            result: "success",
            detail: None,
        };
        let at = "2026-02-17T03:26:54.123456Z".parse().unwrap();
        append(&log, at, &event).unwrap();
        append(&log, at, &event).unwrap();
        let line = concat!(
            r#"{"timestamp":"2026-02-17T03:26:54.123456+00:00","event":"profile_switch","#,
            r#""service":null,"profile":"balanced","provider":null,"result":"success","detail":null}"#,
            "\n"
        );
        let written = crate::sys::read::whole(&log, 4096).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), line.repeat(2));
    }
}
