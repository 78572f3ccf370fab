//! Under whom the service runs that needs a file, and whether that user can read it.

use super::{SecretFile, lies_in};
use crate::holder::served_by_another;
use crate::model::{
    AuthDirRole, FileFacts, FileKind, FileRole, Manager, Process, ServiceKind, Snapshot,
};
use crate::state::{View, service_of};

const READ: u32 = 0o4;
const READ_AND_ENTER: u32 = 0o5;

/// The bits of one class that reading needs: a directory is entered too.
pub fn needed_bits(facts: &FileFacts) -> u32 {
    match facts.role {
        FileRole::AuthDir => READ_AND_ENTER,
        _ => READ,
    }
}

/// The user of the service that needs a file; none when no service does, or when it is not known
/// under whom the service runs.
pub fn needed_by(file: &SecretFile<'_>, snapshot: &Snapshot) -> Option<u32> {
    let configs = &snapshot.configs;
    let kind = match file.facts.role {
        FileRole::AuthDir | FileRole::Token if is_read_by_service(file.path, snapshot) => {
            ServiceKind::Cliproxyapi
        }
        FileRole::Config if file.path == configs.litellm.path => ServiceKind::Litellm,
        FileRole::Config if file.path == configs.cliproxyapi.path => ServiceKind::Cliproxyapi,
        _ => return None,
    };
    let view = service_of(snapshot, kind)?;
    let user = user_of(&view)?;
    // Another user's running service has read its config, by whatever right.
    let was_read = file.facts.role == FileRole::Config && user != snapshot.host.user.uid;
    (!was_read).then_some(user)
}

fn is_read_by_service(path: &str, snapshot: &Snapshot) -> bool {
    snapshot
        .credentials
        .auth_dirs
        .iter()
        .filter(|dir| dir.role == AuthDirRole::Service)
        .any(|dir| lies_in(path, &dir.path))
}

/// Under whom a service runs, or would be started; none when that is not known, and when it runs in
/// a container, where the modes of this machine say nothing.
fn user_of(view: &View<'_>) -> Option<u32> {
    let outside = |process: &Process| {
        let is_contained = matches!(process.manager, Some(Manager::Container { .. }));
        (!is_contained).then_some(process.uid)
    };
    if let Some(process) = view.processes().next() {
        return outside(process);
    }
    match served_by_another(view) {
        Some(holder) if holder.forwarder().is_some() => None,
        Some(holder) => holder.processes.first().copied().and_then(outside),
        None => {
            let is_ours = view.settings().managed;
            is_ours.then_some(view.snapshot.host.user.uid)
        }
    }
}

/// Whether a user can put files into a directory.
pub fn can_write(user: u32, facts: &FileFacts, snapshot: &Snapshot) -> bool {
    const WRITE_AND_ENTER: u32 = 0o3;
    if user == snapshot.host.user.uid {
        return facts.writable;
    }
    let has = |shift: u32| facts.mode.0 >> shift & WRITE_AND_ENTER == WRITE_AND_ENTER;
    // The groups of another user are not known: what a group may do, he may do.
    let by_class = if facts.uid == user {
        has(6)
    } else {
        has(3) || has(0)
    };
    user == 0 || facts.acl || by_class
}

/// Whether a user can read a file.
pub fn can_read(user: u32, facts: &FileFacts, snapshot: &Snapshot) -> bool {
    if matches!(facts.kind, FileKind::Symlink { found: false, .. }) {
        // A link that leads nowhere is another matter.
        return true;
    }
    if user == snapshot.host.user.uid {
        return facts.readable;
    }
    let bits = needed_bits(facts);
    let by_owner = facts.uid == user && facts.mode.0 >> 6 & bits == bits;
    // The groups of another user are not known: what a group may do, he may do.
    let by_group = facts.uid != user && facts.mode.0 >> 3 & bits == bits;
    let by_all = facts.uid != user && facts.mode.0 & bits == bits;
    user == 0 || facts.acl || by_owner || by_group || by_all
}
