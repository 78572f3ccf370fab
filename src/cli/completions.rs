//! `flowgate completions SHELL`: what a shell needs to complete the commands.

use clap::Args;
use clap_complete::{Shell, generate};

use super::failure::Failure;
use super::{catalogue, output};

/// Print the completions for a shell.
///
/// bash: flowgate completions bash > ~/.local/share/bash-completion/completions/flowgate
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints them.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(args: &CompletionsArgs) -> Result<u8, Failure> {
    let mut bytes = Vec::new();
    generate(args.shell, &mut catalogue::shown(), "flowgate", &mut bytes);
    output::file(&String::from_utf8_lossy(&bytes))?;
    Ok(0)
}
