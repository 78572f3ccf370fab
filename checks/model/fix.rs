//! Named remedies and the changes that they consist of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Mode;

/// A named remedy of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fix {
    /// Stable id: `stop-holder`, `move-port`, `by-hand`.
    pub id: String,
    /// What it does, as an instruction: `stop python3 (pid 4312), then start litellm`.
    pub title: String,
    /// Who may apply it.
    pub safety: Safety,
    /// Whether it can be taken back.
    pub reversible: bool,
    /// What to type, in order; each can be pasted. Empty when the title is a text to write into a file.
    pub commands: Vec<String>,
    /// The same as data, for `doctor --fix`.
    pub steps: Vec<Step>,
}

/// Who may apply a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Safety {
    /// It can be applied without asking.
    Safe,
    /// It is asked for.
    Unsafe,
    /// It is only shown.
    Manual,
}

/// One change as data. Paths are as the snapshot shows them; no step holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Step {
    /// Change the permission bits of a file or directory.
    SetMode {
        /// The file.
        path: String,
        /// The bits it has now.
        from: Mode,
        /// The bits it gets.
        to: Mode,
    },
    /// Replace one scalar of a config.
    SetValue {
        /// The config file, or a key file of flowgate.
        file: String,
        /// The entry: `services.litellm.port`; empty for a key file, which holds the value alone.
        path: String,
        /// Its value now, as text; none when it is a secret.
        from: Option<String>,
        /// Its value then.
        to: Value,
    },
    /// Insert one `key: value` line into a block mapping of a config.
    InsertKey {
        /// The config file.
        file: String,
        /// The mapping: `general_settings`; empty for the top.
        under: String,
        /// The new key.
        key: String,
        /// Its value.
        value: Value,
    },
    /// Remove a stale record of flowgate's own.
    RemoveRecord {
        /// The record.
        path: String,
    },
    /// End a process that is proven ours.
    Signal {
        /// The process.
        pid: u32,
        /// Its start time, in clock ticks after boot; another process at the pid gets no signal.
        start_time: u64,
        /// Its command, for people.
        command: String,
        /// The signals, in order, until it has ended: `TERM`, `INT`, `KILL`.
        ladder: Vec<String>,
    },
    /// Start a service.
    StartService {
        /// Its name.
        service: String,
    },
    /// Stop a service.
    StopService {
        /// Its name.
        service: String,
    },
    /// Stop a service and start it again.
    RestartService {
        /// Its name.
        service: String,
    },
    /// Let a suspended process of a service go on.
    ContinueService {
        /// Its name.
        service: String,
        /// The suspended process.
        pid: u32,
        /// Its start time, in clock ticks after boot.
        start_time: u64,
    },
    /// Start the supervisor, which adopts the services that its records name.
    StartSupervisor,
    /// End a supervisor that does not answer, and start another, which adopts.
    RestartSupervisor {
        /// The one that does not answer.
        pid: u32,
        /// Its start time, in clock ticks after boot.
        start_time: u64,
    },
    /// Let the supervisor become this flowgate; the services go on.
    ReexecSupervisor,
    /// Render the active LiteLLM config from a profile.
    ActivateProfile {
        /// The profile.
        profile: String,
    },
    /// Change what flowgate sets in the config of a client.
    Integration {
        /// The client: `codex`, `claude-code`.
        client: String,
        /// Its config file.
        path: String,
        /// What is changed.
        change: ClientChange,
    },
    /// Write the files of a new gateway that are not there.
    Init,
    /// Take back what an unfinished repair has done so far.
    FinishRollBack {
        /// The id of its run.
        run: String,
    },
}

/// What is changed in the config of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ClientChange {
    /// It is pointed at the gateway; a key that it has is kept.
    Point,
    /// The same, and it gets the key of the gateway in the place of its own.
    PointWithKey,
    /// What flowgate set is as it was before.
    Remove,
}

/// A value that a step writes, never a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Value {
    /// This text, number or truth value.
    Literal(Literal),
    /// A new random secret, made when the step is applied.
    Random(SecretKind),
    /// What stands in another entry, or in a key file of flowgate, when the step is applied.
    #[serde(rename_all = "camelCase")]
    CopyOf {
        /// The file.
        file: String,
        /// The entry in it; none for a key file, which holds the value alone.
        entry: Option<String>,
    },
    /// The bcrypt hash of what a key file of flowgate holds when the step is applied: what
    /// CLIProxyAPIPlus makes of a management key by itself.
    #[serde(rename_all = "camelCase")]
    HashOf {
        /// The key file.
        file: String,
    },
}

/// A value that is no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Literal {
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A truth value.
    Bool(bool),
}

/// What a random secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SecretKind {
    /// The master key of LiteLLM.
    MasterKey,
    /// The key with which LiteLLM asks CLIProxyAPIPlus.
    UpstreamKey,
    /// The key of the management API.
    ManagementKey,
}

impl Fix {
    /// A remedy that is only shown: what to type, or the text to write and where.
    pub fn manual(id: &str, title: impl Into<String>, commands: Vec<String>) -> Self {
        Self::new(id, Safety::Manual, title, commands)
    }

    /// A remedy with its safety, not reversible and without steps.
    pub fn new(id: &str, safety: Safety, title: impl Into<String>, commands: Vec<String>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            safety,
            reversible: false,
            commands,
            steps: Vec::new(),
        }
    }

    /// The same remedy, with its changes as data. It can be taken back when one of them can, and none
    /// ends what cannot be brought back.
    pub fn with_steps(mut self, steps: Vec<Step>) -> Self {
        self.reversible = steps.iter().any(|step| step.undo() == Some(true))
            && steps.iter().all(|step| step.undo() != Some(false));
        self.steps = steps;
        self
    }
}

impl Step {
    /// Whether it can be taken back; none for what is only done once more, such as a restart.
    fn undo(&self) -> Option<bool> {
        match self {
            Self::SetMode { .. }
            | Self::SetValue { .. }
            | Self::InsertKey { .. }
            | Self::RemoveRecord { .. }
            | Self::StartService { .. }
            | Self::StopService { .. }
            | Self::ActivateProfile { .. }
            | Self::Integration { .. }
            | Self::Init => Some(true),
            Self::RestartService { .. } => None,
            Self::Signal { .. }
            | Self::ContinueService { .. }
            | Self::StartSupervisor
            | Self::RestartSupervisor { .. }
            | Self::ReexecSupervisor
            | Self::FinishRollBack { .. } => Some(false),
        }
    }
}
