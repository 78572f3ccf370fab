//! `flowgate bootstrap`: obtains the two programs. The one command that leaves this machine.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use flowgate_checks::model::ServiceKind;

use super::failure::{EXIT_FAILED, Failure};
use super::opened::{self, Opened};
use super::{Global, output};
use crate::bootstrap::places::Places;

pub mod child;
pub mod obtain;
pub mod order;
mod shown;
mod update;
mod verify;

use obtain::{Obtained, obtain};
use order::Order;

/// Obtain CLIProxyAPIPlus from a release, and LiteLLM from the package index
///
/// Proxies (HTTPS_PROXY, NO_PROXY), GITHUB_TOKEN and the settings of pip and uv are honoured.
#[derive(Debug, Args)]
pub struct BootstrapArgs {
    #[command(subcommand)]
    command: BootstrapCommand,
}

#[derive(Debug, Subcommand)]
enum BootstrapCommand {
    /// Install what is missing; what is there and works is kept
    Download(DownloadArgs),
    /// Install newer versions; the old ones come back when the new ones do not get ready
    Update(DownloadArgs),
    /// Compare every installed file with what was installed
    Verify,
}

/// One of the two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Program {
    /// LiteLLM
    Litellm,
    /// CLIProxyAPIPlus
    Cliproxyapi,
}

/// What is obtained, and from where.
#[derive(Debug, Clone, Default, Args)]
pub struct DownloadArgs {
    /// Only this program
    #[arg(long, value_name = "PROGRAM")]
    pub only: Option<Program>,
    /// Tag of the release, or latest
    #[arg(long, value_name = "TAG")]
    pub cliproxy_version: Option<String>,
    /// Repository of the releases [default: kaitranntt/CLIProxyAPIPlus; that of the original is gone]
    #[arg(long, value_name = "OWNER/NAME")]
    pub cliproxy_repo: Option<String>,
    /// Take CLIProxyAPIPlus from this tar.gz; nothing is downloaded for it
    #[arg(long, value_name = "FILE")]
    pub archive: Option<PathBuf>,
    /// SHA-256 that the archive must have
    #[arg(long, value_name = "HEX")]
    pub sha256: Option<String>,
    /// Refuse an archive whose SHA-256 is not known beforehand
    #[arg(long)]
    pub require_sha256: bool,
    /// Replace programs that flowgate did not install, and do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Give up when nothing arrives for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    pub stall_timeout: f32,
}

impl Program {
    /// The kind of its service.
    pub fn kind(self) -> ServiceKind {
        match self {
            Self::Litellm => ServiceKind::Litellm,
            Self::Cliproxyapi => ServiceKind::Cliproxyapi,
        }
    }

    /// Its name in tokens.
    pub fn token(self) -> &'static str {
        match self {
            Self::Litellm => crate::bootstrap::failure::LITELLM,
            Self::Cliproxyapi => crate::bootstrap::failure::CLIPROXYAPI,
        }
    }
}

impl DownloadArgs {
    fn stall(&self) -> Duration {
        Duration::try_from_secs_f32(self.stall_timeout.clamp(0.1, 600.0))
            .unwrap_or(Duration::from_secs(30))
    }
}

/// Runs a `bootstrap` command and gives its exit code: 0 done, 1 failed, 2 bad input.
///
/// # Errors
/// When nothing could be done.
pub fn run(args: &BootstrapArgs, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    output::errors(&opened.warnings());
    match &args.command {
        BootstrapCommand::Download(args) => download(args, &opened, global),
        BootstrapCommand::Update(args) => update::run(args, &opened, global),
        BootstrapCommand::Verify => verify::run(&opened),
    }
}

fn download(args: &DownloadArgs, opened: &Opened, global: &Global) -> Result<u8, Failure> {
    let order = Order::of(args, opened, global)?;
    let obtained = obtain(&order, opened)?;
    for one in &obtained {
        one.say(global)?;
    }
    let is_whole = obtained.iter().all(Obtained::is_there);
    Ok(if is_whole { 0 } else { EXIT_FAILED })
}

/// The places of a gateway.
pub fn places(opened: &Opened) -> Places {
    Places::of(&opened.config.paths.runtime_dir)
}
