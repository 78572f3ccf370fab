//! The script is there, and what it needs to run is not.

use super::{BROKEN_INTERPRETER, ServiceProgram, install};
use crate::model::{Evidence, Executable, Finding, Fix, Interpreter, ProgramContent};
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
    let (symptom, cause) = faults(path, script, has_return);
    let gone = if script.usable {
        words::list(&script.missing)
    } else {
        script.path.clone()
    };
    let look = if has_return { "head -n 1" } else { "ls -lL" };
    let mut finding = target
        .finding(&BROKEN_INTERPRETER, symptom, cause)
        .brief(format!("{gone} is gone"))
        .evidence(
            Evidence::new("shebang", format!("#!{}", script.shebang), path)
                .expected("an interpreter that can be executed")
                .command(if has_return {
                    format!("{} | cat -A", target.shell(look))
                } else {
                    target.shell("head -n 1")
                }),
        )
        .evidence(target.named_row());
    if !has_return {
        let absolute = crate::shell::path(target.view.snapshot, &gone);
        let seen = script.why.clone().unwrap_or_else(|| "no such file".into());
        let single = script.usable && script.missing.len() > 1;
        let row = Evidence::new("interpreter", seen, &gone).expected("a program");
        finding = finding.evidence(if single {
            row
        } else {
            row.command(format!("{look} {absolute}"))
        });
    }
    if has_return {
        finding = finding.fix(Fix::manual(
            "by-hand",
            format!("take the carriage returns out of {path}"),
            vec![target.shell(r"sed -i 's/\r$//'")],
        ));
    }
    Some(finding.fix(install::fix(target)))
}

fn faults(path: &str, script: &Interpreter, has_return: bool) -> (String, String) {
    if has_return {
        return (
            format!("{path} cannot run: its first line ends with a carriage return"),
            "the file has Windows line ends, so the kernel looks for an interpreter whose name ends with one".into(),
        );
    }
    if script.usable {
        let missing = words::list(&script.missing);
        return (
            format!("{path} cannot run: it calls {missing}, which is gone"),
            "the tool or the folder that the script calls was moved or removed".into(),
        );
    }
    let why = script.why.as_deref().unwrap_or("no such file");
    (
        format!("{path} cannot run: its interpreter {} cannot be executed ({why})", script.path),
        "the Python under its environment was removed or moved; the system then says that the script itself does not exist".into(),
    )
}
