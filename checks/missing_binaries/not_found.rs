//! The program does not exist.

use super::{NOT_FOUND, ServiceProgram, install};
use crate::model::{Evidence, Finding, Fix, ProgramState};
use crate::steps::{self, Edits};
use crate::words;

/// The finding for a program that is not there; a program of its kind beside it is named.
pub fn find(target: &ServiceProgram<'_>) -> Finding {
    let program = target.program;
    let on_path = !program.named.contains('/');
    let symptom = match (&program.state, on_path) {
        (ProgramState::Dangling { target: gone }, _) => {
            format!("{} is a link to {gone}, which is gone", program.path)
        }
        (_, true) => format!("{} is not on PATH", program.named),
        (_, false) => format!("{} does not exist", program.path),
    };
    let beside = siblings(target);
    let mut cause = format!("{} names {}", target.named_at(), program.named);
    if !beside.is_empty() {
        cause.push_str(&format!(
            "; {} lies beside it under another name",
            words::list(&beside)
        ));
    }
    let (folder, command) = if on_path {
        (
            "PATH".to_owned(),
            format!("command -v {}", crate::shell::quote(&program.named)),
        )
    } else {
        (folder(&program.path).to_owned(), target.shell("ls -l"))
    };
    let mut finding = target
        .finding(&NOT_FOUND, symptom, cause)
        .brief("program missing")
        .evidence(
            Evidence::new("program", "no such file", folder)
                .expected(&program.path)
                .command(command),
        )
        .evidence(target.named_row());
    finding
        .fixes
        .extend(beside.first().map(|found| use_found(target, found)));
    finding.fix(install::fix(target))
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

/// The paths of the programs beside it.
fn siblings(target: &ServiceProgram<'_>) -> Vec<String> {
    let program = target.program;
    let mut siblings: Vec<String> = program
        .siblings
        .iter()
        .map(|sibling| match sibling.contains('/') {
            true => sibling.clone(),
            false => format!("{}/{sibling}", folder(&program.path)),
        })
        .collect();
    siblings.sort();
    siblings
}

fn use_found(target: &ServiceProgram<'_>, found: &str) -> Fix {
    let view = &target.view;
    let title = format!(
        "write {found} instead of {} at {}",
        target.program.named,
        target.named_at()
    );
    let mut edits = Edits::new(view.snapshot);
    let path = crate::places::setting_path(view, "command.args[0]");
    edits.set_text(
        &view.snapshot.configs.flowgate,
        &path,
        &written(target, found),
    );
    edits.then(steps::come_up(*view));
    edits.fix("use-found", view.name, title, Vec::new())
}

/// A path of the snapshot as an argument: as it is where the program is started in the root.
fn written(target: &ServiceProgram<'_>, found: &str) -> String {
    let (snapshot, cwd) = (target.view.snapshot, &target.view.settings().cwd);
    let is_started_in_root =
        crate::shell::absolute(snapshot, cwd) == crate::shell::absolute(snapshot, "");
    match is_started_in_root && found.contains('/') {
        true => found.to_owned(),
        false => crate::shell::absolute(snapshot, found),
    }
}
