//! What the program says of its auth files (`facts/cliproxyapi.md` 3.5, `facts/real-stack.md`, Auth files).

use flowgate_checks::model::AuthFileStatus;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::excerpt::one_line;
use crate::sys::redact::Redactor;

/// Most auth files that are taken from one list.
const MOST: usize = 2000;

/// Longest name or status that is taken, in characters.
const LONGEST_NAME: usize = 120;

/// Longest status message that is taken, in characters.
const LONGEST_MESSAGE: usize = 200;

/// What the program says of its auth files, at most 2000; none when it is no such list.
pub fn parse(body: &[u8], redactor: &Redactor) -> Option<Vec<AuthFileStatus>> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let files = json.get("files")?.as_array()?;
    Some(
        files
            .iter()
            .take(MOST)
            .filter_map(|file| status(file, redactor))
            .collect(),
    )
}

fn status(file: &Value, redactor: &Redactor) -> Option<AuthFileStatus> {
    let text = |key: &str| file.get(key).and_then(Value::as_str).unwrap_or_default();
    let first = |keys: [&str; 2]| {
        let mut texts = keys.into_iter().map(text);
        texts.find(|text| !text.is_empty())
    };
    let name = first(["name", "id"])?;
    let provider = first(["provider", "type"]).unwrap_or("unknown");
    let message = one_line(&redactor.clean(text("status_message")), LONGEST_MESSAGE);
    let told_at = text("updated_at").parse().ok();
    let retry: Option<Timestamp> = text("next_retry_after").parse().ok();
    Some(AuthFileStatus {
        name: one_line(name, LONGEST_NAME),
        provider: one_line(provider, LONGEST_NAME),
        status: one_line(text("status"), LONGEST_NAME),
        next_retry_after: retry
            // Go's zero time is none.
            .filter(|at| at.as_second() > 0)
            .or_else(|| reset(text("status_message"), told_at)),
        status_message: (!message.is_empty()).then_some(message),
        unavailable: file.get("unavailable") == Some(&Value::Bool(true)),
    })
}

/// When a limit ends, by the provider's own words:
/// `{"error":{"type":"usage_limit_reached","resets_at":1764000000,"resets_in_seconds":3600}}`.
fn reset(message: &str, told_at: Option<Timestamp>) -> Option<Timestamp> {
    let said: Value = serde_json::from_str(message).ok()?;
    let error = said.get("error")?;
    if let Some(at) = error.get("resets_at").and_then(Value::as_i64) {
        return Timestamp::from_second(at).ok().filter(|_| at > 0);
    }
    let seconds = error.get("resets_in_seconds").and_then(Value::as_i64)?;
    told_at?
        .checked_add(SignedDuration::from_secs(seconds))
        .ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn auth_files_are_read_without_their_secrets() {
        let body = br#"{"files":[
            {"account":"dev@example.test","account_type":"oauth","auth_index":0,"disabled":false,"id":"codex-dev@example.test.json","name":"codex-dev@example.test.json","path":"/home/dev/gw/.router/auths/codex-dev@example.test.json","provider":"codex","runtime_only":false,"size":694,"source":"file","status":"error","status_message":"{\"error\": {\"message\": \"Your authentication token has been invalidated. Bearer abcdefgh12345\"}}","type":"codex","unavailable":true},
            {"id":"b.json","type":"github-copilot","status":"active","status_message":""},
            {"status":"active"}]}"#;
        let files = parse(body, &Redactor::default()).unwrap();
        assert_eq!(files.len(), 2);
        assert_eq!(files[0].provider, "codex");
        assert!(files[0].unavailable);
        let message = files[0].status_message.as_deref().unwrap();
        assert!(message.contains("invalidated") && !message.contains("abcdefgh"));
        assert_eq!(
            (files[1].name.as_str(), files[1].provider.as_str()),
            ("b.json", "github-copilot")
        );
        assert_eq!(files[1].status_message, None);
        assert_eq!(parse(b"[]", &Redactor::default()), None);
    }

    #[test]
    fn the_end_of_a_limit_is_told_by_the_program_or_the_provider() {
        let at = |fields: &str| {
            let body = format!(r#"{{"files":[{{"name":"a.json","status":"error",{fields}}}]}}"#);
            let files = parse(body.as_bytes(), &Redactor::default()).unwrap();
            files[0].next_retry_after.map(|at| at.to_string())
        };
        assert_eq!(
            at(r#""next_retry_after":"2026-11-23T15:30:00Z""#).as_deref(),
            Some("2026-11-23T15:30:00Z")
        );
        assert_eq!(
            at(r#""updated_at":"2026-11-23T14:00:00Z","status_message":"{\"error\":{\"resets_in_seconds\":3600}}""#).as_deref(),
            Some("2026-11-23T15:00:00Z")
        );
        assert_eq!(
            at(r#""status_message":"{\"error\":{\"resets_at\":1795450000}}""#).as_deref(),
            Some("2026-11-23T16:06:40Z")
        );
        for fields in [
            r#""next_retry_after":"0001-01-01T00:00:00Z""#,
            r#""status_message":"{\"error\":{\"resets_in_seconds\":3600}}""#,
            r#""status_message":"{\"error\":{\"resets_at\":9223372036854775807}}""#,
            r#""updated_at":"2026-11-23T14:00:00Z","status_message":"{\"error\":{\"resets_in_seconds\":9223372036854775807}}""#,
        ] {
            assert_eq!(at(fields), None, "{fields}");
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..200), message in ".{0,60}") {
            parse(&body, &Redactor::default());
            reset(&message, Some(Timestamp::UNIX_EPOCH));
        }
    }
}
