//! `flowgate doctor`: what is wrong, why, and what to type.

mod args;
mod bundle;
mod explain;
mod fix;
mod list;
mod look;
mod mute;
mod runs;
mod schema;
pub mod talk;
mod undo;
mod wait;

pub use args::DoctorArgs;
use args::DoctorCommand;

use super::Global;
use super::failure::Failure;

/// Runs the doctor and gives its exit code.
///
/// # Errors
/// When there is no report: bad arguments, a bundle that cannot be read or written.
pub fn run(args: &DoctorArgs, global: &Global) -> Result<u8, Failure> {
    match &args.command {
        Some(DoctorCommand::Explain { id }) => explain::run(id),
        Some(DoctorCommand::List) => list::run(),
        Some(DoctorCommand::Schema { of }) => schema::run(*of),
        Some(DoctorCommand::Undo { run }) => undo::run(*run, global),
        Some(DoctorCommand::Runs { run }) => runs::run(*run, global),
        Some(DoctorCommand::Mute {
            finding,
            duration,
            reason,
        }) => mute::mute(finding, *duration, reason, global),
        Some(DoctorCommand::Unmute { finding }) => mute::unmute(finding, global),
        None if args.is_repair() => {
            fix::run(args, global).map_err(|failure| failure.as_report(args.format()))
        }
        None => look::run(args, global).map_err(|failure| failure.as_report(args.format())),
    }
}
