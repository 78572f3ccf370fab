//! The program is there, and may not be executed.

use super::{NOT_EXECUTABLE, ServiceProgram};
use crate::model::{Evidence, Executable, Finding, Fix, Mode, Safety, Step};
use crate::shell::{self, quote};

/// The finding for a file without an execute bit for this user, or on a file system that runs nothing.
pub fn find(target: &ServiceProgram<'_>, file: &Executable) -> Option<Finding> {
    if let Some(mount) = &file.noexec_mount {
        return Some(on_noexec(target, file, mount));
    }
    if file.executable {
        return None;
    }
    let path = &target.program.path;
    let user = &target.view.snapshot.host.user;
    let has_bit = may_by_bits(file, user.uid);
    let (cause, command) = if has_bit {
        let absolute = shell::absolute(target.view.snapshot, path);
        (
            format!("a folder above it lets user {} not pass", user.name),
            format!("namei -l {}", quote(&absolute)),
        )
    } else {
        (
            format!(
                "mode {} has no execute bit for user {}",
                file.mode, user.name
            ),
            target.shell("ls -l"),
        )
    };
    let finding = target
        .finding(
            &NOT_EXECUTABLE,
            format!("{path} may not be executed (mode {})", file.mode),
            cause,
        )
        .brief("program not executable")
        .evidence(
            Evidence::new("program", target.facts(file), path)
                .expected("mode 755")
                .command(command),
        )
        .evidence(target.named_row());
    Some(finding.fix(fix(target, file, has_bit)))
}

fn may_by_bits(file: &Executable, user: u32) -> bool {
    match user {
        0 => file.mode.has(0o111),
        owner if owner == file.uid => file.mode.has(0o100),
        _ => file.mode.has(0o011),
    }
}

fn fix(target: &ServiceProgram<'_>, file: &Executable, has_bit: bool) -> Fix {
    let (snapshot, program) = (target.view.snapshot, target.program);
    let user = snapshot.host.user.uid;
    if has_bit {
        return Fix::manual(
            "by-hand",
            format!(
                "let user {} pass every folder above {}",
                snapshot.host.user.name, program.path
            ),
            vec![format!(
                "namei -l {}",
                quote(&shell::absolute(snapshot, &program.path))
            )],
        );
    }
    if file.uid != user {
        let title = format!("make {} executable", program.path);
        return Fix::manual("by-hand", title, vec![target.shell("sudo chmod a+x")]);
    }
    let title = format!("chmod u+x {} (is {})", program.path, file.mode);
    let commands = vec![target.shell("chmod u+x")];
    if !program.in_runtime_bin {
        return Fix::manual("by-hand", title, commands);
    }
    let step = Step::SetMode {
        path: program.path.clone(),
        from: file.mode,
        to: Mode(file.mode.0 & 0o7777 | 0o100),
    };
    Fix::new("set-mode", Safety::Safe, title, commands).with_steps(vec![step])
}

fn on_noexec(target: &ServiceProgram<'_>, file: &Executable, mount: &str) -> Finding {
    let path = &target.program.path;
    target
        .finding(
            &NOT_EXECUTABLE,
            format!("{path} may not be executed: {mount} is mounted noexec"),
            format!(
                "the file has mode {}, and the mount runs no program",
                file.mode
            ),
        )
        .brief("program on a noexec mount")
        .evidence(
            Evidence::new("mount", format!("{mount} noexec"), "/proc/self/mountinfo")
                .expected("a mount without noexec")
                .command(target.shell("findmnt -o TARGET,OPTIONS -T")),
        )
        .evidence(target.named_row())
        .fix(Fix::manual(
            "by-hand",
            format!(
                "mount {mount} without noexec, or move the program and name its new place at {}",
                target.named_at()
            ),
            vec![format!("sudo mount -o remount,exec {}", quote(mount))],
        ))
}

/// The finding for a directory in the place of the program, as a container engine makes one for a
/// file that it was to mount and did not find.
pub fn find_directory(target: &ServiceProgram<'_>) -> Finding {
    let path = &target.program.path;
    let at = target.named_at();
    target
        .finding(
            &NOT_EXECUTABLE,
            format!("{path} is a directory, not a program"),
            format!("{at} names {}", target.program.named),
        )
        .brief("program is a directory")
        .evidence(
            Evidence::new("program", "a directory", path)
                .expected("a program")
                .command(target.shell("ls -ld")),
        )
        .evidence(target.named_row())
        .fix(Fix::manual(
            "by-hand",
            format!("name the program itself at {at}"),
            Vec::new(),
        ))
}
