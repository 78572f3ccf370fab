//! Downloads: proxies honoured, bounded, and given up when nothing arrives any more.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

/// More redirects than these are a circle.
const REDIRECTS: usize = 10;

/// Why something could not be downloaded; each fits behind the name of what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FetchError {
    /// The server refused.
    #[error("answered {0}")]
    Status(u16),
    /// No connection, no name, no TLS, a proxy that refuses.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// Nothing arrived for so long.
    #[error("went silent: nothing arrived for {} s", .0.as_secs_f32())]
    Stalled(Duration),
    /// The connection ended before the file did.
    #[error("broke off after {done} of {} bytes", .total.map_or_else(|| "unknown".to_owned(), |total| total.to_string()))]
    CutOff {
        /// Bytes that came.
        done: u64,
        /// Bytes that were promised.
        total: Option<u64>,
    },
    /// It is larger than such a file is.
    #[error("is larger than {0} bytes")]
    TooLarge(u64),
}

/// Downloads from one base address.
pub struct Fetcher {
    client: Client,
    token: Option<SecretString>,
    stall: Duration,
}

impl Fetcher {
    /// A client for addresses below `base`; it gives up when nothing arrives for `stall`. The token
    /// goes to GitHub and to nobody else.
    ///
    /// # Errors
    /// When the base is no address, or TLS cannot be set up.
    pub fn new(
        base: &str,
        token: Option<SecretString>,
        stall: Duration,
    ) -> Result<Self, FetchError> {
        // Fails only when one is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let base = address(base)?;
        let mut builder = Client::builder()
            .redirect(Policy::custom(follow))
            .connect_timeout(stall)
            .read_timeout(stall)
            .user_agent(concat!("flowgate/", env!("CARGO_PKG_VERSION")));
        // A mirror on this machine is not behind the proxy.
        if is_loopback(&base) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| unreachable(&error))?;
        Ok(Self {
            client,
            token,
            stall,
        })
    }

    /// A whole file of at most `limit` bytes; `note` is told how much is here.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn bytes(
        &self,
        url: &str,
        limit: u64,
        note: &dyn Fn(u64, Option<u64>),
    ) -> Result<Vec<u8>, FetchError> {
        let mut response = self.ask(url).await?;
        let total = response.content_length();
        if total.is_some_and(|total| total > limit) {
            return Err(FetchError::TooLarge(limit));
        }
        let mut bytes = Vec::new();
        loop {
            let done = bytes.len() as u64;
            note(done, total);
            match response.chunk().await {
                Ok(Some(chunk)) if done + chunk.len() as u64 > limit => {
                    return Err(FetchError::TooLarge(limit));
                }
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) if total.is_some_and(|total| total != done) => {
                    return Err(FetchError::CutOff { done, total });
                }
                Ok(None) => return Ok(bytes),
                Err(error) if error.is_timeout() => return Err(FetchError::Stalled(self.stall)),
                Err(_) => return Err(FetchError::CutOff { done, total }),
            }
        }
    }

    /// Whether something is there: false for 404.
    ///
    /// # Errors
    /// [`FetchError`], for everything else that is no answer.
    pub async fn exists(&self, url: &str) -> Result<bool, FetchError> {
        match self.ask(url).await {
            Ok(_) => Ok(true),
            Err(FetchError::Status(404 | 410)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Where an address leads in the end.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn end(&self, url: &str) -> Result<String, FetchError> {
        Ok(self.ask(url).await?.url().path().to_owned())
    }

    async fn ask(&self, url: &str) -> Result<Response, FetchError> {
        let url = address(url)?;
        let request = self.authorised(self.client.get(url.clone()), &url);
        let response = request.send().await.map_err(|error| {
            if error.is_timeout() && !error.is_connect() {
                FetchError::Stalled(self.stall)
            } else {
                unreachable(&error)
            }
        })?;
        match response.status() {
            StatusCode::OK => Ok(response),
            other => Err(FetchError::Status(other.as_u16())),
        }
    }

    fn authorised(&self, request: RequestBuilder, url: &Url) -> RequestBuilder {
        let Some(token) = self.token.as_ref().filter(|_| takes_the_token(url)) else {
            return request;
        };
        match HeaderValue::try_from(format!("Bearer {}", token.expose_secret())) {
            Ok(mut value) => {
                value.set_sensitive(true);
                request.header(AUTHORIZATION, value)
            }
            // One that cannot stand in a header is none.
            Err(_) => request,
        }
    }
}

/// A redirect is followed, but never from an encrypted connection to a plain one.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let was_encrypted = attempt
        .previous()
        .last()
        .is_some_and(|url| url.scheme() == "https");
    if was_encrypted && attempt.url().scheme() != "https" {
        return attempt.error("it redirects to an address without TLS");
    }
    if attempt.previous().len() > REDIRECTS {
        return attempt.error("it redirects in a circle");
    }
    attempt.follow()
}

/// GitHub over TLS; redirects to other hosts drop the header by themselves.
fn takes_the_token(url: &Url) -> bool {
    url.scheme() == "https" && matches!(url.host_str(), Some("github.com" | "api.github.com"))
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let host = host.trim_matches(['[', ']']);
        host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    })
}

fn address(text: &str) -> Result<Url, FetchError> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| ["http", "https"].contains(&url.scheme()) && url.host_str().is_some());
    url.ok_or_else(|| FetchError::Unreachable("it is no http or https address".into()))
}

/// The innermost cause says what is wrong; the outer ones only repeat the address.
fn unreachable(error: &reqwest::Error) -> FetchError {
    if error.is_connect() && error.is_timeout() {
        return FetchError::Unreachable("no connection came about in time".into());
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    FetchError::Unreachable(
        match std::env::var_os("HTTPS_PROXY").or_else(|| std::env::var_os("https_proxy")) {
            Some(_) => format!("{text} (HTTPS_PROXY is set)"),
            None => text,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_github_over_tls_and_to_nobody_else() {
        let takes = |url: &str| takes_the_token(&Url::parse(url).unwrap());
        assert!(takes("https://github.com/a/b/releases/latest"));
        for other in [
            "http://github.com/a/b",
            "https://github.com.example.net/a",
            "https://mirror.example.net/github.com/a",
            "https://release-assets.githubusercontent.com/x",
        ] {
            assert!(!takes(other), "{other}");
        }
    }

    #[test]
    fn only_web_addresses_are_asked() {
        for wrong in [
            "",
            "github.com/x",
            "file:///etc/passwd",
            "ftp://a/b",
            "https://",
        ] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
        assert!(is_loopback(&address("http://127.0.0.1:1/x").unwrap()));
        assert!(is_loopback(&address("http://[::1]:1/x").unwrap()));
        assert!(!is_loopback(
            &address("https://127.0.0.1.example.net/").unwrap()
        ));
    }
}
