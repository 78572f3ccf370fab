//! What a process is to us: a pure function of records, sessions and what it runs.

use std::path::PathBuf;

use flowgate_checks::model::{Relation, RunLife, ServiceKind};

use super::candidate::Candidate;
use super::program::runs_program;
use crate::supervisor::records::RecordedRun;

/// By what the processes of a service are known.
#[derive(Debug, Clone)]
pub struct ServiceIdentity {
    /// Its name in flowgate.yaml.
    pub name: String,
    /// Which program it is.
    pub kind: ServiceKind,
    /// The program file that its command resolves to, absolute.
    pub program: Option<PathBuf>,
    /// The arguments behind the program.
    pub args: Vec<String>,
    /// The interpreter of the program, when it is a script; absolute, links not followed.
    pub interpreter: Option<PathBuf>,
    /// The log that takes its output when flowgate starts it, absolute.
    pub log: Option<PathBuf>,
    /// Its recorded runs, the current one first.
    pub runs: Vec<RecordedRun>,
}

/// Names of programs that only pass connections on (FINDINGS, "what holds for all").
const FORWARDERS: [&str; 9] = [
    "docker-proxy",
    "rootlesskit",
    "rootlessport",
    "pasta",
    "pasta.avx2",
    "slirp4netns",
    "ssh",
    "sshd",
    "sshd-session",
];

/// What a process is to us, the strongest claim first: recorded, of a recorded session, started by
/// us although the record is lost, a copy of a program, a forwarder, anything else.
pub fn relate(candidate: &Candidate, services: &[ServiceIdentity]) -> Relation {
    for service in services {
        let is_main = service
            .runs
            .iter()
            .any(|run| run.is_current && is_process_of(candidate, run));
        if is_main {
            return Relation::Service {
                service: service.name.clone(),
            };
        }
    }
    for service in services {
        for run in &service.runs {
            let service = service.name.clone();
            if !is_member_of(candidate, run) {
                continue;
            }
            // A run is over when its main process has ended: what is left of it serves nobody's wish.
            return if run.is_current && run.life == RunLife::Alive {
                Relation::Tree { service }
            } else {
                Relation::Orphan { service }
            };
        }
    }
    let best = services
        .iter()
        .filter_map(|service| Some((runs_program(candidate, service)?, service)))
        // Of equals the first one in the order of names.
        .max_by(|(one, a), (other, b)| one.cmp(other).then_with(|| b.name.cmp(&a.name)));
    if let Some((_, service)) = best {
        let service_name = service.name.clone();
        let writes_our_log = service.log.is_some() && candidate.stdout == service.log;
        return if writes_our_log {
            Relation::Orphan {
                service: service_name,
            }
        } else {
            Relation::SameProgram {
                service: service_name,
            }
        };
    }
    if FORWARDERS.contains(&candidate.stat.name.as_str()) {
        return Relation::Forwarder;
    }
    Relation::Foreign
}

/// Whether the process is the main process of the run: pid, start time and boot.
fn is_process_of(candidate: &Candidate, run: &RecordedRun) -> bool {
    matches!(run.life, RunLife::Alive | RunLife::Zombie)
        && candidate.stat.pid == run.pid
        && run.start_time == Some(candidate.stat.start_time)
}

/// Whether the process belongs to the session of the run. The kernel gives a session's number to no
/// new process while a member lives, so a number that was given anew means that the session is over.
fn is_member_of(candidate: &Candidate, run: &RecordedRun) -> bool {
    let is_session_ours = matches!(run.life, RunLife::Alive | RunLife::Zombie | RunLife::Gone);
    let is_not_older = run.start_time.is_some_and(|start_time| {
        if candidate.stat.pid == run.pid {
            candidate.stat.start_time == start_time
        } else {
            candidate.stat.start_time >= start_time
        }
    });
    is_session_ours && is_not_older && run.session == Some(candidate.stat.session)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::ProcessStat;

    fn candidate(pid: u32, session: u32, start_time: u64, argv: &[&str]) -> Candidate {
        Candidate {
            stat: ProcessStat {
                pid,
                name: "x".into(),
                state: 'S',
                parent: 1,
                session,
                start_time,
                cpu_ticks: 0,
            },
            argv: argv.iter().map(|word| (*word).into()).collect(),
            exe: Some("/usr/bin/python3.11".into()),
            cwd: Some("/gw".into()),
            stdout: None,
        }
    }

    fn run(pid: u32, start_time: u64, is_current: bool, life: RunLife) -> RecordedRun {
        RecordedRun {
            pid,
            start_time: Some(start_time),
            boot_id: Some("boot".into()),
            session: Some(pid),
            is_current,
            life,
        }
    }

    fn litellm(runs: Vec<RecordedRun>) -> ServiceIdentity {
        ServiceIdentity {
            name: "litellm".into(),
            kind: ServiceKind::Litellm,
            program: Some("/gw/bin/litellm".into()),
            args: vec!["--port".into(), "4000".into()],
            interpreter: Some("/gw/.venv/bin/python".into()),
            log: Some("/gw/process-logs/litellm.log".into()),
            runs,
        }
    }

    fn cliproxy() -> ServiceIdentity {
        ServiceIdentity {
            name: "cliproxyapi_plus".into(),
            kind: ServiceKind::Cliproxyapi,
            program: Some("/gw/bin/CLIProxyAPIPlus".into()),
            args: vec![],
            interpreter: None,
            log: None,
            runs: vec![],
        }
    }

    const SCRIPT: [&str; 2] = ["/gw/.venv/bin/python", "/gw/bin/litellm"];

    fn named(relation: &str) -> Relation {
        let service = "litellm".to_owned();
        match relation {
            "service" => Relation::Service { service },
            "tree" => Relation::Tree { service },
            "orphan" => Relation::Orphan { service },
            "same" => Relation::SameProgram { service },
            _ => Relation::Foreign,
        }
    }

    #[test]
    fn records_and_sessions_decide_before_names() {
        let alive = || vec![run(40, 100, true, RunLife::Alive)];
        let gone = || vec![run(40, 100, true, RunLife::Gone)];
        for (runs, process, expected) in [
            (alive(), candidate(40, 40, 100, &SCRIPT), "service"),
            (alive(), candidate(41, 40, 150, &["sh"]), "tree"),
            // The pid was given to another process.
            (alive(), candidate(40, 40, 999, &["sh"]), "foreign"),
            (alive(), candidate(50, 50, 150, &SCRIPT), "same"),
            (alive(), candidate(50, 50, 150, &["sh"]), "foreign"),
            (gone(), candidate(41, 40, 150, &["sh"]), "orphan"),
            // Older than the run whose session it would be of.
            (gone(), candidate(41, 40, 50, &["sh"]), "foreign"),
            (
                vec![run(40, 100, true, RunLife::Reused)],
                candidate(40, 40, 500, &["sh"]),
                "foreign",
            ),
            (
                vec![run(40, 100, true, RunLife::OtherBoot)],
                candidate(41, 40, 500, &["sh"]),
                "foreign",
            ),
            (
                vec![
                    run(60, 200, true, RunLife::Alive),
                    run(40, 100, false, RunLife::Alive),
                ],
                candidate(40, 40, 100, &SCRIPT),
                "orphan",
            ),
        ] {
            assert_eq!(
                relate(&process, &[litellm(runs)]),
                named(expected),
                "{process:?}"
            );
        }
    }

    #[test]
    fn a_lost_record_is_proven_by_program_and_log_together() {
        let mut process = candidate(50, 50, 150, &SCRIPT);
        process.stdout = Some("/gw/process-logs/litellm.log".into());
        assert_eq!(relate(&process, &[litellm(vec![])]), named("orphan"));
        process.argv = vec!["tail".into()];
        assert_eq!(relate(&process, &[litellm(vec![])]), named("foreign"));
    }

    #[test]
    fn copies_of_a_program_are_known_however_they_are_started() {
        for argv in [
            &[
                "/usr/bin/python3",
                "/home/ben/bin/litellm",
                "--port",
                "4000",
            ][..],
            &["python3.11", "-m", "litellm"],
            &["uv", "run", "--project", "/p", "litellm"],
            &["bash", "bin/litellm"],
            &[
                "/gw/.venv/bin/python",
                "-c",
                "from multiprocessing.spawn import spawn_main",
                "--multiprocessing-fork",
            ],
        ] {
            let process = candidate(50, 50, 150, argv);
            assert_eq!(
                relate(&process, &[litellm(vec![])]),
                named("same"),
                "{argv:?}"
            );
        }
        for argv in [
            &["vim", "/gw/bin/litellm"][..],
            &["tail", "-f", "litellm"],
            &["python3", "-m", "http.server", "4000"],
            &["python3", "litellm.py"],
        ] {
            let process = candidate(50, 50, 150, argv);
            assert_eq!(
                relate(&process, &[litellm(vec![])]),
                Relation::Foreign,
                "{argv:?}"
            );
        }
        let mut process = candidate(50, 50, 150, &["./cli-proxy-api"]);
        process.exe = Some("/opt/cli-proxy-api".into());
        assert_eq!(
            relate(&process, &[litellm(vec![]), cliproxy()]),
            Relation::SameProgram {
                service: "cliproxyapi_plus".into()
            }
        );
    }

    #[test]
    fn one_file_that_serves_two_services_is_told_apart_by_its_arguments() {
        let two = |name: &str, word: &str| ServiceIdentity {
            name: name.into(),
            program: Some("/opt/all-in-one".into()),
            args: vec![word.into()],
            kind: ServiceKind::Other,
            ..cliproxy()
        };
        let services = [two("a", "one"), two("b", "two")];
        let mut process = candidate(50, 50, 150, &["/opt/all-in-one", "two"]);
        process.exe = Some("/opt/all-in-one".into());
        let expected = Relation::SameProgram {
            service: "b".into(),
        };
        assert_eq!(relate(&process, &services), expected);
        process.argv = vec!["/opt/all-in-one".into(), "other".into()];
        assert_eq!(relate(&process, &services), Relation::Foreign);
    }

    #[test]
    fn forwarders_are_known_by_name() {
        let mut process = candidate(50, 50, 150, &["/usr/bin/docker-proxy", "-proto", "tcp"]);
        process.stat.name = "docker-proxy".into();
        assert_eq!(relate(&process, &[litellm(vec![])]), Relation::Forwarder);
    }
}
