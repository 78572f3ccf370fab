//! `supervisor/<service>.history.jsonl`: the flight recorder.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::record::{LastExit, RunRecord};

/// No line is longer: each is one write.
const LINE: usize = 4096;

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum HistoryLine {
    /// The service was spawned.
    Spawn {
        /// When.
        at: Timestamp,
        /// The run that began.
        run: RunRecord,
    },
    /// It became ready.
    Ready {
        /// When.
        at: Timestamp,
    },
    /// It stopped answering.
    Unready {
        /// When.
        at: Timestamp,
    },
    /// It ended.
    Exit {
        /// How.
        #[serde(flatten)]
        exit: LastExit,
    },
    /// The supervisor decided something.
    Decision {
        /// When.
        at: Timestamp,
        /// What: `restart`, `give-up`.
        decision: String,
        /// Why.
        #[serde(default)]
        reason: Option<String>,
    },
}

/// The lines of a history, oldest first. Unknown kinds, lines that are too long and a last line that
/// was torn off are skipped.
pub fn parse_history(bytes: &[u8]) -> Vec<HistoryLine> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty() && line.len() <= LINE)
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_kinds_are_read_and_the_rest_is_skipped() {
        let text = concat!(
            r#"{"kind":"spawn","at":"2026-11-24T10:00:00Z","run":{"pid":1,"startTime":2,"bootId":"b","sid":1}}"#,
            "\n",
            r#"{"kind":"ready","at":"2026-11-24T10:00:06Z","port":4000}"#,
            "\n",
            r#"{"kind":"weather","at":"2026-11-24T10:00:06Z"}"#,
            "\n\n",
            r#"{"kind":"exit","at":"2026-11-24T10:00:09Z","signal":"KILL","uptimeMs":9000}"#,
            "\n",
            r#"{"kind":"decision","at":"2026-11-24T10:00:09Z","decision":"restart","rea"#,
        );
        let lines = parse_history(text.as_bytes());
        assert_eq!(lines.len(), 3);
        assert!(matches!(&lines[0], HistoryLine::Spawn { run, .. } if run.sid == Some(1)));
        assert!(matches!(&lines[1], HistoryLine::Ready { .. }));
        assert!(
            matches!(&lines[2], HistoryLine::Exit { exit } if exit.signal.as_deref() == Some("KILL"))
        );
        let again = serde_json::to_vec(&lines[2]).unwrap();
        assert_eq!(parse_history(&again), lines[2..]);
    }

    proptest! {
        #[test]
        fn a_history_torn_anywhere_keeps_its_whole_lines(at in 0usize..200) {
            let line = r#"{"kind":"ready","at":"2026-11-24T10:00:06Z"}"#;
            let whole = format!("{line}\n{line}\n{line}\n");
            let torn = &whole.as_bytes()[..at.min(whole.len())];
            let ends = torn.iter().filter(|byte| **byte == b'\n').count();
            let rest = torn.len() - ends * (line.len() + 1);
            prop_assert_eq!(parse_history(torn).len(), ends + usize::from(rest == line.len()));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            parse_history(&bytes);
        }
    }
}
