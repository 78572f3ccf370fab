//! What flows over the supervisor's socket: one JSON line per request, any number of events, one
//! answer (DESIGN section 9).

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::records::{LastExit, ServiceState};

/// Version of the protocol.
pub const PROTOCOL_VERSION: u32 = 1;

/// Bytes of a line at most, its line break included.
pub const LINE_LIMIT: usize = 64 * 1024;

/// A request of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Version of the protocol.
    pub v: u32,
    /// Number of the request; its events and its answer carry the same.
    pub id: u64,
    /// What is asked.
    #[serde(flatten)]
    pub command: Command,
}

/// What is asked of the supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cmd", rename_all = "kebab-case")]
pub enum Command {
    /// Start a service; a no-op when it runs.
    Start(Launch),
    /// Stop a service.
    Stop {
        /// The service.
        service: String,
    },
    /// Send the next signal now to a service that is told to stop already.
    Hasten {
        /// The service.
        service: String,
    },
    /// Stop, then start a service.
    Restart(Launch),
    /// Look after a service: of one that lives nothing changes, one that should run and does not is
    /// started; answered as a start is.
    Adopt(Launch),
    /// Tell the state of every service.
    Status,
    /// Stop nothing, and end. The services go on.
    Shutdown,
    /// The same, so that whoever asks takes the services up; refused by a supervisor in the
    /// foreground, and while a service is starting or stopping.
    Yield,
    /// Become a newer flowgate. The services go on, and stay its children.
    Reexec {
        /// The newer program, an absolute path.
        program: PathBuf,
    },
}

/// What a start needs of the one who asks for it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// The service.
    pub service: String,
    /// The folder of the caller, absolute: the working directory where none is configured.
    pub cwd: PathBuf,
    /// The variables of the caller's shell that the service may need. They are kept in memory
    /// alone, and `Debug` shows their names only: they hold secrets.
    pub env: BTreeMap<String, String>,
}

impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Launch")
            .field("service", &self.service)
            .field("cwd", &self.cwd)
            .field("env", &self.env.keys())
            .finish()
    }
}

/// A line from the supervisor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// Version of the protocol.
    pub v: u32,
    /// Number of the request.
    pub id: u64,
    /// An event, or the answer that ends the request.
    #[serde(flatten)]
    pub body: ReplyBody,
}

/// An event, or the answer that ends a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ReplyBody {
    /// Something happened.
    Event {
        /// What.
        event: Event,
    },
    /// The end of the request.
    Answer {
        /// Whether it was done.
        ok: bool,
        /// What it gave.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<Answer>,
        /// Why it was not done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Refusal>,
    },
}

/// Something that happened while a request is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Event {
    /// The service was spawned.
    Spawned {
        /// The service.
        service: String,
        /// Its main process.
        pid: u32,
    },
    /// What a service that starts is doing, in its own words: the phase that its log shows.
    Phase {
        /// The service.
        service: String,
        /// A few words: `loading modules`, `listening`.
        phase: String,
    },
    /// The service is ready.
    Ready {
        /// The service.
        service: String,
        /// Its main process.
        pid: u32,
    },
    /// A signal was sent to the session of the service.
    Signalled {
        /// The service.
        service: String,
        /// `TERM`, `INT`, `KILL`.
        signal: String,
    },
    /// The service ended.
    Exited {
        /// The service.
        service: String,
        /// How.
        exit: LastExit,
    },
}

/// What a request gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Answer {
    /// The service is ready.
    Started {
        /// Its main process.
        pid: u32,
        /// Whether it ran before it was asked for.
        already: bool,
    },
    /// The service did not get ready.
    Failed {
        /// `exited`, `not-ready`, `port-in-use`, `spawn-failed`.
        reason: String,
        /// How it ended, when it did.
        exit: Option<LastExit>,
    },
    /// The service does not run, and its port is free.
    Stopped {
        /// Whether it ran before it was asked for.
        was_running: bool,
    },
    /// The service lives, or its port is held by one of its tree.
    StopFailed {
        /// Why, as a fragment.
        reason: String,
    },
    /// The state of every service.
    Status {
        /// By name.
        services: BTreeMap<String, ServiceStatus>,
        /// Version of the flowgate that supervises.
        version: String,
        /// Its pid.
        pid: u32,
        /// Tells it from the one that it was before it became a newer flowgate.
        #[serde(default)]
        instance: String,
    },
    /// Nothing to say.
    Done,
}

/// The state of one service, as the supervisor knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    /// Where its state machine stands.
    pub state: ServiceState,
    /// Whether it should run.
    pub wanted: bool,
    /// Its main process.
    pub pid: Option<u32>,
    /// When its run began.
    pub since: Option<Timestamp>,
    /// When it became ready.
    pub ready_at: Option<Timestamp>,
    /// Restarts since a person started it.
    #[serde(default)]
    pub restarts: u32,
    /// When it is tried again, in back-off.
    #[serde(default)]
    pub next_try_at: Option<Timestamp>,
    /// How its last run ended.
    pub last_exit: Option<LastExit>,
}

impl Refusal {
    /// A refusal.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
        }
    }
}

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// `unknown-service`, `not-managed`, `not-wanted`, `busy`, `bad-request`, `version`, `config`,
    /// `runtime-dir`, `not-newer`, `upgrade`, `foreground`.
    pub code: String,
    /// One sentence.
    pub message: String,
}
