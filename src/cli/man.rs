//! `flowgate man [COMMAND…]`: a man page, in roff.

use anyhow::{Context, anyhow};
use clap::{Args, Command};
use clap_mangen::Man;

use super::failure::Failure;
use super::{catalogue, output};

/// Print a man page.
///
/// To read one: flowgate man doctor | man -l -
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The page of this command, such as: service start [default: flowgate itself]
    command: Vec<String>,
}

/// Prints it.
///
/// # Errors
/// When there is no such command, or stdout cannot be written.
pub fn run(args: &ManArgs) -> Result<u8, Failure> {
    let whole = catalogue::shown();
    let command = find(&whole, &args.command)
        .ok_or_else(|| anyhow!("no command is named {:?}", args.command.join(" ")))
        .map_err(|error| Failure::usage(error).hint("flowgate --help"))?;
    output::file(&page(command)?)?;
    Ok(0)
}

fn find<'a>(whole: &'a Command, path: &[String]) -> Option<&'a Command> {
    path.iter()
        .try_fold(whole, |command, name| command.find_subcommand(name))
}

/// The page of a command, named `flowgate-service-start`.
fn page(command: &Command) -> Result<String, anyhow::Error> {
    let name = command.get_display_name().unwrap_or("flowgate").to_owned();
    let mut bytes = Vec::new();
    Man::new(command.clone())
        .title(name)
        .source(concat!("flowgate ", env!("FLOWGATE_VERSION")))
        .render(&mut bytes)
        .context("failed to lay out the page")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
