//! `flowgate doctor --fix`: repairs, verifies, and prints what became of it.

use anyhow::anyhow;

use super::args::DoctorArgs;
use super::look;
use super::talk::Terminal;
use crate::cli::Global;
use crate::cli::failure::Failure;
use crate::doctor::{self, Underway};
use crate::repair::error::RepairError;
use crate::repair::journal;
use crate::repair::mode::Mode;
use crate::repair::{Wish, repair};
use crate::report::{Format, Selection};

/// Repairs, prints the report and gives its exit code.
pub fn run(args: &DoctorArgs, global: &Global) -> Result<u8, Failure> {
    let mode = Mode::parse(&args.fix)
        .map_err(|why| Failure::usage(anyhow!("{why}")).hint("flowgate doctor --help"))?;
    let wish = Wish {
        mode,
        yes: args.yes,
        dry_run: args.dry_run,
        selection: Selection {
            check: args.check.iter().cloned().collect(),
            skip: args.skip.iter().cloned().collect(),
        },
        fail_on: args.fail_on,
        lines: &journal::on_disk,
    };
    let see = || {
        let expect = args.expect.map(Into::into);
        doctor::see(look::source(args, global), expect, &Underway::default())
    };
    let report = {
        let mut talk = Terminal::new(args.format() == Format::Text, global.quiet);
        repair(&see, &wish, &mut talk).map_err(failure)?
    };
    look::print(&report, args)
}

/// What is to be done about a repair that was not begun.
pub fn failure(error: RepairError) -> Failure {
    let failed = Failure::failed(anyhow!("failed to {error}"));
    match error {
        RepairError::NotOwner { owner, .. } => failed.hint(format!("run it as {owner}")),
        RepairError::Locked { holder } => {
            failed.hint(format!("wait for pid {} to end", holder.pid))
        }
        RepairError::NoRun(_) => failed.hint("flowgate doctor runs"),
        RepairError::Journal(_) | RepairError::Look(_) | RepairError::NotDone(_) => failed,
    }
}
