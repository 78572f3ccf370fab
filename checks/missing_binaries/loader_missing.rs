//! The dynamic loader that a binary asks for is not on this machine.

use super::{LOADER_MISSING, ServiceProgram, install};
use crate::model::{Evidence, Executable, Finding, ProgramContent};
use crate::shell::quote;

/// The finding for a binary whose loader is absent: the kernel says "no such file or directory" of a
/// file that is there. What runs has its loader, wherever that lies.
pub fn find(target: &ServiceProgram<'_>, file: &Executable) -> Option<Finding> {
    let ProgramContent::Elf(elf) = &file.content else {
        return None;
    };
    let loader = elf.loader.as_deref().filter(|_| !elf.loader_found)?;
    if !elf.native || target.view.is_running() {
        return None;
    }
    let path = &target.program.path;
    let made_for = if loader.contains("musl") {
        "musl (Alpine)"
    } else {
        "glibc"
    };
    Some(
        target
            .finding(
                &LOADER_MISSING,
                format!("{path} cannot start: its loader {loader} is not on this machine"),
                format!("it is a build for {made_for}, and this system has another C library"),
            )
            .brief("its loader is missing")
            .evidence(
                Evidence::new("program", format!("asks for {loader}"), path)
                    .command(target.shell("readelf -l")),
            )
            .evidence(
                Evidence::new("loader", "no such file", loader)
                    .expected("the loader of the program")
                    .command(format!("ls -l {}", quote(loader))),
            )
            .evidence(target.named_row())
            .fix(install::fix(target)),
    )
}
