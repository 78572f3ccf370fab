//! What answers over HTTP, hop by hop.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Observed;

/// What was asked of one address, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetProbes {
    /// Why this address was asked.
    pub role: TargetRole,
    /// `GET /`, without a key.
    #[serde(default, skip_serializing_if = "Observed::is_not_asked")]
    pub root: Observed<Answer>,
    /// `GET /health/liveliness` of LiteLLM, without a key.
    #[serde(default, skip_serializing_if = "Observed::is_not_asked")]
    pub liveness: Observed<Answer>,
    /// The configured readiness path, without a key (never LiteLLM's `/health`).
    #[serde(default, skip_serializing_if = "Observed::is_not_asked")]
    pub readiness: Observed<Answer>,
    /// `GET /v1/models`, once per key that a hop really uses; by the origin of the key.
    /// Not asked of a stranger: a key never goes to one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, KeyedAnswer>,
    /// Why no request with a key was sent, when none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<String>,
}

/// Why an address was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TargetRole {
    /// It is the configured address of the service.
    Configured,
    /// Our process of the service listens there instead.
    Drifted,
    /// An `api_base` of LiteLLM names it.
    ApiBase,
}

/// The answer to a request that carried a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyedAnswer {
    /// Where the key comes from, `file:line`: `config/litellm.yaml:6`.
    pub key_from: String,
    /// Fingerprint of the key, 16 hex digits; none when no key was sent on purpose (an open gateway).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What was answered.
    pub answer: Observed<Answer>,
    /// The model ids of a list, at most 200, in the order of the answer.
    #[serde(default, skip_serializing_if = "Observed::is_not_asked")]
    pub models: Observed<Vec<String>>,
}

/// One answer, or the way in which there was none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The method and path that were asked: `GET /v1/models`.
    pub request: String,
    /// What came.
    pub outcome: Outcome,
    /// Milliseconds until it came.
    pub latency_ms: u64,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Nothing listens: the connection was refused.
    Refused,
    /// The connection stood, or hung, and nothing came in time.
    Timeout,
    /// The connection was cut before an answer was whole.
    Reset,
    /// What came is not HTTP.
    NotHttp,
    /// The port speaks TLS and was asked in plain HTTP, or the reverse.
    WrongScheme,
    /// The TLS handshake failed: not the certificate that the config names.
    TlsRefused,
    /// The address cannot be reached.
    #[serde(rename_all = "camelCase")]
    Unreachable {
        /// Why, as a fragment.
        why: String,
    },
    /// An HTTP answer.
    #[serde(rename_all = "camelCase")]
    Http {
        /// The status.
        status: u16,
        /// What the body is.
        body: BodyClass,
        /// The start of a body of class `text`, `json` or `html`: one line, redacted, at most 160 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        excerpt: Option<String>,
        /// The `Server` header, when there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<String>,
    },
}

/// What a body is, as far as the facts tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BodyClass {
    /// LiteLLM's liveness: the JSON string `"I'm alive!"`.
    LitellmAlive,
    /// LiteLLM's readiness: an object with `status` and `db`.
    LitellmReadiness,
    /// LiteLLM's page at `/`.
    LitellmHome,
    /// LiteLLM refuses the key: `error.type` is `no_db_connection` (400).
    LitellmKeyRejected,
    /// LiteLLM got no key: the bare 500, or `error.type` is `auth_error` (401).
    LitellmKeyMissing,
    /// CLIProxyAPI's identity at `/`.
    CliproxyIdentity,
    /// CLIProxyAPI got no key.
    CliproxyKeyMissing,
    /// CLIProxyAPI refuses the key.
    CliproxyKeyRejected,
    /// CLIProxyAPI in safe mode: its api-keys are those of the template.
    CliproxySafeMode,
    /// Management: no key was sent.
    ManagementKeyMissing,
    /// Management: the key is wrong.
    ManagementKeyRejected,
    /// Management: this address is banned for so many minutes.
    #[serde(rename_all = "camelCase")]
    ManagementBanned {
        /// Minutes that are left, rounded up.
        minutes: u32,
    },
    /// Management: not for clients from elsewhere.
    ManagementRemoteDisabled,
    /// Management: the list of auth files.
    ManagementAuthFiles,
    /// A list of models (`data` is a list).
    ModelList,
    /// The plain words of a TLS port that was asked in plain HTTP.
    TlsExpected,
    /// An HTML page.
    Html,
    /// Other JSON.
    Json,
    /// Other text, or bytes.
    Text,
    /// Nothing.
    Empty,
}

/// Who answered, by what it says at paths that need no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Identity {
    /// LiteLLM.
    Litellm,
    /// CLIProxyAPI or CLIProxyAPIPlus.
    Cliproxyapi,
    /// Something that is neither.
    Stranger,
    /// Nobody answered, or not in HTTP.
    Silent,
}

impl TargetProbes {
    /// Who answered here. A status alone is no identity.
    pub fn identity(&self) -> Identity {
        let bodies: Vec<&BodyClass> = [&self.root, &self.liveness, &self.readiness]
            .into_iter()
            .filter_map(|answer| answer.known()?.body())
            .collect();
        let says = |wanted: &[BodyClass]| bodies.iter().any(|body| wanted.contains(body));
        if says(&[BodyClass::LitellmAlive, BodyClass::LitellmReadiness]) {
            Identity::Litellm
        } else if says(&[BodyClass::CliproxyIdentity, BodyClass::CliproxySafeMode]) {
            Identity::Cliproxyapi
        } else if bodies.is_empty() {
            Identity::Silent
        } else {
            Identity::Stranger
        }
    }
}

impl Answer {
    /// The status, when it is an HTTP answer.
    pub fn status(&self) -> Option<u16> {
        match &self.outcome {
            Outcome::Http { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The class of the body, when it is an HTTP answer.
    pub fn body(&self) -> Option<&BodyClass> {
        match &self.outcome {
            Outcome::Http { body, .. } => Some(body),
            _ => None,
        }
    }

    /// Whether it is a 2xx answer.
    pub fn is_success(&self) -> bool {
        self.status()
            .is_some_and(|status| (200..300).contains(&status))
    }

    /// What came, in words: `200`, `refused`, `timed out after 2000 ms`.
    pub fn describe(&self) -> String {
        match &self.outcome {
            Outcome::Refused => "connection refused".into(),
            Outcome::Timeout => format!("no answer within {} ms", self.latency_ms),
            Outcome::Reset => "connection reset".into(),
            Outcome::NotHttp => "answer is not HTTP".into(),
            Outcome::WrongScheme => "TLS and plain HTTP are mixed up".into(),
            Outcome::TlsRefused => "TLS handshake failed".into(),
            Outcome::Unreachable { why } => format!("unreachable: {why}"),
            Outcome::Http {
                status,
                excerpt: Some(excerpt),
                ..
            } => format!("{status} {excerpt}"),
            Outcome::Http { status, .. } => status.to_string(),
        }
    }
}
