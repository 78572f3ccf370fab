//! The script is there, and what it needs to run is not.

use super::{BROKEN_INTERPRETER, ServiceProgram, install};
use crate::model::{Evidence, Executable, Finding, Fix, Interpreter, ProgramContent};
use crate::shell;
use crate::words;

/// The finding for a script whose interpreter is gone, or that calls a tool or folder that is gone.
pub fn find(target: &ServiceProgram<'_>, file: &Executable) -> Option<Finding> {
    let ProgramContent::Script(script) = &file.content else {
        return None;
    };
    if script.usable && script.missing.is_empty() {
        return None;
    }
    let path = &target.program.path;
    let has_return = script.shebang.contains("\\r") || script.shebang.contains('\r');
    let (symptom, cause, brief) = faults(target, script, has_return);
    let first_line = target.shell("head -n 1");
    let mut finding = target
        .finding(&BROKEN_INTERPRETER, symptom, cause)
        .brief(brief)
        .evidence(
            Evidence::new("shebang", format!("#!{}", script.shebang), path)
                .expected("an interpreter that can be executed")
                .command(if has_return {
                    format!("{first_line} | cat -A")
                } else {
                    first_line
                }),
        )
        .evidence(target.named_row());
    if has_return {
        finding = finding.fix(Fix::manual(
            "by-hand",
            format!("take the carriage returns out of {path}"),
            vec![target.shell(r"sed -i 's/\r$//'")],
        ));
    } else {
        finding.evidence.extend(gone_rows(target, script));
    }
    Some(finding.fix(install::fix(target)))
}

/// What the script needs and lacks, in the order of the alphabet: whoever looked may have seen it
/// in any other.
fn gone(script: &Interpreter) -> Vec<&str> {
    let mut gone: Vec<&str> = script.missing.iter().map(String::as_str).collect();
    gone.sort_unstable();
    gone
}

/// The same, one row each.
fn gone_rows(target: &ServiceProgram<'_>, script: &Interpreter) -> Vec<Evidence> {
    let row = |gone: &str, seen: &str| {
        let command = if gone.contains('/') {
            format!("ls -ldL {}", shell::path(target.view.snapshot, gone))
        } else {
            format!("command -v {}", shell::quote(gone))
        };
        Evidence::new("needed", seen, gone).command(command)
    };
    if script.usable {
        return gone(script)
            .iter()
            .map(|gone| row(gone, "no such file"))
            .collect();
    }
    let why = script.why.as_deref().unwrap_or("no such file");
    vec![row(&script.path, why)]
}

/// Symptom, cause, and a few words for the chain.
fn faults(
    target: &ServiceProgram<'_>,
    script: &Interpreter,
    has_return: bool,
) -> (String, String, String) {
    let path = &target.program.path;
    if has_return {
        return (
            format!("{path} cannot run: its first line ends with a carriage return"),
            "the file has Windows line ends, so the system looks for an interpreter whose name ends with one".into(),
            "its program has Windows line ends".into(),
        );
    }
    if script.usable {
        let missing = words::list(&gone(script));
        let verb = if script.missing.len() == 1 {
            "is"
        } else {
            "are"
        };
        return (
            format!("{path} cannot run: it calls {missing}, which {verb} gone"),
            "what the script calls was moved or removed".into(),
            format!("{missing} {verb} gone"),
        );
    }
    let interpreter = shell::shown(target.view.snapshot, &script.path);
    let why = script.why.as_deref().unwrap_or("no such file");
    (
        format!("{path} cannot run: its interpreter {interpreter} cannot be executed ({why})"),
        "the Python under its environment was removed or moved; a shell then says that the script itself does not exist".into(),
        format!("{interpreter} is gone"),
    )
}
