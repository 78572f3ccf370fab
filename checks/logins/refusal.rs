//! What stands between a token that parses and its use.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{is_unread, provider_of};
use crate::logs::{LoginLine, login_line, proves_a_chat, refuses_refresh};
use crate::model::{AuthFileStatus, CredentialFile, CredentialState, ServiceKind, Snapshot};
use crate::routes::canonical_provider;
use crate::state::service_of;

/// How a provider does not let a token be used.
#[derive(Clone, Copy)]
pub enum Refusal<'a> {
    /// It refused the token, in these words.
    Rejected(&'a AuthFileStatus),
    /// It refused to renew the token, by this line of the log; `serves` tells that a chat went
    /// through since.
    RefreshRefused {
        /// The line.
        line: &'a str,
        /// Whether the access token still does its work.
        serves: bool,
    },
    /// Its limit is reached.
    UsedUp(&'a AuthFileStatus),
    /// It expired an hour ago, and the service, which ran all that hour, could not renew it.
    NotRenewed,
}

impl Refusal<'_> {
    /// Whether the token is of no use any more.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Rejected(_) | Self::NotRenewed => true,
            Self::RefreshRefused { serves, .. } => !serves,
            Self::UsedUp(_) => false,
        }
    }
}

/// Words with which providers refuse a token (`facts/real-stack.md`, Upstream errors).
const REFUSED: [&str; 9] = [
    "token_invalidated",
    "has been invalidated",
    "token_revoked",
    "token_expired",
    "invalid_grant",
    "invalid_token",
    "refresh_token_reused",
    "unauthorized",
    "\"status\": 401",
];

/// Words with which providers say that a limit is reached.
const USED_UP: [&str; 5] = [
    "usage_limit_reached",
    "usage limit",
    "rate_limit",
    "insufficient_quota",
    "quota exceeded",
];

/// Providers whose tokens the program renews by itself, and how many minutes before they expire it
/// begins to try (`facts/cliproxyapi.md` 5.4).
const RENEWED: [(&str, i64); 6] = [
    ("codex", 5 * 24 * 60),
    ("claude", 4 * 60),
    ("qwen", 3 * 60),
    ("iflow", 24 * 60),
    ("antigravity", 5),
    ("kiro", 30),
];

/// The refusals of all token files that the service reads, by path. An error of the network is none:
/// the program tries again.
pub fn refusals(snapshot: &Snapshot) -> BTreeMap<&str, Refusal<'_>> {
    let by_name = statuses(snapshot);
    let by_log = refused_renewal(snapshot);
    let files = snapshot.credentials.files.iter();
    files
        .filter(|(_, file)| !is_unread(file, snapshot))
        .filter_map(|(path, file)| {
            let CredentialState::Parsed {
                disabled: false, ..
            } = &file.state
            else {
                return None;
            };
            let name = path.rsplit('/').next()?;
            let by_log = by_log
                .filter(|(refused, _)| refused == path)
                .map(|(_, refusal)| refusal);
            let refusal = by_name
                .get(name)
                .copied()
                .or(by_log)
                .or_else(|| not_renewed(file, snapshot))?;
            Some((path.as_str(), refusal))
        })
        .collect()
}

/// What the program says of its files, by their names.
fn statuses(snapshot: &Snapshot) -> BTreeMap<&str, Refusal<'_>> {
    let statuses = snapshot.credentials.management.auth_files.known();
    let errors = statuses
        .into_iter()
        .flatten()
        .filter(|status| status.status == "error");
    errors
        .filter_map(|status| {
            let said = status
                .status_message
                .as_deref()
                .unwrap_or_default()
                .to_ascii_lowercase();
            let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
            let refusal = if says(&USED_UP) {
                // A limit that has ended is none, whatever was said while it lasted.
                let is_over = |at: Timestamp| at <= snapshot.clock.gathered_at;
                if status.next_retry_after.is_some_and(is_over) {
                    return None;
                }
                Refusal::UsedUp(status)
            } else if says(&REFUSED) {
                Refusal::Rejected(status)
            } else {
                return None;
            };
            Some((status.name.as_str(), refusal))
        })
        .collect()
}

fn not_renewed<'a>(file: &CredentialFile, snapshot: &Snapshot) -> Option<Refusal<'a>> {
    let CredentialState::Parsed {
        expires_at: Some(at),
        refreshable: true,
        ..
    } = &file.state
    else {
        return None;
    };
    lead_of(file)?;
    let proxy = service_of(snapshot, ServiceKind::Cliproxyapi)?;
    let since = snapshot.clock.gathered_at.duration_since(*at);
    let ran = proxy.main_process()?.age_ms >= 3_600_000;
    (since > SignedDuration::from_hours(1) && ran).then_some(Refusal::NotRenewed)
}

/// How long before its end the program begins to renew a token; none when it never does.
fn lead_of(file: &CredentialFile) -> Option<SignedDuration> {
    let name = canonical_provider(provider_of(file)?);
    let (_, minutes) = RENEWED.iter().find(|(renewed, _)| *renewed == name)?;
    Some(SignedDuration::from_mins(*minutes))
}

/// The file whose renewal the provider refused, by the service's log since its start. A line names
/// no file, so there must be one alone that is due; and no line since may tell that it was written.
fn refused_renewal(snapshot: &Snapshot) -> Option<(&str, Refusal<'_>)> {
    let log = service_of(snapshot, ServiceKind::Cliproxyapi)?
        .service
        .log
        .known()?;
    let at = log.lines.iter().rposition(|line| refuses_refresh(line))?;
    let mut due = snapshot
        .credentials
        .files
        .iter()
        .filter(|(_, file)| !is_unread(file, snapshot) && is_due(file, snapshot));
    let (path, _) = due.next().filter(|_| due.next().is_none())?;
    let name = path.rsplit('/').next()?;
    let since = &log.lines[at + 1..];
    let is_written = |line: &String| matches!(login_line(line), Some(LoginLine::FileChanged { name: written }) if written == name);
    if since.iter().any(is_written) {
        return None;
    }
    let refusal = Refusal::RefreshRefused {
        line: log.lines[at].as_str(),
        serves: since.iter().any(|line| proves_a_chat(line)),
    };
    Some((path, refusal))
}

/// Whether the program tries to renew a token now.
fn is_due(file: &CredentialFile, snapshot: &Snapshot) -> bool {
    let CredentialState::Parsed {
        expires_at,
        refreshable: true,
        disabled: false,
        ..
    } = &file.state
    else {
        return false;
    };
    let Some(lead) = lead_of(file) else {
        return false;
    };
    expires_at.is_none_or(|at| at.duration_since(snapshot.clock.gathered_at) <= lead)
}
