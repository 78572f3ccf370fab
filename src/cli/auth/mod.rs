//! `flowgate auth`: the logins of the gateway.

mod browser;
pub mod import_headless;
pub mod list;
pub mod login;
pub mod logout;
mod places;
mod providers;
pub mod status;
mod teller;

use clap::{Args, Subcommand};

use super::Global;
use super::failure::Failure;

/// Log in to a provider, show who is logged in, take a login away.
#[derive(Debug, Args)]
pub struct AuthArgs {
    #[command(subcommand)]
    command: AuthCommand,
}

#[derive(Debug, Subcommand)]
enum AuthCommand {
    /// Log in to a provider, through the management API of CLIProxyAPIPlus
    Login(login::LoginArgs),
    /// List the providers of flowgate.yaml
    List(list::ListArgs),
    /// Show who is logged in, and how each login stands
    Status(status::StatusArgs),
    /// Take one login away
    Logout(logout::LogoutArgs),
    /// Take over the login of another program: codex, from ~/.codex/auth.json
    ImportHeadless(import_headless::ImportArgs),
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
    /// Take over the login of another program
    ImportHeadless(import_headless::Options),
}

/// Runs `auth …`; gives the exit code.
///
/// # Errors
/// A config that does not load, a provider that is not there, a login that cannot begin.
pub fn run(args: &AuthArgs, global: &Global) -> Result<u8, Failure> {
    match &args.command {
        AuthCommand::Login(login) => login::run(&login.provider, &login.options, global),
        AuthCommand::List(list) => list::run(list, global),
        AuthCommand::Status(status) => status::run(status, global),
        AuthCommand::Logout(logout) => logout::run(logout, global),
        AuthCommand::ImportHeadless(import) => {
            import_headless::run(&import.provider, &import.options, global)
        }
        AuthCommand::Codex(old) => in_old_order("codex", old, global),
        AuthCommand::Copilot(old) => in_old_order("copilot", old, global),
    }
}

fn in_old_order(provider: &str, old: &OldOrder, global: &Global) -> Result<u8, Failure> {
    match &old.command {
        OldCommand::Login(options) => login::run(provider, options, global),
        OldCommand::ImportHeadless(options) => import_headless::run(provider, options, global),
    }
}
