//! What a finding is about.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a finding is about; one finding per id and subject. Written as its plain name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// A service, as named in flowgate.yaml.
    Service(String),
    /// A file or directory, relative to the root when below it.
    File(String),
    /// A login provider.
    Provider(String),
    /// A client that flowgate configured.
    Client(String),
    /// An entry of flowgate.yaml.
    Entry(String),
    /// The machine.
    Host,
    /// flowgate's own supervisor.
    Supervisor,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(name)
            | Self::File(name)
            | Self::Provider(name)
            | Self::Client(name)
            | Self::Entry(name) => f.write_str(name),
            Self::Host => f.write_str("host"),
            Self::Supervisor => f.write_str("supervisor"),
        }
    }
}
