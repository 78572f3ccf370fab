//! Becoming a tool that installs packages.

use clap::Args;

use crate::bootstrap::run;
use crate::cli::output;

/// Exit code of a program that could not be executed, as shells have it.
const EXIT_NOT_EXECUTED: u8 = 127;

/// Becomes a tool that ends when its parent does.
#[derive(Debug, Args)]
pub struct ExecToolArgs {
    /// The pid of the parent
    parent: u32,
    /// The tool and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    args: Vec<String>,
}

/// Comes back only when that fails, with the exit code of shells.
pub fn run(args: &ExecToolArgs) -> u8 {
    let Some((program, rest)) = args.args.split_first() else {
        return EXIT_NOT_EXECUTED;
    };
    let error = run::become_tool(args.parent, program, rest);
    output::error(&format!("failed to execute {program}: {error}"), None);
    EXIT_NOT_EXECUTED
}
