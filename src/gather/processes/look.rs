//! Reads the processes that matter in one walk over all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use flowgate_checks::model::{Manager, Output, Process, Relation, ServiceKind};

use super::candidate::Candidate;
use super::command::describe;
use super::program::{is_known_name, runs_program};
use super::relation::{ServiceIdentity, relate};
use crate::platform::{self, ProcessStat, TICKS_PER_SECOND};
use crate::supervisor::records::LifeSign;
use crate::sys::place::Root;
use crate::sys::plain;
use crate::sys::redact::Redactor;
use crate::sys::users::Users;

/// The kernel keeps so many bytes of a process's short name.
const NAME_LENGTH: usize = 15;

/// The processes that matter, by pid: those of `pids` (owners of sockets), the recorded ones, the
/// members of recorded sessions and every copy of a service's program. Blocking.
pub fn look(
    pids: &BTreeSet<u32>,
    services: &[ServiceIdentity],
    users: &Users,
    root: &Root,
    redactor: &Redactor,
) -> BTreeMap<u32, Process> {
    let here = Here {
        uptime_ms: platform::uptime_ms().unwrap_or_default(),
        managers: platform::managers(&platform::control_groups(std::process::id())),
    };
    platform::process_ids()
        .into_iter()
        // flowgate itself is no copy of anything, even where one file is all programs.
        .filter(|pid| *pid != std::process::id() || pids.contains(pid))
        .filter_map(|pid| {
            let stat = platform::process_stat(pid)?;
            let is_asked_for = pids.contains(&pid) || is_recorded(&stat, services);
            if !is_asked_for && !may_be_copy(&stat, services) {
                return None;
            }
            let candidate = Candidate::read(stat)?;
            let relation = relation_of(&candidate, services);
            if !is_asked_for && matches!(relation, Relation::Foreign | Relation::Forwarder) {
                return None;
            }
            let process = here.describe(&candidate, relation, users, root, redactor)?;
            Some((pid, process))
        })
        .collect()
}

/// What is known of the process at a recorded pid of a service; none when there is none.
pub fn life_sign(pid: u32, service: &ServiceIdentity) -> Option<LifeSign> {
    let stat = platform::process_stat(pid)?;
    Some(LifeSign {
        is_configured_program: Candidate::read(stat.clone())
            .is_some_and(|candidate| runs_program(&candidate, service).is_some()),
        ..sign_of(&stat)
    })
}

/// What the kernel tells of a process, whatever it runs.
pub fn sign_of(stat: &ProcessStat) -> LifeSign {
    let seconds = i64::try_from(stat.start_time / TICKS_PER_SECOND).ok();
    LifeSign {
        start_time: stat.start_time,
        started_at_seconds: platform::booted_at_seconds()
            .zip(seconds)
            .map(|(boot, seconds)| boot.saturating_add(seconds)),
        is_zombie: stat.is_dead(),
        is_configured_program: false,
    }
}

fn is_recorded(stat: &ProcessStat, services: &[ServiceIdentity]) -> bool {
    services
        .iter()
        .flat_map(|service| &service.runs)
        .any(|run| run.pid == stat.pid || run.session == Some(stat.session))
}

/// Whether the short name leaves it open that this is a copy; the rest is not worth reading.
fn may_be_copy(stat: &ProcessStat, services: &[ServiceIdentity]) -> bool {
    let name = stat.name.as_str();
    services.iter().any(|service| {
        let is_script = service.kind == ServiceKind::Litellm || service.interpreter.is_some();
        let is_runner = name.starts_with("python") || ["uv", "sh", "bash"].contains(&name);
        let file = service
            .program
            .as_deref()
            .and_then(Path::file_name)
            .and_then(|file| file.to_str())
            .unwrap_or_default();
        is_known_name(service.kind, name)
            || (is_script && is_runner)
            || (service.kind == ServiceKind::Cliproxyapi && name == "cli-proxy-api-p")
            || (!file.is_empty() && short(file) == name)
    })
}

/// The short name that the kernel gives a program file.
fn short(file: &str) -> &str {
    let mut end = file.len().min(NAME_LENGTH);
    while !file.is_char_boundary(end) {
        end -= 1;
    }
    &file[..end]
}

/// A worker that a copy of a program made has another name and is a copy of it, too.
fn relation_of(candidate: &Candidate, services: &[ServiceIdentity]) -> Relation {
    let relation = relate(candidate, services);
    if relation != Relation::Foreign {
        return relation;
    }
    let parent = platform::process_stat(candidate.stat.parent)
        .filter(|parent| parent.session == candidate.stat.session)
        .and_then(Candidate::read);
    match parent.map(|parent| relate(&parent, services)) {
        Some(of_parent @ Relation::SameProgram { .. }) => of_parent,
        _ => relation,
    }
}

struct Here {
    uptime_ms: u64,
    /// The managers of flowgate itself: what it shares with a process tells nothing about that one.
    managers: Vec<Manager>,
}

impl Here {
    fn describe(
        &self,
        candidate: &Candidate,
        relation: Relation,
        users: &Users,
        root: &Root,
        redactor: &Redactor,
    ) -> Option<Process> {
        let stat = &candidate.stat;
        let uid = platform::process_user(stat.pid)?;
        let shown = |path: &Path| redactor.clean(&plain::one_line(&root.show(path)));
        let output = |descriptor| {
            platform::output(stat.pid, descriptor).map(|output| match output {
                Output::File { path } => Output::File {
                    path: shown(Path::new(&path)),
                },
                other => other,
            })
        };
        let ticks_to_ms = |ticks: u64| ticks.saturating_mul(1000 / TICKS_PER_SECOND);
        let stdout = output(1);
        let manager = platform::managers(&platform::control_groups(stat.pid))
            .into_iter()
            .find(|manager| !self.managers.contains(manager));
        Some(Process {
            pid: stat.pid,
            start_time: stat.start_time,
            state: stat.state,
            parent: stat.parent,
            session: stat.session,
            uid,
            user: users.name(uid),
            name: plain::one_line(&stat.name),
            exe: candidate.exe.as_deref().map(shown),
            command: describe(&candidate.argv, &stat.name, redactor),
            cwd: candidate.cwd.as_deref().map(shown),
            age_ms: self.uptime_ms.saturating_sub(ticks_to_ms(stat.start_time)),
            cpu_ms: ticks_to_ms(stat.cpu_ticks),
            waits_for_reader: stdout == Some(Output::Pipe) && platform::waits_for_reader(stat.pid),
            traced_by: platform::tracer_of(stat.pid),
            frozen: platform::is_frozen(stat.pid),
            stdout,
            stderr: output(2),
            manager,
            relation,
        })
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests start the processes that are looked at"
)]
mod tests {
    use std::fs;
    use std::io::{BufRead, BufReader};
    use std::os::unix::fs::PermissionsExt;
    use std::process::{Child, Command, Stdio};

    use flowgate_checks::model::RunLife;

    use super::*;
    use crate::supervisor::records::RecordedRun;

    /// A process that ends with the test.
    struct Running(Child);

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// Starts a program and waits until it says that it runs.
    fn start(command: &mut Command) -> Running {
        let child = command
            // The script reads from it, so that it ends when the test does.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut running = Running(child);
        let mut line = String::new();
        BufReader::new(running.0.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        running
    }

    fn identity(program: &Path, runs: Vec<RecordedRun>) -> ServiceIdentity {
        ServiceIdentity {
            name: "litellm".into(),
            kind: ServiceKind::Litellm,
            program: Some(program.to_owned()),
            args: vec![],
            interpreter: None,
            log: None,
            runs,
        }
    }

    fn script(dir: &Path) -> std::path::PathBuf {
        let path = dir.join("litellm");
        fs::write(&path, "#!/bin/sh\necho up\nread wait\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn look_at(pids: &[u32], services: &[ServiceIdentity]) -> BTreeMap<u32, Process> {
        look(
            &pids.iter().copied().collect(),
            services,
            &Users::load(),
            &Root::new("/nowhere"),
            &Redactor::default(),
        )
    }

    #[test]
    fn a_recorded_process_is_ours_and_another_copy_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let program = script(dir.path());
        let ours = start(Command::new(&program).args(["--api-key", "lab-key-1"]));
        let other = start(&mut Command::new(&program));
        let stat = platform::process_stat(ours.0.id()).unwrap();
        let run = RecordedRun {
            pid: stat.pid,
            start_time: Some(stat.start_time),
            boot_id: None,
            session: None,
            is_current: true,
            life: RunLife::Alive,
        };
        let seen = look_at(&[], &[identity(&program, vec![run])]);
        let process = &seen[&ours.0.id()];
        let service = "litellm".to_owned();
        assert_eq!(
            process.relation,
            Relation::Service {
                service: service.clone()
            }
        );
        assert_eq!(process.start_time, stat.start_time);
        assert!(process.command.ends_with("litellm --api-key [redacted]"));
        assert_eq!(process.uid, rustix::process::geteuid().as_raw());
        assert!(process.age_ms < 600_000);
        assert_eq!(process.name, "litellm");
        let relation = &seen[&other.0.id()].relation;
        assert_eq!(*relation, Relation::SameProgram { service });
    }

    #[test]
    fn an_owner_of_a_socket_is_described_whoever_it_is() {
        let sleeper = start(Command::new("sh").args(["-c", "echo up; read wait"]));
        let seen = look_at(
            &[sleeper.0.id()],
            &[identity(Path::new("/x/litellm"), vec![])],
        );
        let process = &seen[&sleeper.0.id()];
        assert_eq!(process.relation, Relation::Foreign);
        assert_eq!(process.parent, std::process::id());
        assert!(process.exe.is_some() && process.cwd.is_some());
        assert!(!seen.contains_key(&std::process::id()));
    }

    #[test]
    fn the_life_of_a_process_is_told_until_its_status_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let program = script(dir.path());
        let service = identity(&program, vec![]);
        let mut running = start(&mut Command::new(&program));
        let pid = running.0.id();
        let sign = life_sign(pid, &service).unwrap();
        assert!(sign.is_configured_program && !sign.is_zombie);
        let now = jiff::Timestamp::now().as_second();
        assert!((sign.started_at_seconds.unwrap() - now).abs() < 600);
        running.0.kill().unwrap();
        // Killed, and nobody has read its status: the kernel keeps it as a zombie.
        let pidfd = rustix::process::pidfd_open(
            rustix::process::Pid::from_raw(pid as i32).unwrap(),
            rustix::process::PidfdFlags::empty(),
        )
        .unwrap();
        rustix::process::waitid(
            rustix::process::WaitId::PidFd(std::os::fd::AsFd::as_fd(&pidfd)),
            rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT,
        )
        .unwrap();
        assert!(life_sign(pid, &service).unwrap().is_zombie);
        running.0.wait().unwrap();
        assert_eq!(life_sign(pid, &service), None);
    }
}
