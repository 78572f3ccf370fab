//! Requests and answers of the stand-ins, and their form on the wire.

use std::fmt::Write as _;
use std::io::{self, Read};

use jiff::Timestamp;
use serde_json::Value;

/// Longest head of a request.
const HEAD_LIMIT: usize = 32 * 1024;

/// Longest body of a request.
const BODY_LIMIT: usize = 1024 * 1024;

/// One request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The query without `?`.
    pub query: String,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// One answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers as they are spelled, without length and date.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// Reads one request; none at the end of the connection or when it is malformed.
    ///
    /// # Errors
    /// What reading fails with, a timeout among them; `InvalidData` for what is no request.
    pub fn read(stream: &mut impl Read) -> io::Result<Option<Self>> {
        let Some((head, mut body)) = read_head(stream)? else {
            return Ok(None);
        };
        let malformed = || io::Error::from(io::ErrorKind::InvalidData);
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(target), Some(version)) =
            (words.next(), words.next(), words.next())
        else {
            return Err(malformed());
        };
        if !version.starts_with("HTTP/1.") || !target.starts_with('/') {
            return Err(malformed());
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut request = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: Vec::new(),
        };
        let length = request
            .header("content-length")
            .and_then(|length| length.parse::<usize>().ok())
            .unwrap_or(0);
        if length > BODY_LIMIT {
            return Err(malformed());
        }
        let missing = length.saturating_sub(body.len());
        stream.take(missing as u64).read_to_end(&mut body)?;
        body.truncate(length);
        request.body = body;
        Ok(Some(request))
    }

    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// A parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.split('&').find_map(|pair| {
            let (known, value) = pair.split_once('=')?;
            (known == name && !value.is_empty()).then_some(value)
        })
    }

    /// The key of an `Authorization` header, with or without `Bearer`.
    pub fn bearer(&self) -> Option<&str> {
        let value = self.header("authorization")?.trim();
        let key = value
            .strip_prefix("Bearer ")
            .or_else(|| value.strip_prefix("bearer "))
            .unwrap_or(value)
            .trim();
        (!key.is_empty()).then_some(key)
    }

    /// A key, wherever one may stand.
    pub fn any_key(&self) -> Option<&str> {
        const HEADERS: [&str; 5] = [
            "x-api-key",
            "x-goog-api-key",
            "x-management-key",
            "x-litellm-api-key",
            "api-key",
        ];
        self.bearer()
            .or_else(|| HEADERS.iter().find_map(|name| self.header(name)))
            .or_else(|| self.parameter("key"))
            .or_else(|| self.parameter("auth_token"))
    }
}

impl Response {
    /// An answer with a body of a type.
    pub fn new(status: u16, content_type: (&'static str, &str), body: impl Into<Vec<u8>>) -> Self {
        let (name, kind) = content_type;
        let mut headers = Vec::new();
        if !kind.is_empty() {
            headers.push((name, kind.to_owned()));
        }
        Self {
            status,
            headers,
            body: body.into(),
        }
    }

    /// Adds a header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The answer as JSON text of a value.
    pub fn json(status: u16, content_type: (&'static str, &str), value: &Value) -> Self {
        Self::new(status, content_type, value.to_string())
    }

    /// The words of the status.
    pub fn reason(&self) -> &'static str {
        match self.status {
            200 => "OK",
            204 => "No Content",
            302 => "Found",
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            409 => "Conflict",
            405 => "Method Not Allowed",
            500 => "Internal Server Error",
            _ => "Status",
        }
    }

    /// The bytes on the wire; `with_body` is false for `HEAD`.
    pub fn bytes(&self, with_body: bool) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, self.reason());
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
        let _ = write!(head, "Date: {date}\r\n");
        let _ = write!(head, "Content-Length: {}\r\n\r\n", self.body.len());
        let mut bytes = head.into_bytes();
        if with_body {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

/// The head of a request as text, and what was read beyond it.
fn read_head(stream: &mut impl Read) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            bytes.truncate(end);
            let head = String::from_utf8(bytes)
                .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
            return Ok(Some((head, rest)));
        }
        if bytes.len() > HEAD_LIMIT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        match stream.read(&mut piece)? {
            0 if bytes.is_empty() => return Ok(None),
            0 => return Err(io::ErrorKind::InvalidData.into()),
            length => bytes.extend_from_slice(&piece[..length]),
        }
    }
}
