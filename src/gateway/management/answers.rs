//! What the routes of a login answer (`facts/cliproxyapi.md` 3.5, 4.4), and why one does not.

use flowgate_checks::model::Outcome;
use reqwest::Url;
use secrecy::SecretString;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::sys::plain;
use crate::sys::redact::Redactor;

/// Longest text of a server that is repeated, in characters.
const LONGEST_TEXT: usize = 200;

/// Longest code that a person is asked to type, in characters.
const LONGEST_CODE: usize = 40;

/// Longest URL that is handed on, in bytes.
const LONGEST_URL: usize = 8 * 1024;

/// A login that has begun.
#[derive(Debug)]
pub struct Begun {
    /// Where the person logs in; none while that is still to come.
    pub url: Option<String>,
    /// What tells this login from others; a secret while it waits.
    pub state: SecretString,
    /// The code to type there, of a device flow.
    pub user_code: Option<String>,
    /// Seconds until the code is worth nothing, when the answer says so.
    pub expires_in: Option<u64>,
}

/// How a login goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginStatus {
    /// It waits for the person.
    Wait,
    /// It waits, and this is where the person goes.
    WaitAt {
        /// Where.
        url: String,
        /// The code to type there.
        user_code: Option<String>,
    },
    /// It is over, well; older builds say so of a login that they do not know too.
    Ok(String),
    /// It is over, not well.
    Failed {
        /// `error`, `denied`, `expired`.
        status: String,
        /// What the program says of it, plain and without secrets.
        text: Option<String>,
    },
}

/// Why a request of a login came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// There is no management API.
    #[error("the management API is off (404)")]
    Off,
    /// This build has no such route.
    #[error("this build has no {path} (404)")]
    NoRoute {
        /// The path, without its query.
        path: String,
    },
    /// The key was refused; no further request is sent.
    #[error("the management key was refused (401)")]
    Key,
    /// This machine is banned; no further request is sent.
    #[error("the management API has banned this machine for {minutes} min more (403)")]
    Banned {
        /// How long, rounded up.
        minutes: u32,
    },
    /// It takes requests of other addresses only.
    #[error("remote management is disabled (403)")]
    Remote,
    /// It said why not.
    #[error("{text} ({status})")]
    Said {
        /// The status.
        status: u16,
        /// Its words, plain and without secrets.
        text: String,
    },
    /// There was no answer.
    #[error("{}", no_answer(.0))]
    Unreached(Outcome),
    /// There was one that makes no sense.
    #[error("{0}")]
    Garbled(&'static str),
}

fn no_answer(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused => "connection refused".into(),
        Outcome::Timeout => "no answer in time".into(),
        Outcome::Reset => "the connection was cut".into(),
        Outcome::NotHttp => "what answered is not HTTP".into(),
        Outcome::WrongScheme => "it speaks the other of http and https".into(),
        Outcome::TlsRefused => "its certificate is not the one of tls.cert".into(),
        Outcome::Unreachable { why } => why.clone(),
        Outcome::Http { status, .. } => format!("HTTP {status}"),
    }
}

impl Begun {
    /// Reads the answer of a `…-auth-url` route.
    ///
    /// # Errors
    /// [`Refused::Garbled`]: without a state no later answer could be told from that of another
    /// login, and older builds say `ok` of an empty one.
    pub fn read(body: &[u8]) -> Result<Self, Refused> {
        let map = object(body)?;
        let url = ["auth_url", "url", "login_url", "verification_uri"]
            .iter()
            .find_map(|key| text(&map, key))
            .map(web_address)
            .transpose()?;
        let of_url = || {
            let url = Url::parse(url.as_deref()?).ok()?;
            url.query_pairs()
                .find(|(name, _)| name == "state")
                .map(|(_, state)| state.into_owned())
        };
        let state = text(&map, "state")
            .map(str::to_owned)
            .or_else(of_url)
            .filter(|state| is_plain_word(state))
            .ok_or(Refused::Garbled("the auth-url answer names no state"))?;
        if url.is_none() && text(&map, "method").is_none() {
            return Err(Refused::Garbled(
                "OAuth auth-url endpoint did not return auth_url/url/login_url",
            ));
        }
        Ok(Self {
            url,
            state: SecretString::from(state),
            user_code: text(&map, "user_code").map(code),
            expires_in: map.get("expires_in").and_then(Value::as_u64),
        })
    }
}

impl LoginStatus {
    /// Reads the answer of `get-auth-status`.
    ///
    /// # Errors
    /// [`Refused::Garbled`], when it is no JSON object or names an address that is none.
    pub fn read(body: &[u8], redactor: &Redactor) -> Result<Self, Refused> {
        let map = object(body)?;
        let status = text(&map, "status")
            .unwrap_or_default()
            .to_ascii_lowercase();
        let words = |key| text(&map, key).map(|text| clean(text, redactor));
        Ok(match status.as_str() {
            "success" | "completed" | "authorized" | "ok" => Self::Ok(status),
            "failed" | "error" | "denied" | "expired" | "cancelled" => Self::Failed {
                status,
                text: words("error").or_else(|| words("message")),
            },
            "device_code" | "auth_url" => {
                let url = ["verification_url", "url"]
                    .iter()
                    .find_map(|key| text(&map, key));
                match url {
                    Some(url) => Self::WaitAt {
                        url: web_address(url)?,
                        user_code: text(&map, "user_code").map(code),
                    },
                    None => Self::Wait,
                }
            }
            _ => Self::Wait,
        })
    }
}

/// What a server says under `error` or `message`; else a few words of its own.
pub(super) fn said(status: u16, body: &[u8], redactor: &Redactor) -> Refused {
    let map = object(body).unwrap_or_default();
    let text = ["error", "message"]
        .iter()
        .find_map(|key| text(&map, key))
        .map_or_else(
            || "it said no more".to_owned(),
            |text| clean(text, redactor),
        );
    Refused::Said { status, text }
}

fn clean(text: &str, redactor: &Redactor) -> String {
    plain::cut(&redactor.clean(&plain::one_line(text)), LONGEST_TEXT)
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Refused> {
    serde_json::from_slice(body).map_err(|_| Refused::Garbled("the answer is no JSON object"))
}

fn text<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    map.get(key)?
        .as_str()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// A URL that may go to a terminal and to a browser: http or https, without anything that acts on
/// a terminal.
fn web_address(text: &str) -> Result<String, Refused> {
    let is_plain = text.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    let is_web = Url::parse(text)
        .is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    if text.len() <= LONGEST_URL && is_plain && is_web {
        Ok(text.to_owned())
    } else {
        Err(Refused::Garbled("the login URL is no http or https URL"))
    }
}

fn code(text: &str) -> String {
    plain::cut(&plain::one_line(text), LONGEST_CODE)
}

/// A state goes into a query as it is.
fn is_plain_word(state: &str) -> bool {
    state.len() <= 256
        && state
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    fn begun(text: &str) -> Result<Begun, Refused> {
        Begun::read(text.as_bytes())
    }

    fn status(text: &str) -> LoginStatus {
        LoginStatus::read(text.as_bytes(), &Redactor::default()).unwrap()
    }

    #[test]
    fn a_login_begins_with_a_url_and_a_state() {
        let told = begun(r#"{"status":"ok","url":"https://a.example/x?state=s1","state":"s1"}"#);
        let told = told.unwrap();
        assert_eq!(told.url.as_deref(), Some("https://a.example/x?state=s1"));
        assert_eq!(told.state.expose_secret(), "s1");
        // The first of the three names counts; a state may stand in the URL alone.
        let told =
            begun(r#"{"auth_url":"https://a.example/?state=s2","url":"https://b.example/"}"#);
        assert_eq!(told.unwrap().state.expose_secret(), "s2");
        let told = begun(
            r#"{"status":"ok","url":"https://github.com/login/device","state":"gh-1","user_code":"ABCD-1234","verification_uri":"https://github.com/login/device"}"#,
        );
        assert_eq!(told.unwrap().user_code.as_deref(), Some("ABCD-1234"));
        let told = begun(r#"{"status":"ok","state":"kiro-1","method":"device_code"}"#).unwrap();
        assert_eq!(told.url, None);
    }

    #[test]
    fn an_answer_without_state_or_with_a_strange_url_begins_nothing() {
        for text in [
            "[]",
            "not json",
            r#"{"status":"ok","url":"https://a.example/"}"#,
            r#"{"status":"ok","state":"s1"}"#,
            r#"{"url":"javascript:alert(1)","state":"s1"}"#,
            r#"{"url":"file:///etc/passwd","state":"s1"}"#,
            "{\"url\":\"https://a.example/\\u001b[2J\",\"state\":\"s1\"}",
            r#"{"url":"https://a.example/","state":"../x"}"#,
            r#"{"url":"https://a.example/","state":"a b"}"#,
        ] {
            assert!(matches!(begun(text), Err(Refused::Garbled(_))), "{text}");
        }
    }

    #[test]
    fn every_word_of_a_status_is_known() {
        assert_eq!(status(r#"{"status":"wait"}"#), LoginStatus::Wait);
        assert_eq!(status(r#"{"status":"pending"}"#), LoginStatus::Wait);
        for word in ["success", "completed", "authorized", "ok", " OK "] {
            let told = status(&format!(r#"{{"status":"{word}"}}"#));
            assert_eq!(told, LoginStatus::Ok(word.trim().to_lowercase()));
        }
        for word in ["failed", "error", "denied", "expired", "cancelled"] {
            assert!(matches!(
                status(&format!(r#"{{"status":"{word}"}}"#)),
                LoginStatus::Failed { text: None, .. }
            ));
        }
        assert_eq!(
            status(r#"{"status":"error","error":"Bad Request"}"#),
            LoginStatus::Failed {
                status: "error".into(),
                text: Some("Bad Request".into())
            }
        );
        assert_eq!(
            status(
                r#"{"status":"device_code","verification_url":"https://v.example/","user_code":"AB"}"#
            ),
            LoginStatus::WaitAt {
                url: "https://v.example/".into(),
                user_code: Some("AB".into())
            }
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_no_secret_passes(
            bytes in proptest::collection::vec(any::<u8>(), 0..120),
            around in "[ -~]{0,30}",
        ) {
            let redactor = Redactor::default();
            redactor.learn(&SecretString::from("Zq7planted"));
            let _ = Begun::read(&bytes);
            let _ = LoginStatus::read(&bytes, &redactor);
            let body = serde_json::json!({"status": "error", "error": format!("{around} Zq7planted")});
            let told = LoginStatus::read(body.to_string().as_bytes(), &redactor);
            let shown = format!("{told:?}");
            prop_assert!(!shown.contains("Zq7planted"));
            let told = said(500, body.to_string().as_bytes(), &redactor);
            let shown = format!("{told:?}");
            prop_assert!(!shown.contains("Zq7planted"));
        }
    }
}
