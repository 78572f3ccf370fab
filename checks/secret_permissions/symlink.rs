//! A link in the place of a secret that leads nowhere, or where another user rules.

use super::{SYMLINK, SecretFile};
use crate::model::{Evidence, FileKind, FileRole, Finding, Fix, Snapshot, Subject};
use crate::shell;

/// The finding for a token, a key or an auth dir that is such a link. A link to a file below folders of
/// the same owner, or root's, is healthy.
pub fn find(file: &SecretFile<'_>, snapshot: &Snapshot) -> Option<Finding> {
    let facts = file.facts;
    let FileKind::Symlink { target, found } = &facts.kind else {
        return None;
    };
    if !matches!(
        facts.role,
        FileRole::Token | FileRole::Key | FileRole::AuthDir
    ) {
        return None;
    }
    let path = file.path;
    let shown = shell::path(snapshot, path);
    let owner = facts
        .parents
        .iter()
        .find(|parent| ![0, facts.uid, snapshot.host.user.uid].contains(&parent.uid));
    let (symptom, cause, seen) = match (found, owner) {
        (false, _) => (
            format!("{path} is a link to {target}, which is gone"),
            "its target was moved or removed".to_owned(),
            format!("link to {target}, no such file"),
        ),
        (true, Some(parent)) => (
            format!(
                "{path} is a link to {target}, where uid {} rules",
                parent.uid
            ),
            format!(
                "{} belongs to uid {}, who can put another file there",
                parent.path, parent.uid
            ),
            format!("link to {target}"),
        ),
        (true, None) => return None,
    };
    Some(
        Finding::new(&SYMLINK, Subject::File(path.into()), symptom, cause)
            .brief("a link that cannot be trusted")
            .evidence(
                Evidence::new("link", seen, path)
                    .expected("the file itself, or a link to one of its owner")
                    .command(format!("namei -l {shown}")),
            )
            .fix(Fix::manual(
                "by-hand",
                format!(
                    "put the file itself in the place of the link {path}, or take the link away"
                ),
                vec![format!("readlink -f {shown}")],
            )),
    )
}
