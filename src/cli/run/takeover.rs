//! How the foreground becomes the supervisor: where one runs in the background, that one makes way, and
//! the services go on.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;

use crate::cli::failure::Failure;
use crate::cli::opened::Opened;
use crate::cli::output;
use crate::supervisor::client::{Client, ClientError};
use crate::supervisor::daemon::{Daemon, DaemonError};
use crate::supervisor::protocol::Command;

/// A supervisor that lives answers sooner.
const PATIENCE: Duration = Duration::from_secs(2);

/// Beyond what a service may take to start or stop, so long one in the background may take to end.
const SLACK: Duration = Duration::from_secs(10);

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// What became of the wish to be the supervisor.
pub(super) enum Begun {
    /// This process is it.
    Here(Daemon),
    /// Another `flowgate run` is; that was said.
    Elsewhere,
}

/// Becomes the supervisor of this gateway. One in the background is waited for while it starts or
/// stops a service, so that nobody who asked for that is left without an answer.
///
/// # Errors
/// When the runtime dir cannot be used, or whoever holds it neither serves nor makes way.
pub(super) fn begin(opened: &Opened) -> Result<Begun, Failure> {
    let runtime = &opened.config.paths.runtime_dir;
    let longest = opened.config.services.iter();
    let longest = longest
        .map(|one| one.ready_timeout + one.stop_timeout)
        .max();
    let deadline = Instant::now() + longest.unwrap_or_default() + SLACK;
    let mut yielded = None;
    loop {
        let error = match Daemon::open(runtime, &opened.path) {
            Ok(daemon) => {
                if let Some(pid) = yielded {
                    output::errors(&format!(
                        "the services go on here; the supervisor in the background (pid {pid}) has ended\n"
                    ));
                }
                return Ok(Begun::Here(daemon));
            }
            Err(error) => error,
        };
        let DaemonError::Held { pid, .. } = error else {
            return Err(Failure::failed(anyhow!("failed to {error}")));
        };
        match ask_to_yield(runtime) {
            // Its lock goes with it, in a moment.
            Ok(()) => yielded = pid,
            Err(ClientError::Refused(refusal)) if refusal.code == "foreground" => {
                output::error(
                    &format!("failed to {error}, in the foreground"),
                    stop_it(pid).as_deref(),
                );
                return Ok(Begun::Elsewhere);
            }
            Err(ClientError::Refused(refusal)) if refusal.code == "busy" => {}
            // It ends, or is about to listen.
            Err(ClientError::Absent | ClientError::Gone) => {}
            Err(why) => return Err(held(&error, pid, &why)),
        }
        if Instant::now() >= deadline {
            return Err(held(&error, pid, &"it does not make way"));
        }
        thread::park_timeout(PAUSE);
    }
}

fn ask_to_yield(runtime: &Path) -> Result<(), ClientError> {
    let mut client = Client::connect(runtime).ok_or(ClientError::Absent)?;
    client.set_patience(PATIENCE);
    client.request(Command::Yield, drop).map(drop)
}

fn held(error: &DaemonError, pid: Option<u32>, why: &dyn std::fmt::Display) -> Failure {
    let failure = Failure::failed(anyhow!("failed to {error}: {why}"));
    match stop_it(pid) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// The services go on without it.
fn stop_it(pid: Option<u32>) -> Option<String> {
    pid.map(|pid| format!("kill {pid}"))
}
