//! The remedy `set-mode`, and whether it may be applied without asking.

use super::SecretFile;
use crate::model::{FileKind, FileRole, Fix, Mode, Safety, Snapshot, Step};
use crate::reach;
use crate::shell;

/// Makes a secret file its owner's alone.
pub fn for_file(file: &SecretFile<'_>, snapshot: &Snapshot) -> Fix {
    tighten(file, Mode(0o600), is_alone(file, snapshot), snapshot)
}

/// Makes a directory its owner's alone; the folder of a config only loses the right of others to write.
pub fn for_dir(file: &SecretFile<'_>, snapshot: &Snapshot) -> Fix {
    let facts = file.facts;
    let to = match facts.role {
        FileRole::ConfigDir => Mode(facts.mode.0 & 0o7777 & !0o022),
        // Neither a home nor a git root nor a mount point is ours to close.
        _ if facts.special && facts.mode.has(0o022) => Mode(facts.mode.0 & 0o7777 & !0o022),
        _ => Mode(0o700),
    };
    let is_listed = matches!(
        facts.role,
        FileRole::AuthDir | FileRole::RuntimeDir | FileRole::DumpDir
    );
    let has_setgid = facts.mode.has(0o2000);
    let is_safe = is_listed && !has_setgid && is_alone(file, snapshot);
    tighten(file, to, is_safe, snapshot)
}

/// Gives the owner the bits that he lacks, and nobody else anything.
pub fn owner_bits(path: &str, from: Mode, bits: u32, snapshot: &Snapshot) -> Fix {
    let to = Mode(from.0 & 0o7777 | bits);
    Fix::new(
        "set-mode",
        Safety::Safe,
        format!("chmod {to} {path} (is {from})"),
        vec![format!("chmod {to} {}", shell::path(snapshot, path))],
    )
    .with_steps(vec![Step::SetMode {
        path: path.to_owned(),
        from,
        to,
    }])
}

/// Whether nobody can lose anything by it: it is ours, and no other uid of the gateway, no access
/// control list and no shared group uses it.
fn is_alone(file: &SecretFile<'_>, snapshot: &Snapshot) -> bool {
    let facts = file.facts;
    let is_shared = facts.group_shared && facts.mode.has(0o070);
    facts.uid == snapshot.host.user.uid
        && !facts.acl
        && !is_shared
        && !facts.special
        && reach::other_user(facts, snapshot).is_none()
}

fn tighten(file: &SecretFile<'_>, to: Mode, is_safe: bool, snapshot: &Snapshot) -> Fix {
    let facts = file.facts;
    let (from, sudo) = (facts.mode, sudo(file, snapshot));
    if let FileKind::Symlink { target, .. } = &facts.kind {
        return Fix::manual(
            "set-mode",
            format!(
                "chmod {to} {target} (is {from}), to which {} links",
                file.path
            ),
            vec![format!("{sudo}chmod {to} {}", shell::quote(target))],
        );
    }
    if let Some(kind) = &facts.without_modes {
        return Fix::manual(
            "set-mode",
            format!(
                "move {} to a file system that keeps modes, or mount this one ({kind}) with umask=077",
                file.path
            ),
            Vec::new(),
        );
    }
    let shown = shell::path(snapshot, file.path);
    let mut commands = vec![format!("{sudo}chmod {to} {shown}")];
    let title = format!("chmod {to} {} (is {from})", file.path);
    if let Some(user) = reader(file, snapshot) {
        commands.insert(0, format!("sudo chown {user} {shown}"));
        let title = format!(
            "give {} to uid {user}, which reads it, and {title}",
            file.path
        );
        return Fix::manual("set-mode", title, commands);
    }
    // Of another user's file no mode can be changed.
    if !sudo.is_empty() {
        return Fix::manual("set-mode", title, commands);
    }
    let safety = if is_safe {
        Safety::Safe
    } else {
        Safety::Unsafe
    };
    Fix::new("set-mode", safety, title, commands).with_steps(vec![Step::SetMode {
        path: file.path.to_owned(),
        from,
        to,
    }])
}

/// The uid that would lose a file which becomes its owner's alone: that of the gateway's processes,
/// or ours, who would start them.
fn reader(file: &SecretFile<'_>, snapshot: &Snapshot) -> Option<u32> {
    let user = snapshot.host.user.uid;
    let starts = || (file.facts.uid != user && user != 0).then_some(user);
    let is_used = matches!(
        file.facts.role,
        FileRole::Token | FileRole::Config | FileRole::AuthDir
    );
    reach::other_user(file.facts, snapshot)
        .or_else(starts)
        .filter(|_| is_used)
}

fn sudo(file: &SecretFile<'_>, snapshot: &Snapshot) -> &'static str {
    let user = snapshot.host.user.uid;
    if user == 0 || user == file.facts.uid {
        ""
    } else {
        "sudo "
    }
}
