//! A service that serves and whose log lines go nowhere.

use super::LOG_LOST;
use crate::by_hand;
use crate::logins::edition;
use crate::model::{
    EntryValue, Evidence, FileFacts, FileRole, Finding, Fix, Output, Process, ServiceKind,
    Snapshot, Subject, Verdict,
};
use crate::routes::Edition;
use crate::state::{View, services};

/// Why log lines are lost.
enum Loss<'a> {
    /// The output goes to `/dev/null` or into a file that was removed.
    Output(&'a Output),
    /// The program writes its log files itself, into a folder where it may not.
    Folder(&'a str, &'a FileFacts),
}

/// Finds services of ours that serve and log into nothing.
pub fn look(snapshot: &Snapshot, verdict: &mut Verdict) {
    for view in services(snapshot) {
        let Some(process) = view.main_process() else {
            continue;
        };
        let serves = view.owns_port() || !view.own_sockets().is_empty();
        if !serves || !view.settings().managed {
            continue;
        }
        if let Some(loss) = loss(view, process) {
            verdict.push(finding(view, process, &loss));
        }
    }
}

fn loss<'a>(view: View<'a>, process: &'a Process) -> Option<Loss<'a>> {
    if logs_to_files(view) {
        return folder(view).map(|(path, facts)| Loss::Folder(path, facts));
    }
    let is_lost = |output: &Output| matches!(output, Output::Null | Output::Deleted);
    let stdout = process.stdout.as_ref()?;
    // LiteLLM logs to both.
    let both = is_lost(stdout) && process.stderr.as_ref().is_none_or(is_lost);
    both.then_some(Loss::Output(stdout))
}

fn logs_to_files(view: View<'_>) -> bool {
    let config = &view.snapshot.configs.cliproxyapi;
    let entry = config.entry("logging-to-file").map(|entry| &entry.value);
    view.service.kind == ServiceKind::Cliproxyapi && entry == Some(&EntryValue::Bool(true))
}

/// The folder into which the program should write, where it may not. CLIProxyAPI itself writes beside
/// its logins then (`facts/real-stack.md`, Logs).
fn folder(view: View<'_>) -> Option<(&str, &FileFacts)> {
    let owner = view.main_process()?.uid;
    let environment = view.service.environment.known();
    let is_elsewhere = environment.is_some_and(|variables| {
        variables.contains_key("WRITABLE_PATH") || variables.contains_key("writable_path")
    });
    if is_elsewhere || edition(view.snapshot) == Edition::Mainline {
        return None;
    }
    view.snapshot.files.iter().find_map(|(path, facts)| {
        let facts = facts.known()?;
        let is_same_user = view.snapshot.host.user.uid == owner;
        let is_closed = facts.role == FileRole::LogDir && is_same_user && !facts.writable;
        is_closed.then_some((path.as_str(), facts))
    })
}

fn finding(view: View<'_>, process: &Process, loss: &Loss<'_>) -> Finding {
    let name = view.name;
    let (symptom, cause, row, text) = match loss {
        Loss::Output(output) => {
            let (to, why) = match output {
                Output::Deleted => (
                    "a file that was removed",
                    "the file was removed while the program had it open, and it writes on into nothing",
                ),
                _ => ("/dev/null", "it was started with its output thrown away"),
            };
            let row = Evidence::new(
                "output",
                format!("standard output goes to {to}"),
                format!("/proc/{}/fd/1", process.pid),
            )
            .expected("a log file")
            .command(format!("ls -l /proc/{}/fd/1", process.pid));
            (
                format!("{name} (pid {}) logs into {to}", process.pid),
                why.to_owned(),
                row,
                format!("restart {name}, with its output in a file"),
            )
        }
        Loss::Folder(path, facts) => {
            let row = Evidence::new("mode", format!("{} of {}", facts.mode, facts.owner), *path)
                .expected(format!("writable by {}", process.user))
                .command(format!(
                    "ls -ld {}",
                    crate::shell::path(view.snapshot, path)
                ));
            (
                format!(
                    "{name} (pid {}) cannot write its log into {path}",
                    process.pid
                ),
                "logging-to-file is on, and the folder is not writable: every line is dropped"
                    .into(),
                row,
                format!(
                    "make {path} writable for {}, then restart {name}",
                    process.user
                ),
            )
        }
    };
    Finding::new(&LOG_LOST, Subject::Service(name.into()), symptom, cause)
        .brief("log lines are lost")
        .evidence(row)
        .fix(Fix::manual("by-hand", text, by_hand::restart(view)))
}
