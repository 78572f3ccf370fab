//! `events.log`: JSON lines with the seven keys of the original.

use std::collections::BTreeMap;
use std::path::Path;

use flowgate_checks::model::{LoginEvent, Observed, Unknown};
use flowgate_checks::shell;
use jiff::Timestamp;
use serde::Deserialize;

use crate::sys::place::Root;
use crate::sys::plain;
use crate::sys::read::{self, ReadError};
use crate::sys::redact::Redactor;

/// At most so many bytes of the end are read.
const BYTES: u64 = 256 * 1024;

/// At most so many characters of a detail are kept.
const DETAIL: usize = 300;

/// The last `oauth_login` event of each provider; a log that is not there has none.
pub fn last_logins(
    log_file: &Path,
    root: &Root,
    redactor: &Redactor,
) -> Observed<BTreeMap<String, LoginEvent>> {
    match read::tail(log_file, 0, BYTES) {
        Ok((bytes, _)) => Observed::Known(parse_logins(&bytes, redactor)),
        Err(ReadError::Missing) => Observed::Known(BTreeMap::new()),
        Err(error) => Observed::Unknown(Unknown {
            why: format!("{}: {error}", root.show(log_file)),
            command: Some(format!(
                "ls -l {}",
                shell::quote(&log_file.display().to_string())
            )),
        }),
    }
}

/// The last login of each provider in the lines of an event log. Lines of another shape are skipped:
/// later versions of the original wrote some into the same file.
pub fn parse_logins(bytes: &[u8], redactor: &Redactor) -> BTreeMap<String, LoginEvent> {
    #[derive(Deserialize)]
    struct Line {
        timestamp: Timestamp,
        event: String,
        provider: Option<String>,
        result: Option<String>,
        detail: Option<String>,
    }
    let mut logins: BTreeMap<String, LoginEvent> = BTreeMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(line) = serde_json::from_slice::<Line>(line) else {
            continue;
        };
        let (Some(provider), Some(result)) = (line.provider, line.result) else {
            continue;
        };
        // Who logs out does not want what the login before it left open.
        if line.event == "oauth_logout" {
            logins.remove(&provider);
        }
        if line.event != "oauth_login" {
            continue;
        }
        let text = |text: &str| plain::cut(&redactor.clean(&plain::one_line(text)), DETAIL);
        let login = LoginEvent {
            at: line.timestamp,
            result: text(&result),
            detail: line.detail.as_deref().map(text),
        };
        // Lines are appended, so of two at one moment the later one counts.
        let is_newer = logins
            .get(&provider)
            .is_none_or(|known| known.at <= login.at);
        if is_newer {
            logins.insert(text(&provider), login);
        }
    }
    logins
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::SecretString;

    use super::*;

    fn line(at: &str, provider: &str, result: &str, detail: &str) -> String {
        format!(
            r#"{{"timestamp":"{at}","event":"oauth_login","service":null,"profile":null,"provider":"{provider}","result":"{result}","detail":{detail}}}"#
        )
    }

    #[test]
    fn the_last_login_of_each_provider_counts_and_other_shapes_are_skipped() {
        let redactor = Redactor::default();
        redactor.learn(&SecretString::from("hunter22-token"));
        let log = [
            line("2026-11-24T10:00:00.123456+00:00", "codex", "failed", r#""timeout hunter22-token""#),
            r#"{"event":"performance_metric","operation":"x","duration_ms":1,"timestamp":"2026-11-24T10:00:01Z","function":"f"}"#.into(),
            line("2026-11-24T10:00:02+00:00", "copilot", "success", "null"),
            line("2026-11-24T09:00:00+00:00", "copilot", "failed", "null"),
            r#"{"timestamp":"2026-11-24T10:00:03Z","event":"service_start","service":"litellm","profile":null,"provider":null,"result":"success","detail":"pid=1"}"#.into(),
            "{\"timestamp\":\"2026-".into(),
        ]
        .join("\n");
        let logins = parse_logins(log.as_bytes(), &redactor);
        assert_eq!(logins.len(), 2);
        assert_eq!(logins["codex"].result, "failed");
        assert_eq!(
            logins["codex"].detail.as_deref(),
            Some("timeout [redacted]")
        );
        assert_eq!(logins["copilot"].result, "success");
    }

    #[test]
    fn a_login_before_a_logout_is_over() {
        let login = line("2026-11-24T10:00:00Z", "codex", "success", "null");
        let logout = login
            .replace("oauth_login", "oauth_logout")
            .replace("10:00:00", "10:00:01");
        let log = [login.as_str(), &logout].join("\n");
        assert!(parse_logins(log.as_bytes(), &Redactor::default()).is_empty());
        let log = [logout.as_str(), &login].join("\n");
        assert_eq!(parse_logins(log.as_bytes(), &Redactor::default()).len(), 1);
    }

    #[test]
    fn no_log_is_no_login() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        let none = last_logins(&dir.path().join("events.log"), &root, &Redactor::default());
        assert_eq!(none.known(), Some(&BTreeMap::new()));
        let folder = last_logins(dir.path(), &root, &Redactor::default());
        assert!(folder.why_unknown().is_some());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            parse_logins(&bytes, &Redactor::default());
        }
    }
}
