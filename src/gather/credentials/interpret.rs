//! One token file as bytes: provider, expiry, whether it renews itself (`facts/cliproxyapi.md` 5.2).

use flowgate_checks::model::CredentialState;
use flowgate_checks::routes::canonical_provider;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::moment::{moment, moment_of_text};
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::plain;
use crate::sys::redact::Redactor;

/// The keys under which an expiry is looked for, first hit wins, as the program does.
const EXPIRY_KEYS: [&str; 6] = [
    "expired",
    "expire",
    "expires_at",
    "expiresAt",
    "expiry",
    "expires",
];

/// The ends of key names whose values are secrets: `access_token`, `clientSecret`, `private_key`.
const SECRET_ENDS: [&str; 7] = [
    "token", "secret", "key", "cookie", "password", "code", "jwt",
];

/// A value of any other key is taken for a secret from this length on, when it has the form of one.
const LONG_VALUE: usize = 32;

/// Longest account that is taken, in characters.
const LONGEST_ACCOUNT: usize = 80;

/// Shortest value of a secret key that is learnt; `bearer` is none.
const SHORTEST_SECRET: usize = 8;

/// What a token file is. Pure, but for the redactor, which learns every secret in it.
pub fn interpret(
    bytes: &[u8],
    fingerprinter: &Fingerprinter,
    redactor: &Redactor,
) -> CredentialState {
    if bytes.is_empty() {
        return CredentialState::Empty;
    }
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => {
            return CredentialState::NotJson {
                at: format!("line {} column {}", error.line(), error.column()),
            };
        }
    };
    learn(&value, "", redactor);
    let Value::Object(map) = value else {
        return CredentialState::NotJson {
            at: "line 1 column 1".into(),
        };
    };
    let Some(provider) = provider(&map) else {
        return CredentialState::NoType;
    };
    let refresh_token = refresh_token(&map);
    CredentialState::Parsed {
        refreshable: refresh_token.is_some() || renews_without_token(&provider, &map),
        expires_at: expiry(&map),
        disabled: map.get("disabled") == Some(&Value::Bool(true)),
        refresh_token: refresh_token.map(|token| fingerprinter.of(token)),
        account: account(&map),
        provider,
    }
}

fn provider(map: &Map<String, Value>) -> Option<String> {
    match text(map, "type") {
        Some(kind) => Some(canonical_provider(kind)),
        // Kiro's own files may lack the type and are recognised by this.
        None => text(map, "auth_method").map(|_| "kiro".to_owned()),
    }
}

fn refresh_token(map: &Map<String, Value>) -> Option<&str> {
    ["refresh_token", "refreshToken"]
        .into_iter()
        .find_map(|key| text(map, key).or_else(|| text(map.get("token")?.as_object()?, key)))
}

/// Whose login it is: the address, else the user name, of which two letters are enough for whoever
/// owns several.
fn account(map: &Map<String, Value>) -> Option<String> {
    let whole = ["email", "username", "account_id", "project_id"]
        .into_iter()
        .find_map(|key| text(map, key))?;
    let whole = plain::cut(&plain::one_line(whole), LONGEST_ACCOUNT);
    let (name, domain) = match whole.split_once('@') {
        Some((name, domain)) => (name, format!("@{domain}")),
        None => (whole.as_str(), String::new()),
    };
    let start: String = name.chars().take(2).collect();
    let more = if name.chars().count() > 2 { "…" } else { "" };
    Some(format!("{start}{more}{domain}"))
}

/// A GitHub token lives until it is revoked, a service account signs its own tokens, and iFlow may
/// be used by cookie.
fn renews_without_token(provider: &str, map: &Map<String, Value>) -> bool {
    match provider {
        "copilot" | "vertex" => true,
        "iflow" => text(map, "cookie").is_some(),
        _ => false,
    }
}

/// A text that is not blank.
fn text<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    map.get(key)?
        .as_str()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

fn expiry(map: &Map<String, Value>) -> Option<Timestamp> {
    let inner = map.get("token").and_then(Value::as_object);
    [Some(map), inner]
        .into_iter()
        .flatten()
        .find_map(|map| EXPIRY_KEYS.iter().find_map(|key| moment(map.get(*key)?)))
}

/// Learns every value that is a secret by its key or its form.
fn learn(value: &Value, key: &str, redactor: &Redactor) {
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| learn(value, key, redactor)),
        Value::Array(items) => items.iter().for_each(|item| learn(item, key, redactor)),
        Value::String(text) if is_secret(key, text) => {
            redactor.learn(&SecretString::from(text.as_str()));
        }
        _ => {}
    }
}

fn is_secret(key: &str, text: &str) -> bool {
    let text = text.trim();
    // Where a token is fetched is no secret, and many findings name addresses.
    if text.starts_with("https://") || text.starts_with("http://") || text.starts_with('/') {
        return false;
    }
    let key = key.to_ascii_lowercase();
    if SECRET_ENDS.iter().any(|end| key.ends_with(end)) {
        return text.len() >= SHORTEST_SECRET;
    }
    let is_known = key == "email" || key == "scope" || key.ends_with("arn");
    text.len() >= LONG_VALUE
        && !is_known
        && !text.contains(char::is_whitespace)
        && moment_of_text(text).is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn state(text: &str) -> CredentialState {
        interpret(
            text.as_bytes(),
            &Fingerprinter::fixed([7; 32]),
            &Redactor::default(),
        )
    }

    fn expires(text: &str) -> Option<String> {
        match state(text) {
            CredentialState::Parsed { expires_at, .. } => expires_at.map(|at| at.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_codex_file_is_read_without_its_tokens() {
        let text = r#"{"id_token": "eyJhbGciOiAibm9uZSJ9.eyJhdWQiOiBbImFwcF9sYWIiXX0.c2ln", "access_token": "at-lab-dummy-0001", "refresh_token": "rt-lab-dummy-0001", "account_id": "acct-lab-0001", "last_refresh": "2026-11-20T00:00:00Z", "email": "dev@example.test", "type": "codex", "expired": "2027-12-31T00:00:00Z"}"#;
        let fingerprinter = Fingerprinter::fixed([7; 32]);
        let redactor = Redactor::default();
        assert_eq!(
            interpret(text.as_bytes(), &fingerprinter, &redactor),
            CredentialState::Parsed {
                provider: "codex".into(),
                expires_at: Some("2027-12-31T00:00:00Z".parse().unwrap()),
                refreshable: true,
                disabled: false,
                refresh_token: Some(fingerprinter.of("rt-lab-dummy-0001")),
                account: Some("de…@example.test".into()),
            }
        );
        let whole: Value = serde_json::from_str(text).unwrap();
        for key in ["id_token", "access_token", "refresh_token"] {
            let secret = whole[key].as_str().unwrap();
            let mut said = Value::from(format!("x {secret} y"));
            redactor.clean_json(&mut said);
            assert_eq!(said, "x [redacted] y");
        }
        let mut kept = serde_json::json!(["2027-12-31T00:00:00Z", "dev@example.test", "codex"]);
        let before = kept.clone();
        redactor.clean_json(&mut kept);
        assert_eq!(kept, before);
    }

    #[test]
    fn every_spelling_of_an_expiry_is_read() {
        for (text, expected) in [
            (
                r#""expired":"2027-01-01T08:00:00+08:00""#,
                "2027-01-01T00:00:00Z",
            ),
            (
                r#""expire":"2027-01-01T00:00:00.5Z""#,
                "2027-01-01T00:00:00.5Z",
            ),
            (r#""expires_at":"2027-01-01 00:00""#, "2027-01-01T00:00:00Z"),
            (
                r#""expiresAt":"2027-01-01 00:00:09""#,
                "2027-01-01T00:00:09Z",
            ),
            (r#""expiry":1798761600"#, "2027-01-01T00:00:00Z"),
            (r#""expires":1798761600000"#, "2027-01-01T00:00:00Z"),
            (r#""expires":"1798761600""#, "2027-01-01T00:00:00Z"),
            (
                r#""token":{"expiry":"2027-01-01T00:00:00Z"}"#,
                "2027-01-01T00:00:00Z",
            ),
            (
                r#""expired":"","expires_at":1798761600"#,
                "2027-01-01T00:00:00Z",
            ),
        ] {
            let file = format!(r#"{{"type":"codex",{text}}}"#);
            assert_eq!(expires(&file).as_deref(), Some(expected), "{text}");
        }
        for text in [
            r#""expired":"soon""#,
            r#""expired":"0001-01-01T00:00:00Z""#,
            r#""expires":0"#,
            r#""expires":1e400"#,
            r#""expires":[]"#,
        ] {
            let file = format!(r#"{{"type":"codex",{text}}}"#);
            if let CredentialState::Parsed { expires_at, .. } = state(&file) {
                assert_eq!(expires_at, None, "{text}");
            }
        }
    }

    #[test]
    fn providers_are_told_by_type_or_method() {
        for (text, provider, refreshable) in [
            (
                r#"{"type":"github-copilot","access_token":"gho_abcdefgh"}"#,
                "copilot",
                true,
            ),
            (r#"{"type":"claude","refresh_token":" "}"#, "claude", false),
            (
                r#"{"type":"anthropic","refresh_token":"rt-1234567"}"#,
                "claude",
                true,
            ),
            (
                r#"{"auth_method":"social","refresh_token":"rt-1234567"}"#,
                "kiro",
                true,
            ),
            (
                r#"{"type":"gemini","token":{"refresh_token":"1//abc"}}"#,
                "gemini",
                true,
            ),
            (r#"{"type":"vertex","service_account":{}}"#, "vertex", true),
            (r#"{"type":"Acme"}"#, "acme", false),
        ] {
            let CredentialState::Parsed {
                provider: told,
                refreshable: told_refreshable,
                ..
            } = state(text)
            else {
                panic!("{text}")
            };
            assert_eq!(
                (told.as_str(), told_refreshable),
                (provider, refreshable),
                "{text}"
            );
        }
    }

    #[test]
    fn broken_files_are_told_apart() {
        assert_eq!(state(""), CredentialState::Empty);
        assert_eq!(
            state("{\"type\": \"codex\", \"refresh"),
            CredentialState::NotJson {
                at: "line 1 column 26".into()
            }
        );
        assert!(matches!(state("[]"), CredentialState::NotJson { .. }));
        assert!(matches!(state(" \n"), CredentialState::NotJson { .. }));
        assert_eq!(state("{}"), CredentialState::NoType);
        assert_eq!(state(r#"{"type": 5}"#), CredentialState::NoType);
        assert!(matches!(
            state(r#"{"type":"codex","disabled":true}"#),
            CredentialState::Parsed { disabled: true, .. }
        ));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_no_token_leaves_it(
            bytes in proptest::collection::vec(any::<u8>(), 0..120),
            number in any::<f64>(),
            text in "\\PC{0,40}",
        ) {
            interpret(&bytes, &Fingerprinter::fixed([7; 32]), &Redactor::default());
            let file = serde_json::json!({
                "type": "codex", "expired": number, "expires_at": text,
                "refresh_token": format!("Zq7planted{text}"),
            });
            let shown = format!("{:?}", state(&file.to_string()));
            prop_assert!(!shown.contains("Zq7planted"));
        }
    }
}
