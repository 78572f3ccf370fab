//! Processes that matter, with identity and relation to us.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One process. Its identity is pid and start time, and not being a zombie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Start time in clock ticks after boot (`/proc/<pid>/stat`, field 22).
    pub start_time: u64,
    /// State letter of the kernel: `R`, `S`, `D`, `T`, `Z`.
    pub state: char,
    /// Parent.
    pub parent: u32,
    /// Session; a service's tree is the session that flowgate made for it.
    pub session: u32,
    /// Effective uid.
    pub uid: u32,
    /// Login name of the uid; the uid as text when there is none.
    pub user: String,
    /// Short name, as `ps` and `ss` show it.
    pub name: String,
    /// The executable, when it may be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exe: Option<String>,
    /// Command line in one line, secrets redacted, at most 300 characters.
    pub command: String,
    /// Working directory, when it may be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Age at the look, in milliseconds.
    pub age_ms: u64,
    /// CPU time used so far, in milliseconds.
    pub cpu_ms: u64,
    /// Where its standard output goes, when it may be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout: Option<Output>,
    /// Where its standard error goes, when it may be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr: Option<Output>,
    /// Whether one of its threads waits until somebody reads its standard output.
    #[serde(default, skip_serializing_if = "is_false")]
    pub waits_for_reader: bool,
    /// Process that traces it: a debugger, `strace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traced_by: Option<u32>,
    /// Whether its control group is frozen: a paused container.
    #[serde(default, skip_serializing_if = "is_false")]
    pub frozen: bool,
    /// Who started and manages it, when the cgroup tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<Manager>,
    /// What it is to us.
    pub relation: Relation,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Where the output of a process goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Output {
    /// A file that has a name.
    #[serde(rename_all = "camelCase")]
    File {
        /// The file, relative to the root when below it.
        path: String,
    },
    /// A pipe, which somebody has to read.
    Pipe,
    /// A terminal.
    Terminal,
    /// `/dev/null`.
    Null,
    /// A file that was removed since: what is written is lost when the process ends.
    Deleted,
    /// A socket or another device.
    Other,
}

/// A manager that is not flowgate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Manager {
    /// A systemd service unit.
    #[serde(rename_all = "camelCase")]
    Systemd {
        /// Unit name, such as `litellm.service`.
        unit: String,
        /// Whether it is a unit of a user's manager.
        user: bool,
    },
    /// A container engine.
    #[serde(rename_all = "camelCase")]
    Container {
        /// Container id, 12 hex digits.
        id: String,
    },
}

/// What a process is to us. Proven by records and sessions, never by a name alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Relation {
    /// The recorded main process of a service of ours.
    #[serde(rename_all = "camelCase")]
    Service {
        /// The service, as named in flowgate.yaml.
        service: String,
    },
    /// A member of the session that flowgate made for the current run of a service.
    #[serde(rename_all = "camelCase")]
    Tree {
        /// The service.
        service: String,
    },
    /// A member of the session of an earlier run of a service, or of one whose record is lost.
    #[serde(rename_all = "camelCase")]
    Orphan {
        /// The service.
        service: String,
    },
    /// Another copy of the program of a service, started by somebody else.
    #[serde(rename_all = "camelCase")]
    SameProgram {
        /// The service whose program it is a copy of.
        service: String,
    },
    /// A port forwarder (docker-proxy, rootlesskit, pasta, slirp4netns, ssh): judge by what answers.
    Forwarder,
    /// Anything else.
    Foreign,
}

impl Process {
    /// The service whose current run this process belongs to.
    pub fn serves(&self) -> Option<&str> {
        match &self.relation {
            Relation::Service { service } | Relation::Tree { service } => Some(service),
            _ => None,
        }
    }
}

#[cfg(test)]
impl Process {
    /// A process with which the gateway has nothing to do.
    pub(crate) fn foreign(pid: u32, name: &str, uid: u32) -> Self {
        Self {
            pid,
            start_time: 1,
            state: 'S',
            parent: 1,
            session: pid,
            uid,
            user: uid.to_string(),
            name: name.into(),
            exe: None,
            command: name.into(),
            cwd: None,
            age_ms: 0,
            cpu_ms: 0,
            stdout: None,
            stderr: None,
            waits_for_reader: false,
            traced_by: None,
            frozen: false,
            manager: None,
            relation: Relation::Foreign,
        }
    }
}
