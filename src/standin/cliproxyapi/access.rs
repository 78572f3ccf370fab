//! Who may ask what: client keys, management keys, bans (`facts/cliproxyapi.md` 3.2, 3.4).

use std::sync::atomic::{AtomicU32, Ordering};

use super::config::Config;
use super::edition::{Edition, JSON};
use crate::standin::http::{Request, Response};

/// Failures until an address is banned.
const MOST_FAILURES: u32 = 5;

/// The refusal of a request for models or chats; none when it is let in.
pub(super) fn refuse_client(
    request: &Request,
    config: &Config,
    edition: Edition,
) -> Option<Response> {
    if edition == Edition::Mainline && config.has_template_keys() {
        let body = r#"{"error":"unsafe_example_api_key","message":"Proxy API endpoints are disabled because api-keys contains template values. Open /management.html?safe-mode=configure, update api-keys in Management, then retry."}"#;
        let response = Response::new(403, JSON, body);
        return Some(response.with("X-Cpa-Safe-Mode", "example-api-key"));
    }
    let keys: Vec<&String> = config
        .keys
        .as_ref()?
        .iter()
        .filter(|key| !key.is_empty())
        .collect();
    let given = [
        request.bearer(),
        request.header("x-goog-api-key"),
        request.header("x-api-key"),
        request.parameter("key"),
        request.parameter("auth_token"),
    ];
    let mut given = given.into_iter().flatten().peekable();
    if keys.is_empty() || given.peek().is_none() {
        return Some(Response::new(401, JSON, r#"{"error":"Missing API key"}"#));
    }
    if given.any(|given| keys.iter().any(|key| *key == given)) {
        return None;
    }
    Some(Response::new(401, JSON, r#"{"error":"Invalid API key"}"#))
}

/// The guard of the management API.
pub(super) struct Management {
    password: Option<String>,
    edition: Edition,
    /// Failures of this address since its last success; forgotten with the process.
    failures: AtomicU32,
}

impl Management {
    pub fn new(password: Option<&str>, edition: Edition) -> Self {
        Self {
            password: password.map(|password| password.trim().to_owned()),
            edition,
            failures: AtomicU32::new(0),
        }
    }

    /// Whether there is a management API at all.
    pub fn is_on(&self, config: &Config) -> bool {
        config.secret.is_some() || self.password.is_some()
    }

    /// The refusal of a management request, with the headers of every such answer.
    pub fn refuse(&self, request: &Request, config: &Config) -> Option<Response> {
        self.judge(request, config)
            .map(|(status, body)| self.edition.stamped(Response::new(status, JSON, body)))
    }

    fn judge(&self, request: &Request, config: &Config) -> Option<(u16, &'static str)> {
        let is_remote = request
            .header("x-forwarded-for")
            .is_some_and(|from| !matches!(from.trim(), "127.0.0.1" | "::1"));
        if is_remote && !config.allow_remote && self.password.is_none() {
            return Some((403, r#"{"error":"remote management disabled"}"#));
        }
        // Plus exempts loopback from bans, and there is nothing else here.
        let is_banned = self.edition == Edition::Mainline
            && self.failures.load(Ordering::SeqCst) >= MOST_FAILURES;
        if is_banned {
            return Some((
                403,
                r#"{"error":"IP banned due to too many failed attempts. Try again in 30m0s"}"#,
            ));
        }
        let given = request.bearer().or_else(|| {
            request
                .header("x-management-key")
                .filter(|key| !key.is_empty())
        });
        let Some(given) = given else {
            self.failures.fetch_add(1, Ordering::SeqCst);
            return Some((401, r#"{"error":"missing management key"}"#));
        };
        let is_right = self.password.as_deref() == Some(given)
            || config
                .secret
                .as_deref()
                .is_some_and(|hash| bcrypt::verify(given, hash).unwrap_or(false));
        if is_right {
            self.failures.store(0, Ordering::SeqCst);
            return None;
        }
        self.failures.fetch_add(1, Ordering::SeqCst);
        Some((401, r#"{"error":"invalid management key"}"#))
    }
}
