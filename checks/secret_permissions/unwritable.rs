//! The service can read its auth dir and not write it: tokens are neither saved nor refreshed.

use super::service_user::{can_read, can_write, needed_by};
use super::{SecretFile, UNWRITABLE, look, set_mode};
use crate::model::{FileRole, Finding, Fix, Snapshot, Subject};
use crate::shell;

/// The finding for the auth dir that the service reads. What cannot be read either is `unreadable`.
pub fn find(file: &SecretFile<'_>, snapshot: &Snapshot) -> Option<Finding> {
    let facts = file.facts;
    if facts.role != FileRole::AuthDir {
        return None;
    }
    let user = needed_by(file, snapshot)?;
    if !can_read(user, facts, snapshot) || can_write(user, facts, snapshot) {
        return None;
    }
    let who = if user == snapshot.host.user.uid {
        format!("user {}", snapshot.host.user.name)
    } else {
        format!("uid {user}")
    };
    // The owner has the right by the bits, and the kernel says no: the file system is read-only.
    let is_read_only = facts.uid == user && facts.mode.has(0o200);
    let cause = if is_read_only {
        "its bits allow it: its file system is read-only".to_owned()
    } else {
        format!(
            "it belongs to {} with mode {}, and CLIProxyAPIPlus runs as {who}",
            facts.owner, facts.mode
        )
    };
    Some(
        Finding::new(
            &UNWRITABLE,
            Subject::File(file.path.into()),
            format!(
                "{who} cannot write into {}, so no login is saved and no token renewed",
                file.path
            ),
            cause,
        )
        .brief("its auth dir cannot be written")
        .evidence(look::mode_row(file, &format!("700, {who}"), snapshot))
        .fix(fix(file, user, is_read_only, snapshot)),
    )
}

fn fix(file: &SecretFile<'_>, user: u32, is_read_only: bool, snapshot: &Snapshot) -> Fix {
    let facts = file.facts;
    let shown = shell::path(snapshot, file.path);
    if is_read_only {
        return Fix::manual(
            "by-hand",
            format!("mount the file system of {} writable", file.path),
            vec![format!("findmnt -T {shown}")],
        );
    }
    let is_ours = user == snapshot.host.user.uid;
    if is_ours && facts.uid == user && matches!(facts.kind, crate::model::FileKind::Directory) {
        return set_mode::owner_bits(file.path, facts.mode, 0o700, snapshot);
    }
    let whom = if is_ours {
        snapshot.host.user.name.clone()
    } else {
        user.to_string()
    };
    Fix::manual(
        "by-hand",
        format!("give {} and what lies in it to {whom}", file.path),
        vec![format!("sudo chown -R {} {shown}", shell::quote(&whom))],
    )
}
