//! Asks the management API in the course of a login: with a key that is proven right, and never
//! again once that was refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flowgate_checks::model::{AuthFileStatus, BodyClass, Outcome};
use flowgate_checks::routes::{Edition, MANAGEMENT};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::ConfirmedKey;
use super::answers::{Begun, LoginStatus, Refused, said};
use crate::gateway::auth_files;
use crate::gateway::classify::{classify, header};
use crate::gateway::client::{ClientError, connectionless, read_body};
use crate::gateway::cliproxyapi::VERSION_HEADER;
use crate::gateway::excerpt::one_line;
use crate::gateway::failure::outcome_of;
use crate::gateway::requests::Purpose;
use crate::gateway::target::LoopbackTarget;
use crate::sys::redact::Redactor;

/// Bytes of a body that are read at most.
const LIMIT: usize = 1024 * 1024;

/// Longest version text that is taken, in characters.
const LONGEST_VERSION: usize = 40;

/// Where the place for the state stands in a status path.
pub const STATE: &str = "{state}";

/// One way to the management API of the running service.
pub struct ManagementClient {
    http: Client,
    at: LoopbackTarget,
    key: ConfirmedKey,
    redactor: Arc<Redactor>,
    is_shut: AtomicBool,
}

/// What the browser brought back, as the program takes it.
#[derive(Debug)]
pub struct Callback {
    /// Which login.
    pub state: SecretString,
    /// The code of a login that went well; else `error` says why not.
    pub code: Option<SecretString>,
    /// `access_denied` and its like.
    pub error: Option<String>,
}

/// What every answer tells beside its body.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl ManagementClient {
    /// A client that gives each request so much time.
    ///
    /// The redactor learns what must not be repeated: the states of logins and their codes.
    ///
    /// # Errors
    /// [`ClientError`], when the TLS library has no usable settings.
    pub fn new(
        at: LoopbackTarget,
        certificate: Option<&[u8]>,
        key: ConfirmedKey,
        deadline: Duration,
        redactor: Arc<Redactor>,
    ) -> Result<Self, ClientError> {
        Ok(Self {
            http: connectionless(deadline, certificate)?,
            at,
            key,
            redactor,
            is_shut: AtomicBool::new(false),
        })
    }

    /// What the program says of its auth files, and the version in its answer.
    ///
    /// # Errors
    /// [`Refused`]; [`Refused::Off`] when there is no management API.
    pub async fn auth_files(&self) -> Result<(Vec<AuthFileStatus>, Option<String>), Refused> {
        let path = format!("{MANAGEMENT}auth-files");
        let answer = match self.get(&path).await {
            Err(Refused::NoRoute { .. }) => return Err(Refused::Off),
            answer => answer?,
        };
        let files = auth_files::parse(&answer.body, &self.redactor)
            .ok_or(Refused::Garbled("the answer is no list of auth files"))?;
        let version = one_line(header(&answer.headers, VERSION_HEADER), LONGEST_VERSION);
        Ok((files, (!version.is_empty()).then_some(version)))
    }

    /// Begins a login by its `…-auth-url` path.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn begin(&self, path: &str) -> Result<Begun, Refused> {
        let begun = Begun::read(&self.get(path).await?.body)?;
        self.redactor.learn(&begun.state);
        Ok(begun)
    }

    /// Asks how a login goes; `path` holds [`STATE`].
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn status(&self, path: &str, state: &SecretString) -> Result<LoginStatus, Refused> {
        let path = path.replace(STATE, state.expose_secret());
        LoginStatus::read(&self.get(&path).await?.body, &self.redactor)
    }

    /// Delivers what a browser on another machine was sent back with. Mainline has a route that says
    /// whether it fits (`facts/cliproxyapi.md` 3.5); of others the page that the browser would have
    /// reached is asked, which says nothing.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn call_back(
        &self,
        provider: &str,
        callback: &Callback,
        edition: Edition,
    ) -> Result<(), Refused> {
        if let Some(code) = &callback.code {
            self.redactor.learn(code);
        }
        if edition == Edition::Mainline {
            let body = json!({
                "provider": provider,
                "state": callback.state.expose_secret(),
                "code": callback.code.as_ref().map(ExposeSecret::expose_secret),
                "error": callback.error,
            });
            let path = format!("{MANAGEMENT}oauth-callback");
            let request = self.request(Method::POST, &path)?;
            let request = request
                .header("Content-Type", "application/json")
                .body(body.to_string());
            return self.send(request, &path).await.map(drop);
        }
        let mut query = vec![("state", callback.state.expose_secret())];
        query.extend(
            callback
                .code
                .iter()
                .map(|code| ("code", code.expose_secret())),
        );
        query.extend(callback.error.iter().map(|error| ("error", error.as_str())));
        let path = format!("/{}/callback", page_of(provider));
        // The page takes no key, so it is given none.
        let url = url_with(&self.at.url(&path), &query);
        self.send(self.http.get(url), &path).await.map(drop)
    }

    /// Ends a login that nobody waits for any more, so that nothing listens for it.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn cancel(
        &self,
        provider: &str,
        state: &SecretString,
        edition: Edition,
    ) -> Result<(), Refused> {
        let gone = Callback {
            state: state.clone(),
            code: None,
            error: Some("access_denied".into()),
        };
        self.call_back(provider, &gone, edition).await
    }

    async fn get(&self, path: &str) -> Result<Answer, Refused> {
        self.send(self.request(Method::GET, path)?, path).await
    }

    /// A request with the key; none once the key was refused.
    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Refused> {
        if self.is_shut.load(Ordering::SeqCst) {
            return Err(Refused::Key);
        }
        let key = format!("Bearer {}", self.key.secret().expose_secret());
        let mut value = HeaderValue::try_from(key)
            .map_err(|_| Refused::Garbled("the management key cannot stand in a header"))?;
        value.set_sensitive(true);
        let request = self.http.request(method, self.at.url(path));
        Ok(request.header(AUTHORIZATION, value))
    }

    async fn send(&self, request: RequestBuilder, path: &str) -> Result<Answer, Refused> {
        let unreached = |error: &reqwest::Error| Refused::Unreached(outcome_of(error));
        let response = request.send().await.map_err(|error| unreached(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = read_body(response, LIMIT)
            .await
            .map_err(Refused::Unreached)?;
        if (200..300).contains(&status) {
            return Ok(Answer {
                status,
                headers,
                body,
            });
        }
        Err(self.refusal(
            &Answer {
                status,
                headers,
                body,
            },
            path,
        ))
    }

    fn refusal(&self, answer: &Answer, path: &str) -> Refused {
        let class = classify(
            Purpose::AuthFiles,
            answer.status,
            &answer.headers,
            &answer.body,
        );
        let refused = match (class, answer.status) {
            (BodyClass::ManagementBanned { minutes }, _) => Refused::Banned { minutes },
            (BodyClass::ManagementRemoteDisabled, _) => Refused::Remote,
            (BodyClass::ManagementKeyMissing | BodyClass::ManagementKeyRejected, _) | (_, 401) => {
                Refused::Key
            }
            (_, 404) if !is_json_object(&answer.body) => Refused::NoRoute {
                path: path.split('?').next().unwrap_or(path).to_owned(),
            },
            (_, status) => said(status, &answer.body, &self.redactor),
        };
        if matches!(refused, Refused::Key | Refused::Banned { .. }) {
            self.is_shut.store(true, Ordering::SeqCst);
        }
        refused
    }
}

/// A route says what it does not find; a missing route says nothing, or `404 page not found`.
fn is_json_object(body: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(body).is_ok()
}

/// The name under which the program takes a browser back.
fn page_of(provider: &str) -> &str {
    match provider {
        "claude" => "anthropic",
        "gemini" => "google",
        other => other,
    }
}

fn url_with(url: &str, query: &[(&str, &str)]) -> String {
    match reqwest::Url::parse_with_params(url, query) {
        Ok(url) => url.into(),
        // Of a base that this program made itself this cannot happen.
        Err(_) => url.to_owned(),
    }
}

/// Why an outcome is worth waiting on: the service may be starting again.
pub fn is_passing(refused: &Refused) -> bool {
    match refused {
        Refused::Unreached(outcome) => {
            !matches!(outcome, Outcome::TlsRefused | Outcome::WrongScheme)
        }
        Refused::Said { status, .. } => *status >= 500,
        _ => false,
    }
}
