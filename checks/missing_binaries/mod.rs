#![doc = include_str!("../missing_binaries.md")]

mod broken_interpreter;
mod corrupt;
mod install;
mod known_bad_version;
mod loader_missing;
mod not_executable;
mod not_found;
mod package_missing;
mod python_unsupported;
mod wrong_architecture;

pub use python_unsupported::python_command;

use crate::holder::served_by_another;
use crate::model::{
    Check, Executable, Finding, Impact, Program, ProgramState, Severity, Snapshot, Spec, Subject,
    Verdict,
};
use crate::places;
use crate::state::{View, need, services};

/// The check.
pub static CHECK: Check = Check {
    id: "missing-binaries",
    title: "whether the programs can run",
    section: Some(4),
    page: include_str!("../missing_binaries.md"),
    findings: FINDINGS,
    run,
};

crate::findings! { "missing-binaries";
    NOT_FOUND = "not-found", Error, Outage, "the program does not exist";
    NOT_EXECUTABLE = "not-executable", Error, Outage, "the program may not be executed";
    WRONG_ARCHITECTURE = "wrong-architecture", Error, Outage, "the program is for another machine";
    LOADER_MISSING = "loader-missing", Error, Outage, "the loader of the program is missing";
    CORRUPT = "corrupt", Error, Outage, "the program file is no program";
    BROKEN_INTERPRETER = "broken-interpreter", Error, Outage, "the interpreter of the program is gone";
    PACKAGE_MISSING = "package-missing", Error, Outage, "the environment of the program lacks packages";
    KNOWN_BAD_VERSION = "known-bad-version", Error, Exposure, "a version that is known to do harm";
}

fn run(snapshot: &Snapshot) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.unknowns.extend(places::unread_config(snapshot));
    for view in services(snapshot) {
        // What somebody else runs needs no program of ours.
        if !view.settings().managed || served_by_another(&view).is_some() {
            continue;
        }
        let what = format!("the program of {}", view.name);
        let program = need(&view.service.program, &what, &mut verdict.unknowns);
        if let Some(program) = program {
            verdict.merge(judge(&ServiceProgram { view, program }));
        }
        verdict.findings.extend(package_missing::find(&view));
    }
    verdict
}

/// The program of a service.
struct ServiceProgram<'a> {
    view: View<'a>,
    program: &'a Program,
}

/// The first fault that keeps the program from running: a new installation would mend those after it.
fn judge(target: &ServiceProgram<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let finding = match &target.program.state {
        ProgramState::NotFound | ProgramState::Dangling { .. } => Some(not_found::find(target)),
        ProgramState::Directory => Some(not_executable::find_directory(target)),
        ProgramState::Unreadable { why } => {
            verdict.unknowns.push(crate::model::UnknownDatum {
                what: format!("the program of {}", target.view.name),
                why: format!("{}: {why}", target.program.path),
                command: Some(target.shell("ls -l")),
                optional: false,
            });
            None
        }
        ProgramState::File(file) => corrupt::find(target, file)
            .or_else(|| wrong_architecture::find(target, file))
            .or_else(|| loader_missing::find(target, file))
            .or_else(|| broken_interpreter::find(target, file))
            .or_else(|| not_executable::find(target, file)),
    };
    verdict.findings.extend(finding);
    verdict.findings.extend(known_bad_version::find(target));
    verdict
}

impl ServiceProgram<'_> {
    /// A finding about this program. What runs although its file is broken breaks at its next start.
    fn finding(&self, spec: &'static Spec, symptom: String, cause: String) -> Finding {
        let subject = Subject::Service(self.view.name.into());
        let finding = Finding::new(spec, subject, symptom, cause);
        if !self.view.is_running() {
            return finding;
        }
        let mut finding = finding.at(Severity::Warning);
        finding.impact = Impact::Risk;
        finding
    }

    /// A shell command on the file: `ls -l .router/runtime/bin/litellm`.
    fn shell(&self, command: &str) -> String {
        let path = crate::shell::path(self.view.snapshot, &self.program.path);
        format!("{command} {path}")
    }

    /// The user's line that names the program.
    fn named_row(&self) -> crate::model::Evidence {
        places::setting_row(&self.view, "command.args[0]", &self.program.named)
    }

    /// `file:line` of the line that names the program.
    fn named_at(&self) -> String {
        places::place_of(&self.view, "command.args[0]")
    }

    /// Mode, size and owner in words.
    fn facts(&self, file: &Executable) -> String {
        format!("mode {}, {} bytes, uid {}", file.mode, file.size, file.uid)
    }
}
