//! x
use super::failure::Failure;
use clap::Args;
/// x
#[derive(Debug, Args)]
pub struct StandinArgs {}
/// x
pub fn run(_: &StandinArgs) -> Result<u8, Failure> {
    Ok(0)
}
