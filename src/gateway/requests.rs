//! The one table of every request that a look may send, and the only way to make one.
//!
//! A [`Request`] has private fields and a constructor per row, so that nothing else can be sent:
//! never LiteLLM's `/health` (it calls every model: `facts/litellm.md` 6), never a management
//! request without a confirmed key (it counts towards a ban: `facts/cliproxyapi.md` 3.4),
//! never a login route.

use flowgate_checks::model::ServiceKind;
use secrecy::{ExposeSecret, SecretString};

use super::management::ConfirmedKey;

pub use super::readiness::ReadinessPath;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Who answers there.
    Identity,
    /// Whether LiteLLM lives.
    Liveness,
    /// What the configured readiness path says.
    Readiness,
    /// Whether a key is accepted, and which models are offered.
    Models,
    /// What the program says of its auth files.
    AuthFiles,
}

/// Which key a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// None.
    Keyless,
    /// A key of a client or of LiteLLM.
    Client,
    /// A management key that was confirmed without asking.
    Management,
}

/// One row of the table; every request is a `GET`.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is for.
    pub purpose: Purpose,
    /// The programs that are asked.
    pub programs: &'static [ServiceKind],
    /// The path; none where it is the configured readiness path.
    pub path: Option<&'static str>,
    /// Which key it carries.
    pub key: KeyUse,
    /// Bytes of a body that are read at most; lists of a trusted program may be long.
    pub body_limit: usize,
}

const SHORT: usize = 64 * 1024;
const LONG: usize = 1024 * 1024;

use ServiceKind::{Cliproxyapi, Litellm};

const ROOT: Row = row(
    Purpose::Identity,
    &[Litellm, Cliproxyapi],
    Some("/"),
    KeyUse::Keyless,
    SHORT,
);
const LIVENESS: Row = row(
    Purpose::Liveness,
    &[Litellm],
    Some("/health/liveliness"),
    KeyUse::Keyless,
    SHORT,
);
const READINESS: Row = row(
    Purpose::Readiness,
    &[Litellm, Cliproxyapi],
    None,
    KeyUse::Keyless,
    SHORT,
);
const MODELS: Row = row(
    Purpose::Models,
    &[Litellm, Cliproxyapi],
    Some("/v1/models"),
    KeyUse::Client,
    LONG,
);
const OPEN_MODELS: Row = row(
    Purpose::Models,
    &[Cliproxyapi],
    Some("/v1/models"),
    KeyUse::Keyless,
    LONG,
);
const AUTH_FILES: Row = row(
    Purpose::AuthFiles,
    &[Cliproxyapi],
    Some("/v0/management/auth-files"),
    KeyUse::Management,
    LONG,
);

/// Every request that a look may send.
pub const TABLE: &[&Row] = &[
    &ROOT,
    &LIVENESS,
    &READINESS,
    &MODELS,
    &OPEN_MODELS,
    &AUTH_FILES,
];

const fn row(
    purpose: Purpose,
    programs: &'static [ServiceKind],
    path: Option<&'static str>,
    key: KeyUse,
    body_limit: usize,
) -> Row {
    Row {
        purpose,
        programs,
        path,
        key,
        body_limit,
    }
}

/// Whether the table lists a request, as a program that counts its requests saw it.
///
/// `readiness_path` is what flowgate.yaml says of that program.
pub fn is_listed(
    program: ServiceKind,
    method: &str,
    path: &str,
    has_key: bool,
    readiness_path: &str,
) -> bool {
    let readiness = ReadinessPath::new(program, readiness_path);
    method == "GET"
        && TABLE.iter().any(|row| {
            let expected = row.path.or(readiness.as_ref().map(ReadinessPath::as_str));
            row.programs.contains(&program)
                && (row.key != KeyUse::Keyless) == has_key
                && expected == Some(path)
        })
}

/// A key of a client or of LiteLLM; never empty, so that no empty key is ever sent.
#[derive(Debug, Clone)]
pub struct ClientKey(SecretString);

impl ClientKey {
    /// A key; none when it is empty or cannot stand in a header.
    pub fn new(secret: &SecretString) -> Option<Self> {
        let key = secret.expose_secret().trim();
        let is_plain = key.bytes().all(|byte| (0x21..0x7f).contains(&byte));
        (!key.is_empty() && is_plain).then(|| Self(SecretString::from(key)))
    }

    pub(super) fn secret(&self) -> &SecretString {
        &self.0
    }
}

/// One request of the table.
#[derive(Debug, Clone)]
pub struct Request {
    row: &'static Row,
    path: String,
    key: Option<SecretString>,
}

impl Request {
    /// `GET /` without a key.
    pub fn root() -> Self {
        Self::keyless(&ROOT, "/")
    }

    /// `GET /health/liveliness` of LiteLLM without a key.
    pub fn liveness() -> Self {
        Self::keyless(&LIVENESS, "/health/liveliness")
    }

    /// The configured readiness path without a key.
    pub fn readiness(path: &ReadinessPath) -> Self {
        Self::keyless(&READINESS, path.as_str())
    }

    /// `GET /v1/models` with a key.
    pub fn models(key: ClientKey) -> Self {
        Self {
            key: Some(key.0),
            ..Self::keyless(&MODELS, "/v1/models")
        }
    }

    /// `GET /v1/models` without a key, of a CLIProxyAPI to which LiteLLM sends none.
    pub fn open_models() -> Self {
        Self::keyless(&OPEN_MODELS, "/v1/models")
    }

    /// `GET /v0/management/auth-files` with a confirmed key.
    pub fn auth_files(key: &ConfirmedKey) -> Self {
        Self {
            key: Some(key.secret().clone()),
            ..Self::keyless(&AUTH_FILES, "/v0/management/auth-files")
        }
    }

    fn keyless(row: &'static Row, path: &str) -> Self {
        Self {
            row,
            path: path.to_owned(),
            key: None,
        }
    }

    /// The row of the table that it is made from.
    pub fn row(&self) -> &'static Row {
        self.row
    }

    /// The path, with its leading `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The key that it carries as a bearer token.
    pub(super) fn key(&self) -> Option<&SecretString> {
        self.key.as_ref()
    }

    /// `GET /v1/models`
    pub fn describe(&self) -> String {
        format!("GET {}", self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lists_no_health_no_login_and_no_keyless_management() {
        for row in TABLE {
            let path = row.path.unwrap_or("/");
            assert_ne!(path, "/health");
            assert!(!path.contains("auth-url") && !path.contains("get-auth-status"));
            assert_eq!(path.starts_with("/v0/"), row.key == KeyUse::Management);
        }
        assert!(is_listed(Litellm, "GET", "/v1/models", true, "/health"));
        assert!(is_listed(
            Litellm,
            "GET",
            "/health/readiness",
            false,
            "/health"
        ));
        assert!(!is_listed(Litellm, "GET", "/health", false, "/health"));
        assert!(!is_listed(
            Litellm,
            "GET",
            "/v1/models",
            false,
            "/v1/models"
        ));
        assert!(!is_listed(Litellm, "POST", "/", false, "/"));
        assert!(!is_listed(
            Cliproxyapi,
            "GET",
            "/v0/management/auth-files",
            false,
            "/"
        ));
        assert!(is_listed(
            Cliproxyapi,
            "GET",
            "/v0/management/auth-files",
            true,
            "/"
        ));
    }

    #[test]
    fn empty_and_unsendable_keys_make_no_request() {
        for text in ["", "  ", "a b", "a\r\nX-Evil: 1", "ké"] {
            assert!(
                ClientKey::new(&SecretString::from(text)).is_none(),
                "{text:?}"
            );
        }
    }
}
