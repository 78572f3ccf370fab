//! `flowgate run`: the supervisor in the foreground.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use clap::Args;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};

use super::failure::{EXIT_FAILED, Failure};
use super::opened::{self, Opened};
use super::progress::Progress;
use super::services::ask::{ask, referenced};
use super::services::diagnosis::Diagnosis;
use super::services::outcome::{End, Outcome, Verb};
use super::services::say::Speaker;
use super::services::targets::targets;
use super::{Global, output};
use crate::supervisor::client::Client;
use crate::supervisor::daemon::{Daemon, DaemonError};
use crate::supervisor::protocol::Command;
use crate::supervisor::status;

/// How often the services are looked at.
const PERIOD: Duration = Duration::from_millis(250);

/// Start all services and watch them in the foreground; Ctrl-C stops them
///
/// They stop in reverse order; a second Ctrl-C kills what is left. The command ends by itself,
/// with exit code 1, when no service runs any more.
#[derive(Debug, Args)]
pub struct RunArgs {}

/// Runs until a signal or until no service runs any more.
///
/// # Errors
/// When another supervisor is there, or nothing could be begun.
pub fn run(_: &RunArgs, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    output::errors(&opened.warnings());
    for note in targets("all", Verb::Start, &opened)?.notes {
        output::errors(&format!("{note}\n"));
    }
    let daemon = Daemon::open(&opened.config.paths.runtime_dir, &opened.path).map_err(refuse)?;
    let serving = thread::spawn(move || daemon.serve());
    let foreground = Arc::new(Foreground {
        opened,
        global: global.clone(),
        is_stopping: AtomicBool::new(false),
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to set up the foreground")?;
    let code = runtime.block_on(watch(Arc::clone(&foreground)));
    runtime.shutdown_background();
    if let Some(mut client) = foreground.client() {
        // It ends with this process at the latest.
        let _ = client.request(Command::Shutdown, |_| {});
        let _ = serving.join();
    }
    code
}

fn refuse(error: DaemonError) -> Failure {
    let holder = match &error {
        DaemonError::Held { pid, .. } => *pid,
        _ => None,
    };
    let failure = Failure::failed(anyhow!("failed to {error}"));
    match holder {
        // The services go on without it.
        Some(pid) => failure.hint(format!("kill {pid}")),
        None => failure,
    }
}

/// What the foreground works on.
struct Foreground {
    opened: Opened,
    global: Global,
    is_stopping: AtomicBool,
}

async fn watch(foreground: Arc<Foreground>) -> Result<u8, Failure> {
    let mut ends = Ends::listen().context("failed to listen for signals")?;
    let shared = Arc::clone(&foreground);
    let mut starting = tokio::task::spawn_blocking(move || shared.start_all());
    let mut has_begun = false;
    loop {
        tokio::select! {
            () = ends.next() => break,
            _ = &mut starting, if !has_begun => has_begun = true,
            () = tokio::time::sleep(PERIOD), if has_begun => {
                if foreground.running().is_empty() {
                    output::errors("no service runs any more\n");
                    return Ok(EXIT_FAILED);
                }
            }
        }
    }
    foreground.is_stopping.store(true, Ordering::SeqCst);
    let shared = Arc::clone(&foreground);
    let mut stopping = tokio::task::spawn_blocking(move || shared.act(Verb::Stop));
    loop {
        tokio::select! {
            () = ends.next() => foreground.kill_all(),
            stopped = &mut stopping => {
                let is_done = stopped.is_ok_and(|outcomes| {
                    !outcomes.iter().any(|outcome| outcome.end.is_failure())
                });
                return Ok(if is_done { 0 } else { EXIT_FAILED });
            }
        }
    }
}

impl Foreground {
    fn client(&self) -> Option<Client> {
        Client::connect(&self.opened.config.paths.runtime_dir)
    }

    /// Starts all, and lets the doctor say why some did not get ready.
    fn start_all(&self) {
        let outcomes = self.act(Verb::Start);
        let failed = outcomes.iter().filter(|outcome| outcome.end.is_failure());
        let failed = failed.map(|outcome| outcome.service.as_str()).collect();
        if !outcomes.is_empty() && !self.is_stopping() {
            let diagnosis = outcomes
                .iter()
                .any(|outcome| outcome.end.is_failure())
                .then(|| Diagnosis::of(&failed, &self.global));
            // Nobody to tell is no reason to end what runs.
            let _ = self
                .speaker(Verb::Start)
                .finish(&outcomes, diagnosis.as_ref());
        }
    }

    /// Does it to all services; a start ends early when somebody wants to stop.
    fn act(&self, verb: Verb) -> Vec<Outcome> {
        let Ok(targets) = targets("all", verb, &self.opened) else {
            return Vec::new();
        };
        let speaker = self.speaker(verb);
        let referenced = referenced(&self.opened);
        let mut outcomes = Vec::new();
        for service in targets.services {
            let is_over = || verb == Verb::Start && self.is_stopping();
            if is_over() {
                break;
            }
            let begun = Instant::now();
            let end = match self.client() {
                Some(mut client) => {
                    let progress = Progress::of(&service.name, true);
                    ask(
                        &mut client,
                        verb,
                        service,
                        &referenced,
                        &self.opened,
                        &progress,
                    )
                }
                None => End::failed("no-supervisor", "the supervisor has ended".into()),
            };
            let outcome = Outcome {
                service: service.name.clone(),
                host: service.host.clone(),
                port: service.port,
                end,
                took: begun.elapsed(),
            };
            if !is_over() {
                let _ = speaker.say(&outcome);
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    fn speaker(&self, verb: Verb) -> Speaker {
        Speaker::new(verb, false, &self.global)
    }

    fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }

    /// The main processes of the services that run and are flowgate's.
    fn running(&self) -> Vec<u32> {
        status::read(&self.opened.config, &self.opened.root)
            .iter()
            .filter(|service| service.managed)
            .filter_map(|service| service.pid)
            .collect()
    }

    /// Kills what still runs; each service leads a group of its own.
    fn kill_all(&self) {
        for pid in self.running() {
            if let Some(group) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                // One that has just ended needs no signal.
                let _ = kill_process_group(group, Signal::KILL);
            }
        }
    }
}

/// The signals that ask for an end: Ctrl-C, `kill`, and a terminal that is closed.
struct Ends {
    interrupt: Signals,
    terminate: Signals,
    hangup: Signals,
}

impl Ends {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
