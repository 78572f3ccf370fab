//! Every request that a stand-in got, for tests that count.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::http::{Request, Response};
use crate::sys::fingerprint::Fingerprinter;

/// One request as the journal keeps it: no secret, no query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// `litellm` or `cliproxyapi`.
    pub program: String,
    /// `GET`
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// Whether any header or parameter carried a key.
    pub has_key: bool,
    /// Fingerprint of the key under a key of zeros, to tell keys apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The status that was answered.
    pub status: u16,
}

/// Appends one JSON line per request to a file.
pub struct Journal {
    program: &'static str,
    file: Option<PathBuf>,
}

impl Journal {
    /// A journal; without a file it keeps nothing.
    pub fn new(program: &'static str, file: Option<PathBuf>) -> Self {
        Self { program, file }
    }

    /// Notes one request.
    pub fn note(&self, request: &Request, response: &Response) {
        let Some(file) = &self.file else {
            return;
        };
        let key = request.any_key();
        let entry = Entry {
            program: self.program.to_owned(),
            method: request.method.clone(),
            path: request.path.clone(),
            has_key: key.is_some(),
            key: key.map(Self::fingerprint),
            status: response.status,
        };
        let Ok(mut line) = serde_json::to_string(&entry) else {
            return;
        };
        line.push('\n');
        // One write per line, so that lines of several programs do not mix.
        let opened = OpenOptions::new().create(true).append(true).open(file);
        if let Ok(mut file) = opened {
            let _ = file.write_all(line.as_bytes());
        }
    }

    /// The fingerprint under which a journal keeps a key.
    pub fn fingerprint(key: &str) -> String {
        Fingerprinter::fixed([0; 32]).of(key)
    }
}
