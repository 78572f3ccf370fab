//! Clients at the front: what their config says that flowgate pointed at the gateway.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigState;

/// A client whose config flowgate wrote, as that config is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientConfig {
    /// Its config file, relative to the root when below it.
    pub path: String,
    /// Whether it could be read and parsed.
    pub state: ConfigState,
    /// The base URL that it uses; none when it names none.
    pub url: Option<ClientEntry>,
    /// The base URL that flowgate gives it now; none when flowgate.yaml does not tell.
    pub wanted_url: Option<String>,
    /// Its key; none when it holds none.
    pub key: Option<ClientKey>,
    /// The models that it asks for, by entry: `model`, `env.ANTHROPIC_MODEL`.
    pub models: BTreeMap<String, ClientEntry>,
}

/// A value in the config of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientEntry {
    /// The value; the user part of a URL is left out.
    pub text: String,
    /// Its line, from 1.
    pub line: u32,
}

/// The key that a client sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientKey {
    /// Its fingerprint; none when it stands in a variable of the client.
    pub fingerprint: Option<String>,
    /// The variable that holds it, when the config names one.
    pub variable: Option<String>,
    /// Its line, from 1.
    pub line: u32,
}
