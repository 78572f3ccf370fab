//! The user of a service cannot read a secret or config that the service needs.

use super::service_user::{can_read, needed_bits, needed_by};
use super::{SecretFile, UNREADABLE, lies_in, look, set_mode};
use crate::model::{
    FileKind, FileRole, Finding, Fix, Impact, Observed, ServiceKind, Severity, Snapshot, Subject,
    UnknownDatum, Verdict,
};
use crate::shell;
use crate::state::service_of;

/// One finding for each file that cannot be read. A directory and the files in it that have one
/// wrong owner are one finding, on the directory.
pub fn find(snapshot: &Snapshot) -> Verdict {
    let mut verdict = Verdict::default();
    let known = || {
        snapshot.files.iter().filter_map(|(path, observed)| {
            let facts = observed.known()?;
            Some(SecretFile { path, facts })
        })
    };
    let mut dirs: Vec<&str> = Vec::new();
    for dir in known().filter(|file| file.facts.role == FileRole::AuthDir) {
        let Some(user) = needed_by(&dir, snapshot) else {
            continue;
        };
        let hides_a_file = dir.facts.uid != user
            && known().any(|file| {
                file.path != dir.path
                    && lies_in(file.path, dir.path)
                    && file.facts.uid == dir.facts.uid
                    && !can_read(user, file.facts, snapshot)
            });
        let reads_it = can_read(user, dir.facts, snapshot);
        if !reads_it || hides_a_file {
            dirs.push(dir.path);
            let what = if reads_it { "what lies in " } else { "" };
            verdict.push(make(&dir, what, user, snapshot));
        }
    }
    for file in known().filter(|file| file.facts.role != FileRole::AuthDir) {
        let is_told = dirs.iter().any(|dir| lies_in(file.path, dir));
        let user = needed_by(&file, snapshot).filter(|_| !is_told);
        if let Some(user) = user
            && !can_read(user, file.facts, snapshot)
        {
            verdict.push(make(&file, "", user, snapshot));
        }
    }
    verdict.unknowns.extend(unlisted(snapshot, &dirs));
    verdict
}

fn make(file: &SecretFile<'_>, what: &str, user: u32, snapshot: &Snapshot) -> Finding {
    let facts = file.facts;
    let who = if user == snapshot.host.user.uid {
        format!("user {}", snapshot.host.user.name)
    } else {
        format!("uid {user}")
    };
    let needs = match facts.role {
        FileRole::Config if file.path == snapshot.configs.litellm.path => "LiteLLM",
        _ => "CLIProxyAPIPlus",
    };
    let cause = match blocking_parent(file, user, snapshot) {
        Some(parent) => format!("{parent} above it lets {who} not pass"),
        None => format!(
            "it belongs to {} with mode {}, and {needs} runs as {who}",
            facts.owner, facts.mode
        ),
    };
    let expected = match facts.role {
        FileRole::AuthDir => format!("700, {who}"),
        _ => format!("600, {who}"),
    };
    let finding = Finding::new(
        &UNREADABLE,
        Subject::File(file.path.into()),
        format!("{who} cannot read {what}{}, which {needs} needs", file.path),
        cause,
    )
    .brief(format!("cannot read {}", file.path))
    .evidence(look::mode_row(file, &expected, snapshot))
    .fix(fix(file, user, snapshot));
    let is_loaded = facts.role == FileRole::Config && runs(file, snapshot);
    if !is_loaded {
        return finding;
    }
    // What runs has read it; its next start will not.
    let mut finding = finding.at(Severity::Warning);
    finding.impact = Impact::Risk;
    finding
}

fn runs(file: &SecretFile<'_>, snapshot: &Snapshot) -> bool {
    let kind = if file.path == snapshot.configs.litellm.path {
        ServiceKind::Litellm
    } else {
        ServiceKind::Cliproxyapi
    };
    service_of(snapshot, kind).is_some_and(|view| view.is_running())
}

/// The directory above that keeps a user out although the bits of the file would let him read.
fn blocking_parent(file: &SecretFile<'_>, user: u32, snapshot: &Snapshot) -> Option<String> {
    let facts = file.facts;
    let bits = needed_bits(facts);
    let may_by_bits = facts.uid == user && facts.mode.0 >> 6 & bits == bits
        || facts.uid != user && facts.mode.0 & bits == bits;
    let keeps_out = |mode: u32, uid: u32| {
        let digit = if uid == user {
            mode >> 6
        } else {
            mode | mode >> 3
        };
        digit & 0o1 == 0
    };
    let parent = facts
        .parents
        .iter()
        .rev()
        .find(|parent| keeps_out(parent.mode.0, parent.uid))?;
    may_by_bits.then(|| shell::shown(snapshot, &parent.path))
}

fn fix(file: &SecretFile<'_>, user: u32, snapshot: &Snapshot) -> Fix {
    let facts = file.facts;
    let is_ours = user == snapshot.host.user.uid;
    if let Some(shown) = blocking_parent(file, user, snapshot) {
        let parent = facts
            .parents
            .iter()
            .find(|parent| shell::shown(snapshot, &parent.path) == shown);
        return match parent {
            Some(parent) if is_ours && parent.uid == user => {
                set_mode::owner_bits(&shown, parent.mode, 0o700, snapshot)
            }
            _ => Fix::manual(
                "by-hand",
                format!("let uid {user} pass {shown}"),
                vec![format!(
                    "sudo setfacl -m u:{user}:x {}",
                    shell::path(snapshot, &shown)
                )],
            ),
        };
    }
    let is_link = matches!(facts.kind, FileKind::Symlink { .. });
    if is_ours && facts.uid == user && !is_link {
        let bits = match facts.role {
            FileRole::AuthDir => 0o700,
            _ => 0o600,
        };
        return set_mode::owner_bits(file.path, facts.mode, bits, snapshot);
    }
    let whom = if is_ours {
        snapshot.host.user.name.clone()
    } else {
        user.to_string()
    };
    let recursive = if facts.role == FileRole::AuthDir {
        "-R "
    } else {
        ""
    };
    Fix::manual(
        "by-hand",
        format!("give {} to {whom}", file.path),
        vec![format!(
            "sudo chown {recursive}{} {}",
            shell::quote(&whom),
            shell::path(snapshot, file.path)
        )],
    )
}

/// An auth dir of another user's service that cannot be listed: what lies in it is not known. A dir
/// that nobody else enters protects it whatever it is.
fn unlisted(snapshot: &Snapshot, told: &[&str]) -> Vec<UnknownDatum> {
    let dirs = snapshot.credentials.auth_dirs.iter();
    dirs.filter(|dir| !told.contains(&dir.path.as_str()))
        .filter_map(|dir| {
            let Observed::Unknown(unknown) = &dir.listing else {
                return None;
            };
            let facts = snapshot.files.get(&dir.path).and_then(Observed::known);
            Some(UnknownDatum {
                what: format!("the modes of the files in {}", dir.path),
                why: unknown.why.clone(),
                command: unknown.command.clone(),
                optional: facts.is_some_and(|facts| !facts.mode.has(0o011) && !facts.acl),
            })
        })
        .collect()
}
