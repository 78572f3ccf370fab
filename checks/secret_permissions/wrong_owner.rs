//! A secret that belongs to a user who has nothing to do with the gateway.

use super::service_user::{can_read, needed_by};
use super::{SecretFile, WRONG_OWNER, look};
use crate::model::{FileKind, FileRole, Finding, Fix, Observed, Snapshot, Subject};
use crate::shell;

/// Whose gateway it is: flowgate's own keys belong to the owner of its runtime dir.
fn owner_of_the_gateway(snapshot: &Snapshot) -> u32 {
    let runtime = snapshot.files.get(&snapshot.paths.runtime_dir);
    runtime
        .and_then(Observed::known)
        .map_or(snapshot.host.user.uid, |facts| facts.uid)
}

/// The finding for a secret that its service can read and neither owns nor root does: its owner reads
/// it, and can take it away.
pub fn find(file: &SecretFile<'_>, snapshot: &Snapshot) -> Option<Finding> {
    let facts = file.facts;
    let is_secret = facts.holds_secret || facts.role == FileRole::AuthDir;
    if !is_secret || matches!(facts.kind, FileKind::Symlink { .. }) {
        return None;
    }
    let user = match facts.role {
        FileRole::Key => owner_of_the_gateway(snapshot),
        _ => needed_by(file, snapshot)?,
    };
    // Root reads and writes whatever it meets, also on behalf of another user.
    if user == 0 || facts.uid == 0 || facts.uid == user || !can_read(user, facts, snapshot) {
        return None;
    }
    let whom = if user == snapshot.host.user.uid {
        snapshot.host.user.name.clone()
    } else {
        user.to_string()
    };
    let shown = shell::path(snapshot, file.path);
    Some(
        Finding::new(
            &WRONG_OWNER,
            Subject::File(file.path.into()),
            format!("{} belongs to {}, not to {whom}", file.path, facts.owner),
            format!(
                "{} reads it too, and can change it or take it away",
                facts.owner
            ),
        )
        .brief("belongs to another user")
        .evidence(look::mode_row(file, &format!("owner {whom}"), snapshot))
        .fix(Fix::manual(
            "by-hand",
            format!("give {} to {whom}", file.path),
            vec![format!("sudo chown {} {shown}", shell::quote(&whom))],
        )),
    )
}
