//! `flowgate run`: the supervisor in the foreground, also as the first process of a container.

pub mod end;
mod foreground;
mod reaper;
mod signals;
mod takeover;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::task::{JoinHandle, JoinSet};

use self::end::Standing;
use self::foreground::Foreground;
use self::signals::Ends;
use self::takeover::Begun;
use super::failure::{EXIT_FAILED, Failure};
use super::services::outcome::Verb;
use super::services::targets::targets;
use super::{Global, opened, output};
use crate::platform::ProcessHandle;
use crate::supervisor::exit;
use crate::supervisor::protocol::Command;

/// How often the services are looked at while something goes on with them.
const PERIOD: Duration = Duration::from_millis(250);

/// Exit code when another `flowgate run` serves this gateway: nothing is wrong, and another try would
/// find the same.
pub const EXIT_ELSEWHERE: u8 = 3;

/// The supervisor notes an end within this time.
const SOON: Duration = Duration::from_millis(20);

/// Start all services and watch them in the foreground; Ctrl-C stops them
///
/// Services that run in the background already go on: they are taken over. They stop in reverse
/// order; a second Ctrl-C stops what is left all at once, and each one sends the next signal (INT,
/// KILL). As the first process of a container it also reaps what the services leave behind.
///
/// It ends by itself when no service runs any more and none is tried again. Exit codes: 0 all were
/// told to stop; 1 it could not begin, or one did not stop; 2 flowgate.yaml does not load; 3
/// another flowgate run serves this gateway; 16 plus 1 for CLIProxyAPIPlus, 2 for LiteLLM, 4 for
/// another: these failed for good.
#[derive(Debug, Args)]
pub struct RunArgs {}

/// Runs until a signal or until no service runs any more.
///
/// # Errors
/// When nothing could be begun.
pub fn run(_: &RunArgs, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    output::errors(&opened.warnings());
    for note in targets("all", Verb::Start, &opened)?.notes {
        output::errors(&format!("{note}\n"));
    }
    let daemon = match takeover::begin(&opened)? {
        Begun::Here(daemon) => daemon,
        Begun::Elsewhere => return Ok(EXIT_ELSEWHERE),
    };
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
            () = ends.next() => {
                let shared = Arc::clone(&foreground);
                tokio::task::spawn_blocking(move || shared.hasten());
            }
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
