//! A directory of secrets can be written or listed by others.

use super::{DIRECTORY_EXPOSED, SecretFile, look, set_mode};
use crate::model::{FileKind, FileRole, Finding, Severity, Snapshot, Subject};
use crate::reach::{self, Reach};

/// The finding for a directory whose bits let others write; an auth dir that they can only list is an info.
pub fn find(file: &SecretFile<'_>, snapshot: &Snapshot) -> Option<Finding> {
    let facts = file.facts;
    let is_dir = matches!(
        facts.kind,
        FileKind::Directory | FileKind::Symlink { found: true, .. }
    );
    let what = match facts.role {
        FileRole::AuthDir => "logins",
        FileRole::SecretsDir => "keys",
        FileRole::RuntimeDir => "programs, logs and records",
        FileRole::ConfigDir => "configs",
        FileRole::Token
        | FileRole::Key
        | FileRole::Config
        | FileRole::LogDir
        | FileRole::Log
        | FileRole::DumpDir => return None,
    };
    if !is_dir {
        return None;
    }
    let writing = match reach::of_writing_dir(facts, snapshot) {
        // In a sticky folder nobody replaces the config of another.
        _ if facts.role == FileRole::ConfigDir && facts.mode.has(0o1000) => Reach::Nobody,
        reach => reach,
    };
    let (path, mode) = (file.path, facts.mode);
    let (symptom, cause, reach, severity) = match writing {
        Reach::Open { given } => (
            format!(
                "{path}/ can be written by {} (mode {mode})",
                look::others(given, facts.gid)
            ),
            format!("mode {mode}: whoever writes there can replace the {what}"),
            Reach::Open { given },
            Severity::Error,
        ),
        Reach::Closed { given, by } => (
            format!("{path}/ has mode {mode}; only {by} keeps others out"),
            format!("mode {mode}: whoever reaches it can replace the {what}"),
            Reach::Closed { given, by },
            Severity::Info,
        ),
        Reach::Nobody => {
            let listing = reach::of_listing_dir(facts, snapshot);
            let Reach::Open { given } = listing else {
                return None;
            };
            if facts.role != FileRole::AuthDir {
                return None;
            }
            (
                format!(
                    "{path}/ can be listed by {} (mode {mode})",
                    look::others(given, facts.gid)
                ),
                "the names of token files hold the accounts".to_owned(),
                Reach::Open { given },
                Severity::Info,
            )
        }
    };
    let finding = Finding::new(
        &DIRECTORY_EXPOSED,
        Subject::File(path.into()),
        symptom,
        cause,
    )
    .brief("writable by others")
    .evidence(look::mode_row(file, expected(facts.role), snapshot))
    .evidence(look::parents_row(file, &reach, snapshot))
    .fix(set_mode::for_dir(file, snapshot));
    Some(if severity == Severity::Error {
        finding
    } else {
        finding.at(severity)
    })
}

fn expected(role: FileRole) -> &'static str {
    match role {
        FileRole::ConfigDir => "no right to write for others",
        _ => "700",
    }
}
