//! The commands as data, for completions and man pages.

use clap::{Command, CommandFactory};

use super::Cli;

/// The commands that people see: those that flowgate keeps for itself are left out.
pub fn shown() -> Command {
    let whole = Cli::command();
    let mut shown = Command::new("flowgate")
        .version(env!("FLOWGATE_VERSION"))
        .max_term_width(80)
        .args(whole.get_arguments().cloned())
        .subcommands(
            whole
                .get_subcommands()
                .filter(|command| !command.is_hide_set())
                .cloned(),
        );
    if let Some(about) = whole.get_about() {
        shown = shown.about(about.clone());
    }
    if let Some(about) = whole.get_long_about() {
        shown = shown.long_about(about.clone());
    }
    shown.build();
    shown
}
