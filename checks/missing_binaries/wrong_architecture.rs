//! The program is for another machine or another system.

use super::{ServiceProgram, WRONG_ARCHITECTURE, install};
use crate::model::{Evidence, Executable, Finding, ProgramContent};

/// The finding for a binary that this kernel cannot run. One that runs nevertheless is emulated.
pub fn find(target: &ServiceProgram<'_>, file: &Executable) -> Option<Finding> {
    let made_for = match &file.content {
        ProgramContent::Elf(elf) if !elf.native => elf.machine.clone(),
        ProgramContent::Other { head } => other_system(head)?.to_owned(),
        _ => return None,
    };
    if target.view.is_running() {
        return None;
    }
    let host = &target.view.snapshot.host;
    let path = &target.program.path;
    Some(
        target
            .finding(
                &WRONG_ARCHITECTURE,
                format!(
                    "{path} is for {made_for}; this machine is {} {}",
                    host.os, host.arch
                ),
                format!("{} names a build for another machine", target.named_at()),
            )
            .brief(format!("program is for {made_for}"))
            .evidence(
                Evidence::new("program", format!("a binary for {made_for}"), path)
                    .expected(format!("{} {}", host.os, host.arch))
                    .command(target.shell("file -L")),
            )
            .evidence(Evidence::new("machine", &host.arch, "uname").command("uname -sm"))
            .evidence(target.named_row())
            .fix(install::fix(target)),
    )
}

/// The system that a file is for by its first bytes: Mach-O in its four forms, or a Windows program.
pub fn other_system(head: &str) -> Option<&'static str> {
    let starts = |magics: &[&str]| magics.iter().any(|magic| head.starts_with(magic));
    if starts(&["cffaedfe", "cefaedfe", "feedfacf", "feedface", "cafebabe"]) {
        Some("macOS")
    } else if starts(&["4d5a"]) {
        Some("Windows")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_system() {
        assert_eq!(other_system("cffaedfe07000001"), Some("macOS"));
        assert_eq!(other_system("4d5a9000"), Some("Windows"));
        assert_eq!(other_system("00000000"), None);
        assert_eq!(other_system(""), None);
    }
}
