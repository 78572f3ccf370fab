//! What the services are doing, from records and processes alone: no supervisor is asked.

use std::path::Path;

use flowgate_checks::model::{ExitClass, RunLife};
use jiff::Timestamp;
use serde::Serialize;

use super::records::{self, LastExit, LifeSign, ServiceRecords, ServiceState};
use crate::config::schema::FlowgateConfig;
use crate::config::service::ServiceConfig;
use crate::platform::{self, TICKS_PER_SECOND};
use crate::sys::place::Root;

/// What one service is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceNow {
    /// Its name.
    pub name: String,
    /// Where it stands: as recorded when its run lives, else how it ended.
    pub state: ServiceState,
    /// Whether it should run.
    pub wanted: bool,
    /// Whether flowgate runs it.
    pub managed: bool,
    /// Its main process, while it lives.
    pub pid: Option<u32>,
    /// `host` of flowgate.yaml.
    pub host: String,
    /// `port` of flowgate.yaml.
    pub port: Option<u16>,
    /// Whether a process of its session listens on that port; none when it does not run or nobody
    /// could look.
    pub owns_port: Option<bool>,
    /// When its run began.
    pub since: Option<Timestamp>,
    /// When its run became ready; none as well where nobody looked.
    pub ready_at: Option<Timestamp>,
    /// Restarts since a person started it.
    pub restarts: u32,
    /// When it is tried again, in back-off.
    pub next_try_at: Option<Timestamp>,
    /// Memory that its main process holds, in bytes.
    pub memory_bytes: Option<u64>,
    /// How its last run ended.
    pub last_exit: Option<LastExit>,
}

impl ServiceNow {
    /// Whether its recorded process lives.
    pub fn is_running(&self) -> bool {
        self.pid.is_some()
    }

    /// What its supervisor waits for before it tries again, in a few words; none when it does not
    /// wait. Without a supervisor nobody tries.
    pub fn waits_for(&self, now: Timestamp) -> Option<String> {
        let is_of_class = |class| {
            let signature = self.last_exit.as_ref()?.signature.as_ref()?;
            Some(signature.class == class)
        };
        match (self.state, self.next_try_at) {
            (ServiceState::Backoff, Some(at)) => {
                let left = at.duration_since(now).as_millis().max(0);
                let seconds = (left + 999) / 1000;
                Some(match seconds {
                    0 => "tried again now".into(),
                    _ => format!("tried again in {seconds} s"),
                })
            }
            (ServiceState::Backoff, None) => Some(match self.port {
                Some(port) => format!("waits for port {port}"),
                None => "waits to be tried again".into(),
            }),
            (ServiceState::CrashLoop, _) => {
                let file = match is_of_class(ExitClass::Program) {
                    Some(true) => "its program",
                    _ => "its config",
                };
                Some(format!("crash loop, waits for {file} to change"))
            }
            _ => None,
        }
    }
}

/// What the services of a config are doing, those that are off left out, in the order of the file.
pub fn read(config: &FlowgateConfig, root: &Root) -> Vec<ServiceNow> {
    read_each(enabled(config), config, root, records::read_current)
}

fn enabled(config: &FlowgateConfig) -> impl Iterator<Item = &ServiceConfig> {
    config.services.iter().filter(|service| service.enabled)
}

/// The same of those that are off too: they may run from before.
pub fn read_all(config: &FlowgateConfig, root: &Root) -> Vec<ServiceNow> {
    read_each(config.services.iter(), config, root, records::read_current)
}

/// What some services are doing.
///
/// A run counts when the process at the recorded pid has the recorded start time in this boot and
/// is no zombie. A pid file of the original counts when that process was started when the file says,
/// or runs the configured command.
fn read_each<'a>(
    services: impl Iterator<Item = &'a ServiceConfig>,
    config: &FlowgateConfig,
    root: &Root,
    read: fn(&Path, &str, &Root, u32) -> ServiceRecords,
) -> Vec<ServiceNow> {
    let boot_id = platform::boot_id();
    let pid_limit = platform::pid_limit();
    services
        .map(|service| {
            let runtime = &config.paths.runtime_dir;
            let records = read(runtime, &service.name, root, pid_limit);
            one(service, &records, &boot_id)
        })
        .collect()
}

fn one(service: &ServiceConfig, records: &ServiceRecords, boot_id: &str) -> ServiceNow {
    let recorded = records::interpret(records, boot_id, |pid| life_sign(pid, service));
    let live = recorded
        .run
        .as_ref()
        .filter(|run| run.life == RunLife::Alive);
    let record = records
        .record
        .as_ref()
        .and_then(|(_, record)| record.as_ref().ok());
    let pid = live.map(|run| run.pid);
    ServiceNow {
        name: service.name.clone(),
        state: state(record.map(|record| record.state), pid.is_some()),
        wanted: recorded.wanted.running,
        managed: service.managed,
        pid,
        host: service.host.clone(),
        port: service.port,
        owns_port: None,
        since: live.and_then(|run| run.started_at),
        ready_at: live.and_then(|run| run.ready_at),
        restarts: record.map_or(0, |record| record.restarts),
        next_try_at: record.and_then(|record| record.next_try_at),
        memory_bytes: None,
        last_exit: record.and_then(|record| record.last_exit.clone()),
    }
}

/// A record says what its supervisor knew last: a dead process is not ready whatever it says, and
/// of a run that only a pid file names nobody has looked whether it is.
fn state(recorded: Option<ServiceState>, lives: bool) -> ServiceState {
    use ServiceState::{Backoff, CrashLoop, Stopped, Unknown};
    match (recorded, lives) {
        (Some(state @ (Backoff | CrashLoop)), false) => state,
        (_, false) => Stopped,
        (Some(Stopped | Backoff | CrashLoop) | None, true) => Unknown,
        (Some(state), true) => state,
    }
}

fn life_sign(pid: u32, service: &ServiceConfig) -> Option<LifeSign> {
    let stat = platform::process_stat(pid)?;
    let seconds = i64::try_from(stat.start_time / TICKS_PER_SECOND).ok();
    Some(LifeSign {
        start_time: stat.start_time,
        started_at_seconds: platform::booted_at_seconds()
            .zip(seconds)
            .map(|(boot, seconds)| boot.saturating_add(seconds)),
        is_zombie: stat.is_dead(),
        is_configured_program: runs_command(&platform::command_line(pid), &service.args),
    })
}

/// Whether a process runs the configured command: the same words behind the program, which may have
/// become an interpreter with its script, or the program alone where it takes no words.
fn runs_command(process: &[String], configured: &[String]) -> bool {
    let Some((program, words)) = configured.split_first() else {
        return false;
    };
    let Some(front) = process.len().checked_sub(words.len()) else {
        return false;
    };
    let name = |path: &str| Path::new(path).file_name().map(ToOwned::to_owned);
    let names_program = process[..front]
        .iter()
        .any(|word| name(word) == name(program));
    front > 0 && process[front..] == *words && (names_program || !words.is_empty())
}

/// The same with what takes longer to see: memory, who listens on the port, and since when it is ready.
pub fn read_in_full(config: &FlowgateConfig, root: &Root) -> Vec<ServiceNow> {
    let mut services = read_each(enabled(config), config, root, records::read);
    let sockets = platform::table_sockets();
    for service in &mut services {
        let Some(pid) = service.pid else { continue };
        service.memory_bytes = platform::resident_bytes(pid);
        service.owns_port = service.port.and_then(|port| owns_port(pid, port, &sockets));
    }
    services
}

/// Whether a process of the session listens on the port; none when nobody could look.
fn owns_port(pid: u32, port: u16, sockets: &platform::Witness) -> Option<bool> {
    let inodes = sockets
        .sockets
        .iter()
        .filter(|socket| socket.port == port && socket.state == platform::TcpState::Listen)
        .map(|socket| socket.inode)
        .collect::<std::collections::HashSet<u64>>();
    if inodes.is_empty() {
        return sockets.fault.is_none().then_some(false);
    }
    let session = platform::process_stat(pid)?.session;
    let owners = platform::socket_owners(&inodes);
    if owners.is_empty() {
        return None;
    }
    let is_member =
        |pid: &u32| platform::process_stat(*pid).is_some_and(|stat| stat.session == session);
    Some(owners.values().flatten().any(is_member))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_command_is_known_behind_its_interpreter_and_by_more_than_its_name() {
        let configured = words("bin/litellm --config a.yaml --port 4000");
        for (line, is_it) in [
            ("bin/litellm --config a.yaml --port 4000", true),
            (
                "/gw/.venv/bin/python /gw/bin/litellm --config a.yaml --port 4000",
                true,
            ),
            // A wrapper that ended in `exec python -m litellm "$@"`.
            ("python -m litellm --config a.yaml --port 4000", true),
            ("bin/litellm --config b.yaml --port 4000", false),
            ("--config a.yaml --port 4000", false),
            ("vim bin/litellm", false),
            ("", false),
        ] {
            assert_eq!(runs_command(&words(line), &configured), is_it, "{line}");
        }
        assert!(runs_command(&words("/gw/bin/proxy"), &words("bin/proxy")));
        assert!(!runs_command(&words("/bin/sleep"), &words("bin/proxy")));
        assert!(!runs_command(&words("/bin/sleep"), &[]));
    }

    #[test]
    fn a_record_is_not_believed_on_a_dead_process() {
        use ServiceState::{Backoff, CrashLoop, Ready, Starting, Stopped, Unknown};
        for (recorded, lives, expected) in [
            (Some(Ready), false, Stopped),
            (Some(Starting), false, Stopped),
            (Some(CrashLoop), false, CrashLoop),
            (Some(Backoff), false, Backoff),
            (None, false, Stopped),
            (Some(Ready), true, Ready),
            (Some(Stopped), true, Unknown),
            (None, true, Unknown),
        ] {
            assert_eq!(state(recorded, lives), expected);
        }
    }
}
