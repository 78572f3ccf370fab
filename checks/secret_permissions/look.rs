//! Modes, owners and the directories above, as observations.

use super::SecretFile;
use crate::model::{Evidence, FileKind, Snapshot};
use crate::reach::{Given, Reach};
use crate::shell;

/// The mode and the owner of a file, and what they should be.
pub fn mode_row(file: &SecretFile<'_>, expected: &str, snapshot: &Snapshot) -> Evidence {
    let facts = file.facts;
    let list = match &facts.kind {
        FileKind::Symlink { .. } => "ls -lL",
        FileKind::Directory => "ls -ld",
        FileKind::File | FileKind::Other => "ls -l",
    };
    let list = if facts.acl { "getfacl" } else { list };
    let acl = if facts.acl {
        ", and an access control list"
    } else {
        ""
    };
    Evidence::new(
        "mode",
        format!("{} {}, gid {}{acl}", facts.mode, facts.owner, facts.gid),
        file.path,
    )
    .expected(expected)
    .command(format!("{list} {}", shell::path(snapshot, file.path)))
}

/// What the directories above let pass.
pub fn parents_row(file: &SecretFile<'_>, reach: &Reach, snapshot: &Snapshot) -> Evidence {
    let observed = match reach {
        Reach::Closed { by, .. } => format!("{by} keeps others out"),
        Reach::Open { .. } | Reach::Nobody => "every directory above lets others pass".to_owned(),
    };
    let absolute = match &file.facts.kind {
        FileKind::Symlink { target, .. } => target.clone(),
        _ => shell::absolute(snapshot, file.path),
    };
    Evidence::new("directories above", observed, &absolute)
        .command(format!("namei -l {}", shell::quote(&absolute)))
}

/// To whom a file is given, in words: `every user of this machine`.
pub fn others(given: Given, gid: u32) -> String {
    match given {
        Given::Everybody => "every user of this machine".into(),
        Given::Group => format!("the other members of group {gid}"),
        Given::Listed => "those whom its access control list names".into(),
    }
}
