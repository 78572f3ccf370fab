//! What the recorder asked over HTTP (`http.jsonl`).

use std::collections::BTreeMap;

use serde::Deserialize;

/// One request and what came of it.
#[derive(Debug, Deserialize)]
pub struct Exchange {
    /// Seconds after the begin of the case.
    pub t: f64,
    /// `GET` or `POST`.
    pub method: String,
    /// `http://127.0.0.1:8317/v1/models`.
    pub url: String,
    /// The headers that were sent.
    pub sent_headers: BTreeMap<String, String>,
    /// The status, when there was an answer.
    pub status: Option<u16>,
    /// Its headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: Option<String>,
    /// Why there was none: `ConnectionRefusedError: [Errno 111] Connection refused`.
    pub error: Option<String>,
    /// Milliseconds that it took.
    pub ms: f64,
}

impl Exchange {
    /// `http://127.0.0.1:8317`
    pub fn address(&self) -> String {
        self.url
            .splitn(4, '/')
            .take(3)
            .collect::<Vec<_>>()
            .join("/")
    }

    /// The bearer token that was sent.
    pub fn key(&self) -> Option<&str> {
        self.sent_headers
            .get("Authorization")?
            .strip_prefix("Bearer ")
    }
}
