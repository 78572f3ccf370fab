//! Config files as flat, redacted trees with positions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The three config files of a gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Configs {
    /// flowgate.yaml.
    pub flowgate: ConfigFile,
    /// The active config of LiteLLM (`paths.active_config`, or what `--config` in its args names).
    pub litellm: ConfigFile,
    /// The config of CLIProxyAPIPlus (what `-config` in its args names).
    pub cliproxyapi: ConfigFile,
}

/// One config file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigFile {
    /// The file, relative to the root when below it.
    pub path: String,
    /// Every place that was looked at before this one was taken, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<String>,
    /// Whether it could be read and parsed.
    pub state: ConfigState,
    /// When it was written last, when it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<Timestamp>,
    /// Every mapping, list and scalar, by path: `services.litellm.port`,
    /// `model_list[0].litellm_params.api_base`. A key that holds `.`, `[` or `"` is quoted.
    pub entries: BTreeMap<String, Entry>,
    /// Whether the whole of it is written in brackets, as JSON is; no line can be added at its top then.
    #[serde(skip_serializing_if = "is_false")]
    pub is_flow: bool,
    /// What is odd about it although it loads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<ConfigProblem>,
}

/// Whether a config file could be read and parsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase")]
pub enum ConfigState {
    /// Nobody looked at it.
    #[default]
    NotLooked,
    /// It was read and parsed.
    Loaded,
    /// It is not there.
    Missing,
    /// It is there and cannot be read.
    #[serde(rename_all = "camelCase")]
    Unreadable {
        /// Why, as a fragment: `permission denied`, `is a directory`.
        why: String,
    },
    /// It was read and is no valid config.
    #[serde(rename_all = "camelCase")]
    Invalid {
        /// Where, when the fault has a place.
        position: Option<Position>,
        /// One fragment that says what is wrong and what was expected; no secret.
        message: String,
        /// The offending line, redacted, when it helps.
        excerpt: Option<String>,
    },
}

/// A place in a file; both numbers count from 1.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// One node of a config tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// What stands there, secrets as fingerprints.
    pub value: EntryValue,
    /// The spelling in the file, when it differs from the value and holds no secret: `"4000"`, `010`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// Where the value stands.
    pub position: Position,
    /// Where the value was written, when it came through an alias or a merge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias_of: Option<Position>,
    /// Whether it bears an anchor: what is changed here changes wherever that is used.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_anchored: bool,
    /// Whether a mapping or list is written in brackets, so that no line can be added to it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_flow: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// The value of a config entry. Text only for allow-listed paths, everything else fingerprinted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum EntryValue {
    /// Nothing: `~`, `null` or an empty value.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other plain scalar that is a number, as written.
    Number(String),
    /// Text that is known to be no secret (also every `os.environ/NAME`).
    Text(String),
    /// Text that may be a secret.
    #[serde(rename_all = "camelCase")]
    Secret {
        /// Its fingerprint, 16 hex digits; equal secrets of one machine have equal fingerprints.
        fingerprint: String,
        /// What can be said of it without giving it away.
        class: SecretClass,
    },
    /// A mapping with this many keys.
    Map(usize),
    /// A list with this many items.
    List(usize),
}

/// What can be said of a secret without giving it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SecretClass {
    /// A value like any other.
    Ordinary,
    /// The empty text.
    Empty,
    /// A value that the program's own template ships (`your-api-key-1`).
    Template,
    /// A value that everybody knows (`sk-1234`).
    WellKnown,
    /// A bcrypt hash (`$2a$…`).
    Hash,
}

/// Something odd about a config that loads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigProblem {
    /// What kind of oddity.
    pub kind: ProblemKind,
    /// The path of the entry: `services.litellm.readines_path`.
    pub entry: String,
    /// Where it stands.
    pub position: Position,
}

/// The kinds of oddity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ProblemKind {
    /// A key that flowgate does not know.
    #[serde(rename_all = "camelCase")]
    UnknownKey {
        /// The known key that is meant, when one is close.
        suggestion: Option<String>,
    },
    /// A key that stands twice in one mapping; YAML readers disagree on which one wins.
    #[serde(rename_all = "camelCase")]
    DuplicateKey {
        /// Where the key stands first.
        first: Position,
    },
    /// A key of an older version, read as another.
    #[serde(rename_all = "camelCase")]
    LegacyKey {
        /// The key to write instead.
        instead: String,
    },
}

impl ConfigFile {
    /// The entry at a path, when the file holds one.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// The text at a path, when it is known to be no secret.
    pub fn text(&self, path: &str) -> Option<&str> {
        match &self.entry(path)?.value {
            EntryValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// `path:line` of an entry, or the path of the file alone.
    pub fn place(&self, entry: &str) -> String {
        match self.entry(entry) {
            Some(found) => format!("{}:{}", self.path, found.position.line),
            None => self.path.clone(),
        }
    }

    /// Whether it was read and parsed.
    pub fn is_loaded(&self) -> bool {
        self.state == ConfigState::Loaded
    }
}
