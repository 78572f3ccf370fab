//! The program was ended by a signal that flowgate did not send.

use super::KILLED;
use super::last_words::last_words;
use super::process::{age_at, describe_exit, start_fix, subject};
use crate::by_hand;
use crate::model::{Evidence, Exit, Finding, RunLife};
use crate::shell;
use crate::state::View;

/// The exit that ended the recorded run, when it was a signal that nobody here asked for.
pub fn by(view: View<'_>) -> Option<&Exit> {
    let run = view.service.run.as_ref();
    if !view.is_wanted() || run.is_some_and(|run| run.life == RunLife::OtherBoot) {
        return None;
    }
    let exit = view.service.exits.first()?;
    // An exit before the recorded run says nothing of how that one ended.
    let is_its_own = run
        .and_then(|run| run.started_at)
        .is_none_or(|started| exit.at >= started);
    (exit.signal.is_some() && !exit.requested && is_its_own).then_some(exit)
}

/// The finding on such an exit.
pub fn finding(view: View<'_>, exit: &Exit) -> Finding {
    let signal = exit.signal.as_deref().unwrap_or_default();
    let mut finding = Finding::new(
        &KILLED,
        subject(view),
        format!(
            "{} is not running: {}, {} ago",
            view.name,
            describe_exit(exit),
            age_at(view, exit.at)
        ),
        cause(view, signal),
    )
    .brief(format!("killed by SIG{signal}"))
    .evidence(exit_row(view, exit));
    if let Some(words) = last_words(view) {
        let mut row = Evidence::new("log", words.line(), words.path())
            .expected("a last word, if it had ended by itself");
        row.command = by_hand::tail(view);
        finding = finding.evidence(row);
    }
    finding.fix(start_fix(view, true))
}

fn cause(view: View<'_>, signal: &str) -> String {
    match signal {
        "PIPE" => "it wrote to its log, and the reader of that pipe is gone; started by flowgate \
                   it writes to a file"
            .into(),
        "SEGV" | "BUS" | "ILL" | "FPE" | "ABRT" | "SYS" | "TRAP" => {
            "the program crashed; nobody has to have sent that".into()
        }
        "KILL" => "flowgate did not send it: a person, another program, or the kernel for want of \
                   memory did"
            .into(),
        "HUP" => "flowgate did not send it: a terminal that closes does".into(),
        _ => format!(
            "flowgate did not send it; {} is wanted, so nobody stopped it through flowgate",
            view.name
        ),
    }
}

fn exit_row(view: View<'_>, exit: &Exit) -> Evidence {
    let seen = format!("{} at {}", describe_exit(exit), exit.at);
    let source = view.service.wanted.from.as_deref();
    let row = Evidence::new("exit", seen, source.unwrap_or("record"))
        .expected("no exit, or one that was asked for");
    match (exit.signal.as_deref(), source) {
        // What the kernel killed stands in its own log alone.
        (Some("KILL" | "SEGV" | "BUS" | "ILL"), _) => {
            row.command("sudo dmesg -T | grep -iE 'killed process|segfault' | tail -n 5")
        }
        (_, Some(from)) => row.command(format!(
            "grep -o '\"lastExit\":{{[^}}]*}}' {}",
            shell::path(view.snapshot, from)
        )),
        (_, None) => row.command(format!("ps -ef | grep -F {}", shell::quote(view.name))),
    }
}
