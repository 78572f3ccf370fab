//! `flowgate auth`: the logins of the gateway.

mod browser;
pub mod login;
mod teller;

use clap::{Args, Subcommand};

use super::Global;
use super::failure::Failure;

/// Log in to a provider.
#[derive(Debug, Args)]
pub struct AuthArgs {
    #[command(subcommand)]
    command: AuthCommand,
}

#[derive(Debug, Subcommand)]
enum AuthCommand {
    /// Log in to a provider, through the management API of CLIProxyAPIPlus
    Login(login::LoginArgs),
    /// The old word order: `auth codex login`
    #[command(hide = true)]
    Codex(OldOrder),
    /// The old word order: `auth copilot login`
    #[command(hide = true)]
    Copilot(OldOrder),
}

/// What stood behind the provider.
#[derive(Debug, Args)]
struct OldOrder {
    #[command(subcommand)]
    command: OldCommand,
}

#[derive(Debug, Subcommand)]
enum OldCommand {
    /// Log in
    Login(login::Options),
}

/// Runs `auth …`; gives the exit code.
///
/// # Errors
/// A config that does not load, a provider that is not there, a login that cannot begin.
pub fn run(args: &AuthArgs, global: &Global) -> Result<u8, Failure> {
    match &args.command {
        AuthCommand::Login(login) => login::run(&login.provider, &login.options, global),
        AuthCommand::Codex(old) => in_old_order("codex", old, global),
        AuthCommand::Copilot(old) => in_old_order("copilot", old, global),
    }
}

fn in_old_order(provider: &str, old: &OldOrder, global: &Global) -> Result<u8, Failure> {
    match &old.command {
        OldCommand::Login(options) => login::run(provider, options, global),
    }
}
