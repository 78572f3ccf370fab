//! Modes, owners and reach of the files that hold secrets.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One secret, config or directory whose permissions matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileFacts {
    /// Why it is looked at.
    pub role: FileRole,
    /// File, directory or symlink.
    pub kind: FileKind,
    /// Permission bits (of the target, for a symlink).
    pub mode: Mode,
    /// Owner.
    pub uid: u32,
    /// Login name of the owner; the uid as text when there is none.
    pub owner: String,
    /// Group.
    pub gid: u32,
    /// Whether somebody else is in that group.
    #[serde(default)]
    pub group_shared: bool,
    /// Whether an ACL grants more than the bits show.
    #[serde(default)]
    pub acl: bool,
    /// Whether it holds a secret (a config with keys in it; always true for tokens and key files).
    #[serde(default)]
    pub holds_secret: bool,
    /// Whether this user can read it (for a directory: list and enter it).
    pub readable: bool,
    /// Whether this user can write it.
    pub writable: bool,
    /// Whether it is a home, a git root or a mount point, whose mode flowgate never changes.
    #[serde(default)]
    pub special: bool,
    /// The kind of its file system where that keeps no modes and `chmod` changes nothing: `vfat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_modes: Option<String>,
    /// The directories above it up to `/`, nearest first; empty when none restricts and none was read.
    #[serde(default)]
    pub parents: Vec<Parent>,
}

/// A directory above a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Parent {
    /// The directory, absolute.
    pub path: String,
    /// Permission bits.
    pub mode: Mode,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Whether an ACL grants more than the bits show.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub acl: bool,
}

/// Why a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FileRole {
    /// A token file in an auth dir, or a file of `secret_files`.
    Token,
    /// A key file in `.router/secrets`.
    Key,
    /// flowgate.yaml, the active LiteLLM config or cliproxyapi.yaml.
    Config,
    /// The auth dir that CLIProxyAPIPlus reads, or the default one beside the runtime dir.
    AuthDir,
    /// `.router/secrets`, or the supervisor's dir.
    SecretsDir,
    /// `paths.runtime_dir`.
    RuntimeDir,
    /// The folder of a config.
    ConfigDir,
    /// The folder into which CLIProxyAPIPlus writes its log files.
    LogDir,
    /// A log; it holds a secret where a known one stands in its end.
    Log,
    /// A folder into which CLIProxyAPI wrote error dumps that their bits let others read.
    DumpDir,
}

/// What kind of file it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symlink; the other fields speak of its target.
    #[serde(rename_all = "camelCase")]
    Symlink {
        /// The target, absolute.
        target: String,
        /// Whether the target is there.
        found: bool,
    },
    /// A FIFO, socket or device.
    Other,
}

/// Permission bits, written in octal: `"600"`, `"2770"`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mode(pub u32);

impl Mode {
    /// Whether any bit of `mask` is set.
    pub fn has(self, mask: u32) -> bool {
        self.0 & mask != 0
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03o}", self.0 & 0o7777)
    }
}

impl fmt::Debug for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mode(0o{self})")
    }
}

impl Serialize for Mode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u32::from_str_radix(&text, 8).map(Mode).map_err(|_| {
            de::Error::invalid_value(de::Unexpected::Str(&text), &"an octal mode such as \"600\"")
        })
    }
}

impl JsonSchema for Mode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Mode".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-7]{3,4}$",
            "description": "Permission bits in octal, such as \"600\"."
        })
    }
}
