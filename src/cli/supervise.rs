//! The hidden commands behind the supervisor: the daemon itself, and the leap into a service.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::{Global, output};
use crate::supervisor::daemon::{Daemon, DaemonError};
use crate::supervisor::spawn::{self, Unbecome};

/// Supervise the services of one runtime dir
#[derive(Debug, Args)]
pub struct SuperviseArgs {
    /// The runtime dir, absolute
    #[arg(long, value_name = "DIR")]
    pub runtime_dir: PathBuf,
    /// Leave the session of the caller, and end well when another supervisor is there
    #[arg(long)]
    pub detached: bool,
}

/// Supervises until it is told to end.
///
/// # Errors
/// When the runtime dir cannot be used, or another supervisor has it.
pub fn run(args: &SuperviseArgs, global: &Global) -> Result<u8, Failure> {
    let Some(config) = &global.config else {
        return Err(Failure::usage(anyhow::anyhow!("--config is missing")));
    };
    if args.detached {
        // One that leads its session already has left the caller's.
        let _ = rustix::process::setsid();
    }
    match Daemon::open(&args.runtime_dir, config) {
        Ok(daemon) => daemon.replaceable().serve().map_err(failure)?,
        Err(DaemonError::Held { .. }) if args.detached => {}
        Err(error) => return Err(failure(error)),
    }
    Ok(0)
}

fn failure(error: DaemonError) -> Failure {
    Failure::failed(anyhow::anyhow!("failed to {error}"))
}

/// The program and its arguments, when this process is the second half of a spawn. On the way from a
/// crash to the next process the definitions of all commands would only cost time.
pub fn service_of(args: &[OsString]) -> Option<&[OsString]> {
    match args {
        [_, word, dashes, service @ ..] if word == spawn::WORD && dashes == "--" => Some(service),
        _ => None,
    }
}

/// Becomes the service; comes back only when that fails, with the exit code of shells.
pub fn exec_service(args: &[OsString]) -> u8 {
    let error = match spawn::become_service(args) {
        Unbecome::Left => return spawn::EXIT_LEFT,
        Unbecome::Failed(error) => error,
    };
    let program = args.first().map(|program| program.to_string_lossy());
    // The supervisor knows a start that failed here by these words.
    let program = program.unwrap_or_default();
    output::error(&format!("failed to execute {program}: {error}"), None);
    spawn::EXIT_NOT_EXECUTED
}
