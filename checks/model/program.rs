//! What the command of a service resolves to, without running it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Mode, Observed};

/// The program that `command.args[0]` names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Program {
    /// `command.args[0]` as written.
    pub named: String,
    /// Where it was looked for, resolved against the cwd of the service or PATH.
    pub path: String,
    /// Whether it is there and what it is.
    pub state: ProgramState,
    /// Programs of the same kind under another name in the same folder, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub siblings: Vec<String>,
    /// Whether it lies in the `bin` folder of the runtime dir, where flowgate installs.
    #[serde(default)]
    pub in_runtime_bin: bool,
}

/// Whether a program is there and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ProgramState {
    /// No such file, in the place or on PATH.
    NotFound,
    /// A symlink whose target is gone.
    #[serde(rename_all = "camelCase")]
    Dangling {
        /// The target that is gone.
        target: String,
    },
    /// It is a directory.
    Directory,
    /// It is there and cannot be looked at.
    #[serde(rename_all = "camelCase")]
    Unreadable {
        /// Why, as a fragment.
        why: String,
    },
    /// It is a file.
    File(Executable),
}

/// A program file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Executable {
    /// Size in bytes.
    pub size: u64,
    /// Permission bits.
    pub mode: Mode,
    /// Owner.
    pub uid: u32,
    /// Whether this user may execute it, by its bits and those of the folders above it.
    pub executable: bool,
    /// Mount point, when it is mounted `noexec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noexec_mount: Option<String>,
    /// What its first bytes are.
    pub content: ProgramContent,
    /// Facts of the Python environment of a LiteLLM program, from its metadata.
    #[serde(default, skip_serializing_if = "Observed::is_not_asked")]
    pub packages: Observed<PackageFacts>,
}

/// What the first bytes of a program are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ProgramContent {
    /// An ELF binary.
    Elf(ElfFacts),
    /// A script with a shebang.
    Script(Interpreter),
    /// A script without a shebang.
    NoShebang,
    /// Nothing at all.
    Empty,
    /// An HTML page, as a failed download leaves it.
    Html,
    /// An archive that was never unpacked, by kind: `gzip`, `zip`, `tar`, `xz`.
    #[serde(rename_all = "camelCase")]
    Archive {
        /// Its kind.
        kind: String,
    },
    /// Something else, the first bytes in hex.
    #[serde(rename_all = "camelCase")]
    Other {
        /// The first bytes in hex, at most 8 bytes.
        head: String,
    },
    /// The bytes cannot be read (executable, not readable).
    Hidden,
}

/// Facts of an ELF binary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ElfFacts {
    /// The machine it is for, in Rust's words where there is one: `x86_64`, `aarch64`, else `machine 243`.
    pub machine: String,
    /// Whether this host can run that machine natively.
    pub native: bool,
    /// The dynamic loader it asks for; none for a static binary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loader: Option<String>,
    /// Whether that loader is there.
    #[serde(default)]
    pub loader_found: bool,
    /// The size that its headers promise, when the file is shorter: it was cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised_size: Option<u64>,
}

/// The interpreter of a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Interpreter {
    /// The shebang line without `#!`; a carriage return is shown as `\r`.
    pub shebang: String,
    /// The interpreter (for `env NAME` the program that PATH resolves it to, or the name).
    pub path: String,
    /// Whether it can be executed.
    pub usable: bool,
    /// Why it cannot, as a fragment: `no such file`, `link to /opt/python3.10, which is gone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What else the script needs and lacks: `uv` or the `--project` folder of a runner script.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// What the metadata of a Python environment says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackageFacts {
    /// The site-packages folder that was read.
    pub site_packages: String,
    /// Version of LiteLLM, when it is installed there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub litellm: Option<String>,
    /// Packages that the proxy needs at its start and that have no metadata there, sorted.
    #[serde(default)]
    pub missing: Vec<String>,
}
