//! `flowgate service`: starts, stops and restarts the services, shows their logs, and has them
//! started at login.

mod disable;
mod enable;
mod follow;
mod logs;
mod printer;
mod systemd;
mod unit;
mod verbs;

use clap::{Args, Subcommand};

use super::Global;
use super::failure::Failure;
use super::services::outcome::Verb;

/// Start, stop or restart the services, show what they print, or have them start at login.
#[derive(Debug, Args)]
pub struct ServiceArgs {
    #[command(subcommand)]
    command: ServiceCommand,
}

#[derive(Debug, Subcommand)]
enum ServiceCommand {
    /// Start a service and wait until it is ready
    ///
    /// CLIProxyAPIPlus first, then LiteLLM, then the others. A service that runs is left alone.
    /// When one does not get ready, the others go on, and what the doctor finds is printed.
    Start(Which),
    /// Stop a service and everything that it started
    Stop(Which),
    /// Stop a service, then start it
    Restart(Which),
    /// Show the last lines that a service printed, or all of them
    Logs(logs::LogsArgs),
    /// Start the gateway at login, by a systemd user unit
    ///
    /// It runs `flowgate run`. With lingering, which is switched on where that is allowed, it starts
    /// with the machine.
    Enable(enable::AtLogin),
    /// Start the gateway at login no more; what runs goes on
    Disable(enable::AtLogin),
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// A service of flowgate.yaml, or all of them
    #[arg(default_value = "all")]
    name: String,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs a `service` command and gives its exit code: 0 done, 1 a service failed, 2 bad input.
///
/// # Errors
/// When nothing could be done.
pub fn run(args: &ServiceArgs, global: &Global) -> Result<u8, Failure> {
    let (verb, which) = match &args.command {
        ServiceCommand::Start(which) => (Verb::Start, which),
        ServiceCommand::Stop(which) => (Verb::Stop, which),
        ServiceCommand::Restart(which) => (Verb::Restart, which),
        ServiceCommand::Logs(args) => return logs::run(args, global),
        ServiceCommand::Enable(args) => return enable::run(args, global),
        ServiceCommand::Disable(args) => return disable::run(args, global),
    };
    verbs::run(verb, which, global).map_err(|failure| failure.as_document(which.json))
}

/// Does it to a service by name, or to all, as `service` does.
///
/// # Errors
/// When nothing could be done.
pub fn act(verb: Verb, name: &str, global: &Global) -> Result<u8, Failure> {
    let which = Which {
        name: name.to_owned(),
        json: false,
    };
    verbs::run(verb, &which, global)
}
