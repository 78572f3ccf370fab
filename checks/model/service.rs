//! The two services: what is configured, what is recorded, what their logs say.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Observed, Program};

/// One service of flowgate.yaml.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Which program it is.
    pub kind: ServiceKind,
    /// What flowgate.yaml says of it, defaults filled in.
    pub settings: Settings,
    /// Whether it should run, as recorded.
    pub wanted: Wanted,
    /// Its recorded run, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// What its supervisor does about a service that ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries: Option<Tries>,
    /// Its last exits, newest first, at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exits: Vec<Exit>,
    /// Tail of its log since its last start.
    #[serde(default, skip_serializing_if = "Observed::is_not_asked")]
    pub log: Observed<LogTail>,
    /// What its command resolves to.
    #[serde(default, skip_serializing_if = "Observed::is_not_asked")]
    pub program: Observed<Program>,
    /// Variables that change its behaviour, of the running process when there is one.
    #[serde(default, skip_serializing_if = "Observed::is_not_asked")]
    pub environment: Observed<BTreeMap<String, EnvVariable>>,
    /// The `.env` files that its program reads, or that lie where a person would put one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env_files: Vec<EnvFile>,
    /// Entries of its own config that are not what they were when its recorded run was started;
    /// not asked when no digests were recorded.
    #[serde(default, skip_serializing_if = "Observed::is_not_asked")]
    pub changed_entries: Observed<Vec<ChangedEntry>>,
    /// The last time that it was ready, and what differs from it now; none when it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ready: Option<LastReady>,
    /// The files that record it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RecordFile>,
}

/// The last time that a service was ready, and what differs from it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastReady {
    /// When it became ready.
    pub at: Timestamp,
    /// The port at which it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Entries of its own config that are not what they were.
    #[serde(default, skip_serializing_if = "Observed::is_not_asked")]
    pub changed_entries: Observed<Vec<ChangedEntry>>,
    /// Whether its last run was of another program; not asked where no digest was recorded.
    #[serde(default, skip_serializing_if = "Observed::is_not_asked")]
    pub program_changed: Observed<bool>,
    /// Names of variables that it had and its last run had not, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables_gone: Vec<String>,
    /// Names of variables that its last run had and it had not, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables_new: Vec<String>,
}

/// A `.env` file, by the names in it and what can be said of their values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvFile {
    /// The file.
    pub path: String,
    /// The names that it gives a value which is not empty, sorted: those that a config references
    /// and those that change behaviour.
    pub names: Vec<String>,
    /// The values of those that change behaviour and hold no secret, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// Whether the program reads it by itself at its start.
    pub is_read: bool,
}

/// An entry of a config that differs from the one with which a run was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangedEntry {
    /// Its path in the config.
    pub entry: String,
    /// What became of it.
    pub change: EntryChange,
}

/// What became of an entry since a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum EntryChange {
    /// It has another value.
    Changed,
    /// It was not there.
    Added,
    /// It is not there any more.
    Removed,
}

/// A file of the runtime dir that records a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordFile {
    /// The file.
    pub path: String,
    /// Why it says nothing, as a fragment: `is no record: line 1 column 8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The pid of the run that it says to be going on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<u32>,
    /// What became of that run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life: Option<RunLife>,
}

/// Which program a service is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum ServiceKind {
    /// LiteLLM.
    Litellm,
    /// CLIProxyAPIPlus or CLIProxyAPI.
    Cliproxyapi,
    /// Another program, of which only process and port are known.
    Other,
}

/// The effective settings of a service. Where a value is written: the entry
/// `services.<name>.<key>` of flowgate.yaml; without one it is a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// `enabled`; a service that is not is left out of everything.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// `managed`; false when somebody else runs it.
    #[serde(default = "yes")]
    pub managed: bool,
    /// `host` as written, without brackets: `127.0.0.1`, `::1`, `localhost`.
    pub host: String,
    /// `port`; without one nothing is asked of it.
    pub port: Option<u16>,
    /// Scheme in which it is asked, from its own config.
    #[serde(default)]
    pub scheme: Scheme,
    /// `readiness_path`, else `health_path`, else `/v1/models`.
    pub readiness_path: String,
    /// `command.args`, secrets redacted.
    pub args: Vec<String>,
    /// `command.cwd`, resolved.
    pub cwd: String,
    /// Seconds that it may take to get ready.
    pub ready_timeout_seconds: u64,
}

fn yes() -> bool {
    true
}

/// Scheme of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase")]
pub enum Scheme {
    /// Plain HTTP.
    #[default]
    Http,
    /// HTTP over TLS.
    Https,
}

/// Whether a service should run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Wanted {
    /// Whether it should run.
    pub running: bool,
    /// The record that says so; none when there is no record, and then it is not wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// A recorded run of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Main process.
    pub pid: u32,
    /// Session that flowgate made for it; none in a pid file of the original.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<u32>,
    /// When it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it became ready; none when it has not yet, or nobody recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<Timestamp>,
    /// Since when the supervisor gets no answer from it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unready_since: Option<Timestamp>,
    /// Which kind of record says so.
    pub source: RunSource,
    /// What became of it, by pid, start time and boot id.
    pub life: RunLife,
}

/// Which kind of record a run comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RunSource {
    /// `supervisor/<service>.json`: pid, start time and boot id.
    Record,
    /// `pids/<service>.pid` of the original: a bare pid, trusted only when the process at it
    /// is the configured program.
    PidFile,
}

/// What became of a recorded process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RunLife {
    /// It lives.
    Alive,
    /// It has ended and nobody has read its status.
    Zombie,
    /// There is no such process.
    Gone,
    /// Another process has its pid now.
    Reused,
    /// The machine was started anew since.
    OtherBoot,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Exit {
    /// When.
    pub at: Timestamp,
    /// Exit code, when it ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// Signal that ended it: `KILL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// Whether flowgate had asked it to stop.
    #[serde(default)]
    pub requested: bool,
    /// Milliseconds that it had lived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime_ms: Option<u64>,
    /// How its status is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<ExitSource>,
    /// What tells this kind of exit from others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<ExitSignature>,
}

/// How the status of an exit is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExitSource {
    /// It was a child of the supervisor, which waited for it.
    Waited,
    /// It was adopted; the status was read while it was a zombie.
    Zombie,
    /// Nobody saw it.
    Unknown,
}

/// What tells one kind of exit from others: two equal ones have one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExitSignature {
    /// What could make the next try differ.
    pub class: ExitClass,
    /// How far the run had come.
    pub stage: ExitStage,
    /// The status in words: `exit 3`, `SIGKILL`, `unknown`.
    pub status: String,
    /// The log line that decides, without what differs from run to run (times, pids), redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
}

/// What could make the next try of a service differ (DESIGN section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExitClass {
    /// Another config.
    Config,
    /// Another program.
    Program,
    /// Another argument.
    Usage,
    /// A free port.
    Port,
    /// Another state of the machine.
    Environment,
    /// Nothing: somebody ended it.
    Killed,
    /// Nobody knows.
    Unknown,
}

/// How far a run had come when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExitStage {
    /// The program was not executed.
    Exec,
    /// It had not been ready.
    Start,
    /// It had been ready.
    Run,
}

/// What a supervisor does about a service that ended by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tries {
    /// Whether it ended the same way again, and is not tried until a file changes or a person asks.
    pub is_crash_loop: bool,
    /// Restarts since a person started it.
    pub restarts: u32,
    /// When it is tried again, in back-off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<Timestamp>,
}

/// The end of a log, as data: redacted, without colours, never trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct LogTail {
    /// The log file.
    pub path: String,
    /// The last lines since the last start, oldest first, at most 400, each at most 400 characters.
    pub lines: Vec<String>,
    /// Whether older lines of this run were left out.
    pub cut: bool,
}

/// A variable that changes behaviour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum EnvVariable {
    /// Its value, known to be no secret; the user part of a URL is left out.
    Text(String),
    /// It is set, and its value is nobody's business: the fingerprint.
    #[serde(rename_all = "camelCase")]
    Secret {
        /// 16 hex digits.
        fingerprint: String,
    },
    /// It is set to nothing.
    Empty,
}

/// Which profile is active.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Profiles {
    /// The names in flowgate.yaml, sorted.
    pub names: Vec<String>,
    /// `current_profile` of the state file; none when there is no state file.
    #[serde(skip_serializing_if = "Observed::is_not_asked")]
    pub current: Observed<Option<String>>,
    /// For each profile the entries at which the active config differs from what the profile
    /// renders, sorted, at most 20; nothing for a profile that it matches. Not asked without
    /// `litellm_base`, or when the active config does not load.
    #[serde(skip_serializing_if = "Observed::is_not_asked")]
    pub differences: Observed<BTreeMap<String, Vec<String>>>,
}
