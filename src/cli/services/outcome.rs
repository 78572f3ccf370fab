//! What became of one service.

use std::time::Duration;

use serde::Serialize;

use crate::supervisor::client::ClientError;
use crate::supervisor::protocol::Answer;
use crate::supervisor::records::LastExit;

/// What is done to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Start it.
    Start,
    /// Stop it.
    Stop,
    /// Stop it, then start it.
    Restart,
}

impl Verb {
    /// The word that people type and that begins the token of a failure.
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
        }
    }
}

/// What became of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The service.
    pub service: String,
    /// Where it listens.
    pub host: String,
    /// Its port.
    pub port: Option<u16>,
    /// How it ended.
    pub end: End,
    /// How long it took.
    pub took: Duration,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "result",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum End {
    /// It is ready.
    Running {
        /// Its main process.
        pid: u32,
        /// Whether it ran before.
        already: bool,
    },
    /// It does not run, and its port is free.
    Stopped {
        /// Whether it ran before.
        was_running: bool,
    },
    /// It did not do what it should.
    Failed {
        /// One word: `exited`, `not-ready`, `port-in-use`, `busy`.
        reason: String,
        /// The same for people, where there is more to say.
        message: Option<String>,
        /// How the process ended, when it did.
        exit: Option<LastExit>,
    },
}

impl End {
    /// From what the supervisor answered.
    pub fn of(answer: Result<Answer, ClientError>) -> Self {
        match answer {
            Ok(Answer::Started { pid, already }) => Self::Running { pid, already },
            Ok(Answer::Stopped { was_running }) => Self::Stopped { was_running },
            Ok(Answer::Failed { reason, exit }) => Self::Failed {
                reason: one_word(&reason),
                message: None,
                exit,
            },
            Ok(Answer::StopFailed { reason }) => Self::Failed {
                reason: "stop-failed".into(),
                message: Some(reason),
                exit: None,
            },
            Ok(Answer::Status { .. } | Answer::Done) => Self::failed(
                "supervisor",
                "the supervisor answered another question".into(),
            ),
            Err(ClientError::Refused(refusal)) => {
                Self::failed(&one_word(&refusal.code), refusal.message)
            }
            Err(error) => Self::failed("supervisor", format!("failed to {error}")),
        }
    }

    /// A failure with a word and a sentence.
    pub fn failed(reason: &str, message: String) -> Self {
        Self::Failed {
            reason: reason.to_owned(),
            message: Some(message),
            exit: None,
        }
    }

    /// Whether it did not do what it should.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }
}

/// Scripts split a line at its blanks.
fn one_word(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join("-")
}
