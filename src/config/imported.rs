//! A login of the Codex CLI in the form that CLIProxyAPIPlus reads (`facts/original.md` 4.10,
//! `facts/cliproxyapi.md` 5.2).

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::sys::jwt;

/// The claim under which OpenAI tells the account.
const AUTH_CLAIM: &str = "https://api.openai.com/auth";

/// Why a login cannot be taken over, in the words that scripts know.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ImportError {
    /// It is no JSON.
    #[error("Invalid JSON file: {0}")]
    NotJson(String),
    /// It is JSON, and no object.
    #[error("Headless auth file must be a JSON object")]
    NotObject,
    /// It lacks something.
    #[error("Headless auth file missing {0}")]
    Missing(&'static str),
}

/// A login that was taken over. No `Debug` of its text: it is a secret.
#[derive(Debug)]
pub struct Imported {
    /// The token file.
    pub text: SecretString,
    /// Whose it is, as its token tells.
    pub email: Option<String>,
}

/// Takes over the content of `auth.json` of the Codex CLI; `shown` is its path for messages.
///
/// # Errors
/// [`ImportError`], when it holds no login.
pub fn from_codex(bytes: &[u8], shown: &str) -> Result<Imported, ImportError> {
    let document: Value =
        serde_json::from_slice(bytes).map_err(|_| ImportError::NotJson(shown.to_owned()))?;
    let document = document.as_object().ok_or(ImportError::NotObject)?;
    let tokens = document
        .get("tokens")
        .and_then(Value::as_object)
        .ok_or(ImportError::Missing("tokens object"))?;
    let access = text(tokens, "access_token").ok_or(ImportError::Missing("tokens.access_token"))?;
    let refresh =
        text(tokens, "refresh_token").ok_or(ImportError::Missing("tokens.refresh_token"))?;
    let identity = text(tokens, "id_token").unwrap_or_default();
    let who = jwt::claims(identity).unwrap_or_default();
    let email = who.get("email").and_then(Value::as_str);
    let account = text(tokens, "account_id").or_else(|| {
        let claim = who.get(AUTH_CLAIM)?.get("chatgpt_account_id")?;
        claim.as_str()
    });
    let mut file = json!({
        "type": "codex",
        "token_type": "bearer",
        "access_token": access,
        "refresh_token": refresh,
        "id_token": identity,
        "account_id": account.unwrap_or_default(),
        "email": email.unwrap_or_default(),
        "last_refresh": text(document, "last_refresh").unwrap_or_default(),
    });
    // Without it the program takes the token for one that lasts.
    let expires = jwt::claims(access).and_then(|claims| claims.get("exp")?.as_i64());
    if let Some(at) = expires.and_then(|exp| Timestamp::from_second(exp).ok()) {
        file["expired"] = Value::from(at.to_string());
    }
    Ok(Imported {
        text: SecretString::from(format!("{file:#}\n")),
        email: email.map(str::to_owned),
    })
}

/// A text that is not blank.
fn text<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    map.get(key)?
        .as_str()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn what_the_token_tells_is_filled_in() {
        let source = br#"{"OPENAI_API_KEY":null,"tokens":{"access_token":"h.eyJleHAiOjE3OTg3NjE2MDB9.s","refresh_token":"rt-1","id_token":"h.eyJlbWFpbCI6ImFuYUBleGFtcGxlLmNvbSJ9.s"},"last_refresh":"2026-11-20T00:00:00Z"}"#;
        let imported = from_codex(source, "a").unwrap();
        assert_eq!(imported.email.as_deref(), Some("ana@example.com"));
        let file: Value = serde_json::from_str(imported.text.expose_secret()).unwrap();
        for (key, value) in [
            ("type", "codex"),
            ("token_type", "bearer"),
            ("refresh_token", "rt-1"),
            ("email", "ana@example.com"),
            ("account_id", ""),
            ("expired", "2027-01-01T00:00:00Z"),
            ("last_refresh", "2026-11-20T00:00:00Z"),
        ] {
            assert_eq!(file[key], value, "{key}");
        }
        assert!(!format!("{imported:?}").contains("rt-1"));
    }

    #[test]
    fn what_holds_no_login_is_refused_in_the_words_that_scripts_know() {
        for (source, said) in [
            ("", "Invalid JSON file: /a"),
            ("[]", "Headless auth file must be a JSON object"),
            ("{}", "Headless auth file missing tokens object"),
            (
                r#"{"tokens":{"access_token":" "}}"#,
                "Headless auth file missing tokens.access_token",
            ),
            (
                r#"{"tokens":{"access_token":"a"}}"#,
                "Headless auth file missing tokens.refresh_token",
            ),
        ] {
            let error = from_codex(source.as_bytes(), "/a").unwrap_err();
            assert_eq!(error.to_string(), said);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in r#"(\{|\}|"tokens"|"access_token"|"refresh_token"|:|,|"a.b.c"|1){0,30}"#) {
            let _ = from_codex(text.as_bytes(), "/a");
        }
    }
}
