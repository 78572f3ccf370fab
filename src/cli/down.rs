//! `flowgate down`: stops the gateway.

use clap::Args;

use super::Global;
use super::failure::Failure;
use super::service;
use super::services::outcome::Verb;

/// Stop all services and everything that they started
#[derive(Debug, Args)]
pub struct DownArgs {}

/// Stops all, in reverse order; gives the exit code.
///
/// # Errors
/// When nothing could be done.
pub fn run(_: &DownArgs, global: &Global) -> Result<u8, Failure> {
    service::act(Verb::Stop, "all", global)
}
