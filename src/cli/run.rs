//! `flowgate run`: the supervisor in the foreground, also as the first process of a container.

pub mod end;
mod reaper;
mod signals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use clap::Args;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::task::{JoinHandle, JoinSet};

use self::end::Standing;
use self::signals::Ends;
use super::failure::{EXIT_FAILED, Failure};
use super::opened::{self, Opened};
use super::progress::Progress;
use super::services::ask::{ask, referenced};
use super::services::diagnosis::Diagnosis;
use super::services::outcome::{End, Outcome, Verb};
use super::services::say::Speaker;
use super::services::targets::targets;
use super::{Global, output};
use crate::platform::ProcessHandle;
use crate::supervisor::client::Client;
use crate::supervisor::daemon::{Daemon, DaemonError};
use crate::supervisor::protocol::{Answer, Command, ServiceStatus};
use crate::supervisor::{exit, status};

/// How often the services are looked at while something goes on with them.
const PERIOD: Duration = Duration::from_millis(250);

/// The supervisor notes an end within this time.
const SOON: Duration = Duration::from_millis(20);

/// Start all services and watch them in the foreground; Ctrl-C stops them
///
/// They stop in reverse order; a second Ctrl-C kills what is left. As the first process of a
/// container it also reaps what the services leave behind.
///
/// It ends by itself when no service runs any more and none is tried again. Exit codes: 0 all were
/// told to stop; 1 it could not begin, or one did not stop; 2 flowgate.yaml does not load; 16 plus
/// 1 for CLIProxyAPIPlus, 2 for LiteLLM, 4 for another: these failed for good.
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
    reaper::begin().context("failed to listen for ends")?;
    let shared = Arc::clone(&foreground);
    let mut starting = tokio::task::spawn_blocking(move || shared.start_all());
    tokio::select! {
        () = ends.next() => {}
        over = begin_and_watch(&mut starting, &foreground) => return Ok(over),
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

/// Waits until all were started, then until none runs any more; gives the exit code.
async fn begin_and_watch(
    starting: &mut JoinHandle<Vec<String>>,
    foreground: &Arc<Foreground>,
) -> u8 {
    let not_started = starting.await.unwrap_or_default();
    loop {
        let shared = Arc::clone(foreground);
        let services = tokio::task::spawn_blocking(move || shared.services()).await;
        let Ok(Some(services)) = services else {
            output::errors("the supervisor has ended\n");
            return EXIT_FAILED;
        };
        match end::judge(&services, &not_started) {
            Standing::Over(failed) => {
                let who = match failed.as_slice() {
                    [] => String::new(),
                    failed => format!("; failed: {}", failed.join(", ")),
                };
                output::errors(&format!("no service runs any more{who}\n"));
                return end::code(&failed, &foreground.opened.config);
            }
            Standing::Settled(pids) => {
                first_end(&pids).await;
                tokio::time::sleep(SOON).await;
            }
            Standing::Moving => tokio::time::sleep(PERIOD).await,
        }
    }
}

/// Waits until one of these has ended; no time passes until then.
async fn first_end(pids: &[u32]) {
    let mut ends = JoinSet::new();
    for handle in pids.iter().map(|pid| ProcessHandle::of_pid(*pid)) {
        match handle {
            Ok(handle) => ends.spawn(exit::over(handle)),
            Err(_) => return,
        };
    }
    ends.join_next().await;
}

impl Foreground {
    fn client(&self) -> Option<Client> {
        Client::connect(&self.opened.config.paths.runtime_dir)
    }

    /// Starts all, and lets the doctor say why some did not get ready; gives their names.
    fn start_all(&self) -> Vec<String> {
        let outcomes = self.act(Verb::Start);
        let failed = outcomes.iter().filter(|outcome| outcome.end.is_failure());
        let failed: BTreeSet<&str> = failed.map(|outcome| outcome.service.as_str()).collect();
        if !outcomes.is_empty() && !self.is_stopping() {
            let diagnosis = (!failed.is_empty()).then(|| Diagnosis::of(&failed, &self.global));
            // Nobody to tell is no reason to end what runs.
            let _ = self
                .speaker(Verb::Start)
                .finish(&outcomes, diagnosis.as_ref());
        }
        failed.into_iter().map(str::to_owned).collect()
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
                    let progress = Progress::of(&service.name, speaker.shows_progress());
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

    /// What the supervisor says of the services of flowgate.yaml that are its own.
    fn services(&self) -> Option<BTreeMap<String, ServiceStatus>> {
        let answer = self.client()?.request(Command::Status, |_| {});
        let Ok(Answer::Status { mut services, .. }) = answer else {
            return None;
        };
        let config = &self.opened.config;
        services.retain(|name, _| {
            config
                .service(name)
                .is_some_and(|service| service.enabled && service.managed)
        });
        Some(services)
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
