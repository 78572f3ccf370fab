//! The requests with which a client is proven: of its own kind, with its own key, and none that a
//! model would answer.
//!
//! Source: `facts/clients.md`. `GET` of a route that takes `POST` alone answers 405 where the route
//! is, and 404 where it is not. Tokens are counted for a model that nobody has, so that LiteLLM
//! estimates them itself and asks nobody (seen with LiteLLM 1.106.2).

use flowgate_checks::model::Outcome;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;

use super::client::ProbeClient;
use super::requests::ClientKey;
use super::target::LoopbackTarget;

/// The model of which tokens are counted.
const NOBODYS_MODEL: &str = "flowgate-check";

/// Bytes of a body that are read at most; a list of models may be long.
const BODY_LIMIT: usize = 1024 * 1024;

/// One request.
#[derive(Debug, Clone)]
pub struct ClientRequest {
    pub(super) method: Method,
    /// The path, with its leading `/`.
    pub path: String,
    pub(super) key: Option<ClientKey>,
    pub(super) body: Option<Vec<u8>>,
}

impl ClientRequest {
    /// `HEAD /`, with which Claude Code begins.
    pub fn head(base: &str) -> Self {
        Self::of(Method::HEAD, format!("{base}/"), None)
    }

    /// `GET {base}/models` with a key.
    pub fn models(base: &str, key: ClientKey) -> Self {
        Self::of(Method::GET, format!("{base}/models"), Some(key))
    }

    /// Whether a route is there: `GET` of one that takes `POST` alone, with a key.
    pub fn route(base: &str, route: &str, key: ClientKey) -> Self {
        Self::of(Method::GET, format!("{base}{route}"), Some(key))
    }

    /// `POST {base}/v1/messages/count_tokens` with a key.
    pub fn count_tokens(base: &str, key: ClientKey) -> Self {
        let body = json!({
            "model": NOBODYS_MODEL,
            "messages": [{"role": "user", "content": "ping"}],
        });
        Self {
            body: Some(body.to_string().into_bytes()),
            ..Self::of(
                Method::POST,
                format!("{base}/v1/messages/count_tokens"),
                Some(key),
            )
        }
    }

    fn of(method: Method, path: String, key: Option<ClientKey>) -> Self {
        Self {
            method,
            path,
            key,
            body: None,
        }
    }

    /// `POST /v1/messages/count_tokens`
    pub fn describe(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// An answer: its status, and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAnswer {
    /// The status.
    pub status: u16,
    /// The body, or the beginning of a long one.
    pub body: Vec<u8>,
}

impl ProbeClient {
    /// Sends a request of a client to the gateway on this machine.
    ///
    /// # Errors
    /// Why there was no HTTP answer.
    pub async fn ask_as_client(
        &self,
        target: LoopbackTarget,
        request: &ClientRequest,
    ) -> Result<ClientAnswer, Outcome> {
        let key = request.key.as_ref().map(ClientKey::secret);
        let mut builder = self.request(request.method.clone(), target.url(&request.path), key)?;
        if let Some(body) = &request.body {
            builder = builder
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        let (status, _, body) = self.within_deadline(builder, BODY_LIMIT).await?;
        Ok(ClientAnswer { status, body })
    }
}
