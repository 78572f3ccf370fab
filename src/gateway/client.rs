//! The probe client: one bounded request to one loopback address.

use std::time::{Duration, Instant};

use flowgate_checks::model::{Answer, Outcome};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, redirect};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use super::classify::{classify, header};
use super::excerpt::{excerpt, one_line};
use super::failure::outcome_of;
use super::pinned::tls_config;
use super::requests::{KeyUse, Request};
use super::target::LoopbackTarget;
use crate::sys::redact::Redactor;

/// Longest `Server` header that is taken, in characters.
const LONGEST_SERVER: usize = 80;

/// Time for a handshake on loopback, beyond the deadline of the request that it explains.
const HANDSHAKE: Duration = Duration::from_millis(250);

/// Why no client could be made.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The TLS settings were refused.
    #[error("set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The client was refused.
    #[error("set up the probe client: {0}")]
    Client(#[from] reqwest::Error),
}

/// Asks loopback addresses, one connection per request, without proxies and redirects.
#[derive(Debug, Clone)]
pub struct ProbeClient {
    client: Client,
    deadline: Duration,
}

/// What came of one request.
#[derive(Debug)]
pub struct Exchange {
    /// What enters the snapshot.
    pub answer: Answer,
    /// The body of an HTTP answer, at most as long as the row of the table allows.
    pub body: Vec<u8>,
    /// The headers of an HTTP answer.
    pub headers: HeaderMap,
}

impl ProbeClient {
    /// A client that gives up `deadline` after it began.
    ///
    /// `certificate` is the content of the service's `tls.cert`; over TLS exactly that
    /// certificate is accepted, without one none is.
    ///
    /// # Errors
    /// [`ClientError`], when the TLS library has no usable settings.
    pub fn new(deadline: Duration, certificate: Option<&[u8]>) -> Result<Self, ClientError> {
        let client = connectionless(deadline, certificate)?;
        Ok(Self { client, deadline })
    }

    /// Sends one request of the table and waits until its deadline at most, however slowly the
    /// answer trickles in.
    pub async fn ask(
        &self,
        target: LoopbackTarget,
        request: &Request,
        redactor: &Redactor,
    ) -> Exchange {
        let began = Instant::now();
        let received =
            match tokio::time::timeout(self.deadline, self.exchange(target, request)).await {
                Ok(received) => received,
                Err(_) => Err(Outcome::Timeout),
            };
        let latency_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let answer = |outcome| Answer {
            request: request.describe(),
            outcome,
            latency_ms,
        };
        match received {
            Ok(received) => Exchange {
                answer: answer(received.describe(request, redactor)),
                body: received.body,
                headers: received.headers,
            },
            Err(outcome) => Exchange {
                answer: answer(self.explain(target, request, outcome).await),
                body: Vec::new(),
                headers: HeaderMap::new(),
            },
        }
    }

    /// A port that gave no HTTP may speak TLS; then the scheme is wrong, not the program.
    async fn explain(
        &self,
        target: LoopbackTarget,
        request: &Request,
        outcome: Outcome,
    ) -> Outcome {
        let is_odd = matches!(outcome, Outcome::NotHttp | Outcome::Reset);
        let is_first = request.row().key == KeyUse::Keyless && !target.is_tls();
        if is_odd && is_first && self.speaks_tls(target).await {
            Outcome::WrongScheme
        } else {
            outcome
        }
    }

    async fn exchange(
        &self,
        target: LoopbackTarget,
        request: &Request,
    ) -> Result<Received, Outcome> {
        let builder = self.request(Method::GET, target.url(request.path()), request.key())?;
        let (status, headers, body) = receive(builder, request.row().body_limit).await?;
        Ok(Received {
            status,
            headers,
            body,
        })
    }

    /// A request, with a key as a bearer token.
    pub(super) fn request(
        &self,
        method: Method,
        url: String,
        key: Option<&SecretString>,
    ) -> Result<RequestBuilder, Outcome> {
        let builder = self.client.request(method, url);
        let Some(key) = key else {
            return Ok(builder);
        };
        let mut value =
            HeaderValue::try_from(format!("Bearer {}", key.expose_secret())).map_err(|_| {
                Outcome::Unreachable {
                    why: "the key cannot stand in a header".into(),
                }
            })?;
        value.set_sensitive(true);
        Ok(builder.header(AUTHORIZATION, value))
    }

    /// Sends a request, and gives its status, headers and body before the deadline.
    pub(super) async fn within_deadline(
        &self,
        builder: RequestBuilder,
        body_limit: usize,
    ) -> Result<(u16, HeaderMap, Vec<u8>), Outcome> {
        match tokio::time::timeout(self.deadline, receive(builder, body_limit)).await {
            Ok(received) => received,
            Err(_) => Err(Outcome::Timeout),
        }
    }

    /// Whether a port that gave no HTTP speaks TLS. No request is sent: the handshake ends at the
    /// certificate, because this client accepts none.
    async fn speaks_tls(&self, target: LoopbackTarget) -> bool {
        let Ok(stranger) = Self::new(self.deadline, None) else {
            return false;
        };
        let request = stranger.client.get(target.over_tls().url("/")).send();
        match tokio::time::timeout(HANDSHAKE.min(self.deadline), request).await {
            Ok(Err(error)) => outcome_of(&error) == Outcome::TlsRefused,
            Ok(Ok(_)) | Err(_) => false,
        }
    }
}

async fn receive(
    builder: RequestBuilder,
    body_limit: usize,
) -> Result<(u16, HeaderMap, Vec<u8>), Outcome> {
    let response = builder.send().await.map_err(|error| outcome_of(&error))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok((status, headers, read_body(response, body_limit).await?))
}

/// Asks without proxies, redirects and cookies, one connection per request.
///
/// # Errors
/// [`ClientError`], when the TLS library has no usable settings.
pub(super) fn connectionless(
    deadline: Duration,
    certificate: Option<&[u8]>,
) -> Result<Client, ClientError> {
    // Fails only when one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .http1_only()
        .pool_max_idle_per_host(0)
        .connect_timeout(deadline)
        .timeout(deadline)
        .user_agent(concat!("flowgate/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls_config(certificate)?)
        .build()?)
}

/// Reads a body piece by piece and stops at the limit, so that none fills the memory.
pub(super) async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, Outcome> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| outcome_of(&error))? {
        let room = limit - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() >= limit {
            break;
        }
    }
    Ok(body)
}

/// An HTTP answer.
struct Received {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Received {
    fn describe(&self, request: &Request, redactor: &Redactor) -> Outcome {
        let purpose = request.row().purpose;
        let class = classify(purpose, self.status, &self.headers, &self.body);
        let server = one_line(
            &redactor.clean(header(&self.headers, "server")),
            LONGEST_SERVER,
        );
        Outcome::Http {
            status: self.status,
            excerpt: excerpt(&class, &self.body, redactor),
            body: class,
            server: (!server.is_empty()).then_some(server),
        }
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
