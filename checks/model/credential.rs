//! Logins: auth dirs, token files, providers, callback ports and the management API.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answer, BindState, Observed};

/// Everything about logins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Credentials {
    /// The auth dirs of this gateway, the one that the service reads first.
    pub auth_dirs: Vec<AuthDir>,
    /// Token files (`*.json`) by path.
    pub files: BTreeMap<String, CredentialFile>,
    /// API-key providers in cliproxyapi.yaml; each is a usable credential.
    pub api_key_providers: Vec<ApiKeyProvider>,
    /// `auth.providers` of flowgate.yaml (and the legacy `oauth`), by name.
    pub providers: BTreeMap<String, Provider>,
    /// The callback port of each configured provider that needs one, by provider.
    pub callback_ports: BTreeMap<String, CallbackPort>,
    /// The last `oauth_login` event of each provider, by provider.
    pub last_logins: BTreeMap<String, LoginEvent>,
    /// The management API of CLIProxyAPIPlus.
    pub management: Management,
    /// Logins of other programs of this user that hold a refresh token, by path; bounded.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub elsewhere: BTreeMap<String, ForeignLogin>,
}

/// A login that another program keeps for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForeignLogin {
    /// The program, for people: `Codex CLI`.
    pub program: String,
    /// Fingerprints of its refresh tokens, sorted.
    pub refresh_tokens: Vec<String>,
}

/// A directory of token files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthDir {
    /// The directory.
    pub path: String,
    /// Whose idea it is.
    pub role: AuthDirRole,
    /// Number of `*.json` files, or why it could not be listed.
    pub listing: Observed<u32>,
    /// Whether it is there.
    pub exists: bool,
}

/// Whose idea an auth dir is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AuthDirRole {
    /// `auth-dir` of cliproxyapi.yaml: the one that the service reads.
    Service,
    /// `<runtime>/../auths`, where flowgate imports to.
    Flowgate,
}

/// One token file. What cannot be read is unknown, not absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialFile {
    /// Whose auth dir it lies in.
    pub dir: AuthDirRole,
    /// What it is.
    pub state: CredentialState,
    /// When it was written last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<Timestamp>,
}

/// What a token file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CredentialState {
    /// It parses and names its provider.
    #[serde(rename_all = "camelCase")]
    Parsed {
        /// The provider as flowgate.yaml would name it: `codex`, `copilot`, `claude`, `kiro`.
        provider: String,
        /// When the access token expires, where the file says so.
        expires_at: Option<Timestamp>,
        /// Whether the program can renew it: it holds a refresh token, or needs none.
        refreshable: bool,
        /// Whether it says `disabled: true`.
        disabled: bool,
        /// Fingerprint of its refresh token.
        refresh_token: Option<String>,
        /// Whose it is, shortened: `an…@example.com`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<String>,
    },
    /// It has no bytes.
    Empty,
    /// It is not a JSON object.
    #[serde(rename_all = "camelCase")]
    NotJson {
        /// Where the text stops being JSON, as a fragment without content: `line 1 column 200`.
        at: String,
    },
    /// It is a JSON object without a `type` that can be told.
    NoType,
    /// It cannot be read.
    #[serde(rename_all = "camelCase")]
    Unreadable {
        /// Why, as a fragment.
        why: String,
    },
}

/// A provider that is used by API key, not by login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyProvider {
    /// The key in cliproxyapi.yaml: `openai-compatibility`, `codex-api-key`.
    pub kind: String,
    /// `file:line`.
    pub place: String,
}

/// One of `auth.providers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// `auth_url_endpoint` as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_url_endpoint: Option<String>,
    /// `status_endpoint` as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_endpoint: Option<String>,
    /// The entry in flowgate.yaml: `auth.providers.codex`.
    pub entry: String,
}

/// A port of this machine that a browser must reach at the end of a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallbackPort {
    /// The port (codex 1455, claude 54545).
    pub port: u16,
    /// Bind test of 127.0.0.1 and ::1, by address.
    pub addresses: BTreeMap<String, BindState>,
}

/// The last login event of a provider in the event log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoginEvent {
    /// When.
    pub at: Timestamp,
    /// `success` or `failed`.
    pub result: String,
    /// Its detail, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The management API of CLIProxyAPIPlus, as far as files, environment and one request tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Management {
    /// Where flowgate keeps a management key, when it keeps one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_from: Option<String>,
    /// Whether the running service has `MANAGEMENT_PASSWORD` in its environment.
    #[serde(skip_serializing_if = "Observed::is_not_asked")]
    pub password_in_environment: Observed<bool>,
    /// Whether the kept key matches the stored hash, or that password.
    #[serde(skip_serializing_if = "Observed::is_not_asked")]
    pub key_confirmed: Observed<bool>,
    /// The answer to the one management request (`GET /v0/management/auth-files`), only ever sent
    /// with a confirmed key.
    #[serde(skip_serializing_if = "Observed::is_not_asked")]
    pub answer: Observed<Answer>,
    /// What it said of each auth file.
    #[serde(skip_serializing_if = "Observed::is_not_asked")]
    pub auth_files: Observed<Vec<AuthFileStatus>>,
    /// Version in the answer's headers, such as `6.6.9-0-plus`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What the program says of one auth file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthFileStatus {
    /// File name.
    pub name: String,
    /// Provider in the program's words.
    pub provider: String,
    /// `active`, `error`, `disabled` …
    pub status: String,
    /// Its words, redacted, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// Whether it is left out for now.
    #[serde(default)]
    pub unavailable: bool,
    /// When it is tried again, or its limit ends, where the program or the provider says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_retry_after: Option<Timestamp>,
}
