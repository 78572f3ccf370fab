//! What was started and what became of it (`exit.json`).

use std::collections::BTreeMap;

use serde::Deserialize;

/// One program that was started.
#[derive(Debug, Deserialize)]
pub struct Started {
    /// `cliproxy`, `litellm`, with `.2` at the second start, or a command of the case.
    pub service: String,
    /// Its arguments, program first.
    pub argv: Vec<String>,
    /// Its whole environment.
    pub env_set: BTreeMap<String, String>,
    /// Seconds after the begin of the case.
    pub started_t: f64,
    /// Its pid; none when it could not be executed.
    pub pid: Option<u32>,
    /// Exit code, when it ended by itself.
    pub exit_code: Option<i32>,
    /// Signal that ended it: `SIGKILL`.
    pub signal: Option<String>,
    /// How long it lived, when it ended.
    pub seconds_till_exit: Option<f64>,
    /// The signal with which the recorder stopped it, when it did.
    pub stopped_by_lab: Option<String>,
}

impl Started {
    /// The service in the words of flowgate.yaml; none for other commands.
    pub fn flowgate_name(&self) -> Option<&'static str> {
        match self.service.split('.').next()? {
            "cliproxy" => Some("cliproxyapi_plus"),
            "litellm" => Some("litellm"),
            _ => None,
        }
    }

    /// Whether it had ended so many seconds after the begin of the case.
    pub fn has_ended_by(&self, t: f64) -> bool {
        self.seconds_till_exit
            .is_some_and(|lived| self.started_t + lived <= t)
    }
}
