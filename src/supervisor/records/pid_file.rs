//! `pids/<service>.pid`: a bare pid, as the original wrote it.

use jiff::Timestamp;
use serde::Deserialize;

use super::record::RecordError;

/// What a pid file says: `4242`, or `{"pid": 4242, "started_at": "…", "command": […], "cwd": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PidFile {
    /// The pid, a possible one.
    pub pid: u32,
    /// When it was started, in the later form.
    pub started_at: Option<Timestamp>,
}

/// Parses a pid file. The original wrote any number into a signal: a pid of 0, a negative one and
/// one larger than `pid_limit` are refused.
///
/// # Errors
/// [`RecordError::Form`], when it holds no possible pid.
pub fn parse_pid_file(bytes: &[u8], pid_limit: u32) -> Result<PidFile, RecordError> {
    #[derive(Deserialize)]
    struct Written {
        pid: i64,
        #[serde(default)]
        started_at: Option<String>,
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|_| RecordError::Form("not text".into()))?
        .trim();
    let written = match text.parse::<i64>() {
        Ok(pid) => Written {
            pid,
            started_at: None,
        },
        Err(_) => serde_json::from_str(text)
            .map_err(|error| RecordError::Form(format!("column {}", error.column())))?,
    };
    let pid = u32::try_from(written.pid)
        .ok()
        .filter(|pid| (1..=pid_limit).contains(pid))
        .ok_or_else(|| RecordError::Form(format!("{} is no pid", written.pid)))?;
    Ok(PidFile {
        pid,
        started_at: written.started_at.and_then(|text| text.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_forms_are_read_and_impossible_pids_are_refused() {
        assert_eq!(parse_pid_file(b"4242\n", 32768).unwrap().pid, 4242);
        let later = br#"{"pid": 4242, "started_at": "2026-11-24T10:00:00.5+00:00", "command": ["a"], "cwd": "/"}"#;
        let read = parse_pid_file(later, 32768).unwrap();
        assert_eq!(read.pid, 4242);
        assert_eq!(
            read.started_at,
            Some("2026-11-24T10:00:00.5Z".parse().unwrap())
        );
        for bad in [
            "0",
            "-1",
            "32769",
            "",
            "pid",
            "{}",
            "{\"pid\":0}",
            "99999999999999999999",
        ] {
            assert!(parse_pid_file(bad.as_bytes(), 32768).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_pid_that_is_taken_is_possible(text in "[-{}\":a-z0-9 ]{0,20}|-?[0-9]{1,12}") {
            if let Ok(read) = parse_pid_file(text.as_bytes(), 32768) {
                prop_assert!((1..=32768).contains(&read.pid));
            }
        }
    }
}
