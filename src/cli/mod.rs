//! Commands: one command, one file.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub mod again;
pub mod auth;
pub mod bootstrap;
mod catalogue;
pub mod completions;
pub mod config;
pub mod doctor;
pub mod down;
pub mod failure;
pub mod health;
pub mod init;
pub mod integration;
pub mod key;
pub mod man;
pub mod opened;
pub mod output;
pub mod profile;
mod progress;
mod question;
pub mod run;
pub mod service;
mod services;
pub mod standin;
pub mod status;
pub mod supervise;
mod table;
pub mod up;

use crate::report::Format;
use failure::Failure;

/// Runs a local LLM gateway and repairs it.
///
/// The gateway is two programs: LiteLLM (port 4000) in front of CLIProxyAPIPlus (port 8317).
/// When it does not work, `flowgate doctor` names the cause, shows the proof and says the fix.
#[derive(Debug, Parser)]
#[command(name = "flowgate", version = env!("FLOWGATE_VERSION"), max_term_width = 80)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Use this flowgate.yaml [default: $FLOWGATE_CONFIG, config/flowgate.yaml or flowgate.yaml
    /// here or above, ~/.config/flowgate/flowgate.yaml]
    #[arg(long, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// Print the tokens that scripts know, also on a terminal
    #[arg(long, global = true)]
    pub plain: bool,
    /// Show no progress and no notes on stderr, only errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// When to use colour
    #[command(flatten)]
    pub color: colorchoice_clap::Color,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sets up, installs, starts and verifies the gateway
    Up(up::UpArgs),
    /// Stops the gateway
    Down(down::DownArgs),
    /// Names what is wrong with the gateway, with proof and a fix to type
    Doctor(Box<doctor::DoctorArgs>),
    /// Starts, stops and restarts the services, and shows their logs
    Service(service::ServiceArgs),
    /// Starts all services and watches them in the foreground
    Run(run::RunArgs),
    /// Shows which services run
    Status(status::StatusArgs),
    /// Shows whether the services live and answer
    Health(health::HealthArgs),
    /// Checks or shows flowgate.yaml
    Config(config::ConfigArgs),
    /// Writes the configs and the keys of a new gateway; what is there is kept
    Init,
    /// Obtains the two programs, updates or verifies them
    Bootstrap(bootstrap::BootstrapArgs),
    /// Lists the profiles, or makes one the active LiteLLM config
    Profile(profile::ProfileArgs),
    /// Logs in to providers, and shows who is logged in
    Auth(auth::AuthArgs),
    /// Points clients at the gateway: Codex CLI, Claude Code and others
    Integration(integration::IntegrationArgs),
    /// Shows a key of the gateway, or puts another in its place
    Key(key::KeyArgs),
    /// Prints the completions for a shell
    Completions(completions::CompletionsArgs),
    /// Prints a man page
    Man(man::ManArgs),
    /// Plays one of the two programs, for tests
    #[command(hide = true)]
    Standin(standin::StandinArgs),
    /// Supervises the services of one runtime dir
    #[command(hide = true)]
    Supervise(supervise::SuperviseArgs),
    /// Becomes a tool that installs packages
    #[command(hide = true)]
    ExecTool(bootstrap::child::ExecToolArgs),
}

/// Runs flowgate and gives its exit code. The arguments include the name of the program.
pub fn run(args: Vec<OsString>) -> u8 {
    if let Some(service) = supervise::service_of(&args) {
        return supervise::exec_service(service);
    }
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return refuse(&args, &error),
    };
    cli.global.color.write_global();
    let result = match cli.command {
        Command::Up(up) => up::run(&up, &cli.global),
        Command::Down(down) => down::run(&down, &cli.global),
        Command::Doctor(doctor) => doctor::run(&doctor, &cli.global),
        Command::Service(service) => service::run(&service, &cli.global),
        Command::Run(run) => run::run(&run, &cli.global),
        Command::Status(status) => status::run(&status, &cli.global),
        Command::Health(health) => health::run(&health, &cli.global),
        Command::Config(config) => config::run(&config, &cli.global),
        Command::Init => init::run(&cli.global),
        Command::Bootstrap(bootstrap) => bootstrap::run(&bootstrap, &cli.global),
        Command::ExecTool(tool) => Ok(bootstrap::child::run(&tool)),
        Command::Profile(profile) => profile::run(&profile, &cli.global),
        Command::Auth(auth) => auth::run(&auth, &cli.global),
        Command::Integration(args) => integration::run(&args, &cli.global),
        Command::Key(key) => key::run(&key, &cli.global),
        Command::Completions(completions) => completions::run(&completions),
        Command::Man(man) => man::run(&man),
        Command::Standin(standin) => standin::run(&standin),
        Command::Supervise(supervise) => supervise::run(&supervise, &cli.global),
    };
    result.unwrap_or_else(|failure| failure.report())
}

/// A usage error, or `--help` and `--version`. A doctor that was asked for JSON says it in JSON.
fn refuse(args: &[OsString], error: &clap::Error) -> u8 {
    let wants_json =
        args.iter().any(|arg| arg == "doctor") && args.iter().any(|arg| arg == "--json");
    if wants_json && error.use_stderr() {
        let text = error.to_string();
        let message = text
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ");
        return Failure::usage(anyhow::anyhow!("{message}"))
            .hint("flowgate doctor --help")
            .as_report(Format::Json)
            .report();
    }
    match output::clap(error) {
        Ok(()) => u8::try_from(error.exit_code()).unwrap_or(2),
        Err(failure) => failure.report(),
    }
}
