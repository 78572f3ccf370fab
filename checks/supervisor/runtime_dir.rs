//! The runtime dir cannot be written.

use super::RUNTIME_NOT_WRITABLE;
use crate::model::{Evidence, FileFacts, FileKind, Finding, Fix, Snapshot, Subject, Verdict};
use crate::shell;

/// Finds a runtime dir into which this user cannot write: no service can be started then, and no log
/// be kept.
pub fn look(snapshot: &Snapshot, verdict: &mut Verdict) {
    let dir = &snapshot.paths.runtime_dir;
    let Some(facts) = snapshot.files.get(dir).and_then(|facts| facts.known()) else {
        return;
    };
    let is_dir = matches!(
        facts.kind,
        FileKind::Directory | FileKind::Symlink { found: true, .. }
    );
    if facts.writable && is_dir || runs_under(snapshot, facts.uid) {
        return;
    }
    let user = &snapshot.host.user;
    let path = shell::path(snapshot, dir);
    let is_own = facts.uid == user.uid;
    let owner_may = facts.mode.has(0o200);
    let (cause, fix) = match facts.kind {
        _ if !is_dir => (
            format!("{dir} is no directory"),
            Fix::manual(
                "by-hand",
                format!("move {dir} out of the way"),
                vec![format!("mv {path} {path}.old")],
            ),
        ),
        _ if is_own && owner_may => (
            "its mode allows it, so its file system is read-only".into(),
            Fix::manual(
                "by-hand",
                "mount it writable, or name another paths.runtime_dir",
                vec![format!("findmnt --target {path}")],
            ),
        ),
        _ if is_own => (
            format!("its mode is {}", facts.mode),
            Fix::manual(
                "by-hand",
                format!("give {} the right to write", user.name),
                vec![format!("chmod u+rwx {path}")],
            ),
        ),
        _ => (
            format!(
                "it belongs to {}, and flowgate runs as {}",
                facts.owner, user.name
            ),
            Fix::manual(
                "by-hand",
                format!(
                    "call flowgate as {}, or give {dir} to {}",
                    facts.owner, user.name
                ),
                vec![format!("sudo chown -R {} {path}", shell::quote(&user.name))],
            ),
        ),
    };
    verdict.push(
        Finding::new(
            &RUNTIME_NOT_WRITABLE,
            Subject::Supervisor,
            format!(
                "{} cannot write into {dir}, so no service can be started",
                user.name
            ),
            cause,
        )
        .brief("runtime dir not writable")
        .evidence(mode_row(snapshot, dir, facts))
        .fix(fix),
    );
}

/// Whether the owner of the dir runs the gateway: then another user looks, and nothing is wrong.
fn runs_under(snapshot: &Snapshot, owner: u32) -> bool {
    let is_another = owner != snapshot.host.user.uid;
    is_another
        && snapshot
            .processes
            .values()
            .any(|process| process.serves().is_some() && process.uid == owner)
}

fn mode_row(snapshot: &Snapshot, dir: &str, facts: &FileFacts) -> Evidence {
    Evidence::new("mode", format!("{} of {}", facts.mode, facts.owner), dir)
        .expected(format!("writable by {}", snapshot.host.user.name))
        .command(format!("ls -ld {}", shell::path(snapshot, dir)))
}
