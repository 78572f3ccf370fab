//! The program file is no program: empty, cut off, a page or an archive.

use super::wrong_architecture::other_system;
use super::{CORRUPT, ServiceProgram, install};
use crate::model::{Evidence, Executable, Finding, ProgramContent};

/// The finding for a file that no kernel runs.
pub fn find(target: &ServiceProgram<'_>, file: &Executable) -> Option<Finding> {
    let (is, cause, is_certain) = fault(target, file)?;
    let path = &target.program.path;
    let look = match &file.content {
        ProgramContent::Elf(_) | ProgramContent::Empty => "ls -lL",
        ProgramContent::Html | ProgramContent::NoShebang => "head -c 200",
        _ => "file -L",
    };
    let finding = target
        .finding(&CORRUPT, format!("{path} is no program: it is {is}"), cause)
        .brief("program file broken")
        .evidence(
            Evidence::new("program", format!("{is}; {}", target.facts(file)), path)
                .expected("an ELF binary, or a script with a shebang")
                .command(target.shell(look)),
        )
        .evidence(target.named_row())
        .fix(install::fix(target));
    Some(if is_certain {
        finding
    } else {
        finding.likely()
    })
}

/// What the file is, why it may be so, and whether that is certain.
fn fault(target: &ServiceProgram<'_>, file: &Executable) -> Option<(String, String, bool)> {
    let (is, cause) = match &file.content {
        ProgramContent::Empty => ("empty".to_owned(), "a download or a copy wrote nothing"),
        ProgramContent::Html => (
            "an HTML page".to_owned(),
            "a download saved the page of an error instead of the file",
        ),
        ProgramContent::Archive { kind } => (
            format!("a {kind} archive"),
            "a release was saved under the name of the program and never unpacked",
        ),
        ProgramContent::Elf(elf) => (
            format!("cut off at {} of {} bytes", file.size, elf.promised_size?),
            "a download or a copy ended early",
        ),
        // A shell may still run the next two, and what runs is proven.
        ProgramContent::NoShebang if is_suspect(target) => (
            "a script without a shebang".to_owned(),
            "its first line, which names its interpreter, is lost",
        ),
        ProgramContent::Other { head } if is_suspect(target) && other_system(head).is_none() => (
            format!("of no known kind (it begins with {head})"),
            "the file was overwritten, or is no program of this system",
        ),
        _ => return None,
    };
    let is_certain = !matches!(
        file.content,
        ProgramContent::NoShebang | ProgramContent::Other { .. }
    );
    Some((is, cause.to_owned(), is_certain))
}

/// Where flowgate installs, a program has a known form; elsewhere it may be the user's own wrapper.
fn is_suspect(target: &ServiceProgram<'_>) -> bool {
    target.program.in_runtime_bin && !target.view.is_running()
}
