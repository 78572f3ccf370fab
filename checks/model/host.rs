//! The machine, the moment and the wishes of the one who asked.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Observed;

/// The flowgate that looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Tool {
    /// Version of flowgate, such as `0.1.0`.
    pub version: String,
    /// How to call this flowgate again, ready to paste before a subcommand:
    /// `flowgate`, or `flowgate --config other.yaml` when a config was named.
    pub command: String,
}

/// The machine and the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Host {
    /// Operating system, as Rust names it: `linux`.
    pub os: String,
    /// Architecture, as Rust names it: `x86_64`, `aarch64`.
    pub arch: String,
    /// Kernel release, such as `6.1.0-18-amd64`.
    pub kernel: String,
    /// Boot id of the kernel; pids of another boot mean nothing.
    pub boot_id: String,
    /// Whose flowgate this is.
    pub user: User,
    /// Whether this is a container (a marker file, or a cgroup of a container engine).
    pub container: bool,
    /// Home directory, for `~` in what people read; absent when HOME is unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// Room on the file system of the runtime dir.
    #[serde(skip_serializing_if = "Observed::is_not_asked")]
    pub runtime_space: Observed<Space>,
    /// Whether flowgate and this config are started at login, by a systemd user unit.
    #[serde(skip_serializing_if = "Observed::is_not_asked")]
    pub starts_at_login: Observed<bool>,
    /// The distribution of Linux and those that it is like, as os-release names them: `ubuntu debian`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution: Option<String>,
    /// Path of a system Python 3.10 or newer, when one is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// Path of `uv`, when it is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uv: Option<String>,
}

/// A user of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct User {
    /// Effective uid.
    pub uid: u32,
    /// Effective gid.
    pub gid: u32,
    /// Login name; the uid as text when the machine knows none.
    pub name: String,
}

/// Room on a file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Space {
    /// Bytes that this user may still write.
    pub free_bytes: u64,
    /// Inodes that are left.
    pub free_inodes: u64,
    /// Inodes in total; 0 where the file system has no such limit.
    pub total_inodes: u64,
}

/// The moment of the look; checks never ask for "now".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Clock {
    /// When gathering began, UTC.
    pub gathered_at: Timestamp,
}

/// What the one who asked wants to be judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Policy {
    /// How far ahead an expiry is worth a warning, in seconds.
    pub horizon_seconds: u64,
    /// Whether a model may be asked, which may cost money.
    pub deep: bool,
    /// Whether downloads are ruled out, so that no fix proposes one.
    pub offline: bool,
    /// What state of the services is expected.
    pub expect: Expectation,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            horizon_seconds: 24 * 60 * 60,
            deep: false,
            offline: false,
            expect: Expectation::Recorded,
        }
    }
}

/// What state of the services is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase")]
pub enum Expectation {
    /// What flowgate's records say is wanted.
    #[default]
    Recorded,
    /// Every enabled service serves.
    Serving,
    /// No service runs.
    Stopped,
    /// The state of the services is not judged.
    Any,
}

/// Where things are. A path below `root` is written relative to it, every other one absolute;
/// this is the form of all paths in a snapshot, and of file subjects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Paths {
    /// The folder that holds `config/` (or `flowgate.yaml` itself), absolute.
    pub root: String,
    /// The folder in which flowgate was called, absolute.
    pub cwd: String,
    /// `paths.runtime_dir`.
    pub runtime_dir: String,
    /// `paths.active_config`, the rendered config of LiteLLM.
    pub active_config: String,
    /// `paths.state_file`, which profile is active.
    pub state_file: String,
    /// `paths.log_file`, the events.
    pub log_file: String,
}
