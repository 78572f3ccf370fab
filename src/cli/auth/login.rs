//! `flowgate auth login`: from a provider to a working credential.

use clap::Args;

use crate::cli::failure::Failure;
use crate::cli::opened::{self, Opened};
use crate::cli::{Global, output};

/// Log in to a provider.
#[derive(Debug, Args)]
pub struct LoginArgs {
    /// One of `auth list`
    #[arg(value_name = "PROVIDER")]
    pub provider: String,
    /// How.
    #[command(flatten)]
    pub options: Options,
}

/// How to log in.
#[derive(Debug, Args)]
pub struct Options {
    /// Give up after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub timeout: u64,
    /// Ask after so many seconds again whether the login is through
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    pub poll_interval: u64,
    /// Open no browser
    #[arg(long)]
    pub no_browser: bool,
    /// Take the address at which the browser ended from a line of stdin, when it runs on another
    /// machine
    #[arg(long)]
    pub paste_callback: bool,
}

/// Runs `auth login`; gives the exit code.
///
/// # Errors
/// A config that does not load, a provider that is not configured.
pub fn run(provider: &str, _options: &Options, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    output::errors(&opened.warnings());
    known(provider, &opened)?;
    Ok(0)
}

/// The providers that flowgate knows how to log in to without a word in flowgate.yaml.
const OWN: [&str; 2] = ["codex", "copilot"];

fn known(provider: &str, opened: &Opened) -> Result<(), Failure> {
    let configured = &opened.config.providers;
    if configured.contains_key(provider) || OWN.contains(&provider) {
        return Ok(());
    }
    let mut available: Vec<&str> = configured.keys().map(String::as_str).collect();
    if available.is_empty() {
        available.push("none");
    }
    Err(Failure::known(format!(
        "OAuth provider not configured: {provider}; available={}",
        available.join(",")
    )))
}
