//! `flowgate key show` and `rotate`. The first is the one command that prints a secret, since that is
//! what it is asked for.

mod rotate;
mod show;

use clap::{Args, Subcommand, ValueEnum};

use super::Global;
use super::failure::Failure;
use super::opened::Opened;
use crate::config::file::Reading;
use crate::config::in_use::{KeyKind, Keyring};

/// Show a key of the gateway, or put another in its place.
#[derive(Debug, Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Print a key, and nothing else, on stdout
    Show {
        /// Which
        #[arg(value_enum)]
        key: KeyName,
    },
    /// Put a new key in every place of the old one, and restart who uses it
    ///
    /// It is one run of a repair: doctor undo takes it back.
    Rotate(rotate::RotateArgs),
}

/// The keys of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KeyName {
    /// What clients send to LiteLLM
    Litellm,
    /// What LiteLLM sends to CLIProxyAPIPlus
    Upstream,
    /// What flowgate sends to the management API of CLIProxyAPIPlus
    Management,
}

impl KeyName {
    fn kind(self) -> KeyKind {
        match self {
            Self::Litellm => KeyKind::Litellm,
            Self::Upstream => KeyKind::Upstream,
            Self::Management => KeyKind::Management,
        }
    }
}

/// Runs `key …`; gives the exit code.
///
/// # Errors
/// A config that does not load, a key that is nowhere to be read.
pub fn run(args: &KeyArgs, global: &Global) -> Result<u8, Failure> {
    match &args.command {
        KeyCommand::Show { key } => show::run(key.kind(), global),
        KeyCommand::Rotate(rotate) => rotate::run(rotate, global),
    }
}

pub(super) fn keyring(opened: &Opened) -> Keyring<'_> {
    Keyring {
        config: &opened.config,
        cwd: &opened.cwd,
        reading: Reading {
            root: &opened.root,
            fingerprinter: &opened.fingerprinter,
            redactor: &opened.redactor,
        },
    }
}
