//! x
use super::{Global, failure::Failure};
use clap::Args;
/// x
#[derive(Debug, Args)]
pub struct ConfigArgs {}
/// x
pub fn run(_: &ConfigArgs, _: &Global) -> Result<u8, Failure> {
    Ok(0)
}
