//! The logins of the gateway, one by one: what the doctor knows of each.

use std::path::PathBuf;
use std::time::Duration;

use flowgate_checks::logins::{Logins, Standing, provider_in_name};
use flowgate_checks::model::{
    CredentialFile, CredentialState, LoginEvent, Observed, Policy, Snapshot,
};
use flowgate_checks::routes::canonical_provider;
use flowgate_checks::words;
use jiff::Timestamp;
use serde::Serialize;

use super::look::{DoctorError, Source, see};
use super::permissions::issues_in;
use crate::gather::Request;
use crate::gather::underway::Underway;

/// Bound of the look.
const TIMEOUT: Duration = Duration::from_secs(5);

/// One login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Its provider, as flowgate.yaml would name it; none where its file does not tell.
    pub provider: Option<String>,
    /// Whose it is, shortened: `an…@example.com`.
    pub account: Option<String>,
    /// Its file, as shown.
    pub file: String,
    /// How it stands, in one word: `usable`, `expired`, `refused`.
    pub state: &'static str,
    /// When it expires, where the file says so.
    pub expires_at: Option<Timestamp>,
    /// The same in words: `in 6 days`.
    pub expiry: String,
    /// Whether the program renews it by itself.
    pub refreshable: bool,
    /// Permission bits in octal.
    pub mode: Option<String>,
    /// The last login to its provider, by the event log.
    pub last_login: Option<LastLogin>,
    #[serde(skip)]
    standing: Standing,
}

/// The last `oauth_login` event of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastLogin {
    /// When.
    pub at: Timestamp,
    /// `success` or `failed`.
    pub result: String,
    /// Its detail, redacted.
    pub detail: Option<String>,
}

impl Account {
    /// How it stands.
    pub fn standing(&self) -> Standing {
        self.standing
    }
}

/// The logins of a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// In the order of their files.
    pub accounts: Vec<Account>,
    /// The last login of each provider, those without a token too.
    pub last_logins: Vec<(String, LastLogin)>,
    /// As `status` counts them; none when nobody could look.
    pub permission_issues: Option<usize>,
    /// What the doctor says of the logins, worst first: `no login: …`.
    pub findings: Vec<String>,
    /// When this was looked at.
    pub at: Timestamp,
}

/// Looks at the logins as the doctor does. Nothing is written.
///
/// # Errors
/// [`DoctorError`], when there is nothing to go on.
pub fn accounts(config: Option<PathBuf>) -> Result<Accounts, DoctorError> {
    let request = Request {
        config,
        policy: Policy::default(),
        timeout: TIMEOUT,
    };
    let seen = see(Source::Machine(request), None, &Underway::default())?;
    Ok(read(&seen.snapshot))
}

/// What a snapshot says of its logins.
pub fn read(snapshot: &Snapshot) -> Accounts {
    let logins = Logins::of(snapshot);
    let files = snapshot.credentials.files.iter();
    let mut findings: Vec<_> = flowgate_checks::diagnose::diagnose(snapshot)
        .findings
        .into_iter()
        .filter(|finding| finding.spec.id.starts_with("oauth-login/") && finding.is_root())
        .collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Accounts {
        accounts: files
            .map(|(path, file)| account(path, file, &logins))
            .collect(),
        last_logins: snapshot
            .credentials
            .last_logins
            .iter()
            .map(|(provider, event)| (provider.clone(), last_login(event)))
            .collect(),
        permission_issues: issues_in(snapshot),
        findings: findings
            .into_iter()
            .map(|finding| finding.symptom)
            .collect(),
        at: snapshot.clock.gathered_at,
    }
}

fn account(path: &str, file: &CredentialFile, logins: &Logins<'_>) -> Account {
    let snapshot = logins.snapshot();
    let (provider, account, expires_at, refreshable) = match &file.state {
        CredentialState::Parsed {
            provider,
            account,
            expires_at,
            refreshable,
            ..
        } => (
            Some(provider.clone()),
            account.clone(),
            *expires_at,
            *refreshable,
        ),
        _ => {
            let name = path.rsplit('/').next().unwrap_or(path);
            (provider_in_name(name), None, None, false)
        }
    };
    let standing = logins.standing(path, file);
    Account {
        expiry: expiry(expires_at, refreshable, snapshot.clock.gathered_at),
        last_login: provider
            .as_deref()
            .and_then(|provider| of_provider(snapshot, provider)),
        mode: match snapshot.files.get(path) {
            Some(Observed::Known(facts)) => Some(facts.mode.to_string()),
            _ => None,
        },
        provider,
        account,
        file: path.to_owned(),
        state: standing.word(),
        expires_at,
        refreshable,
        standing,
    }
}

fn of_provider(snapshot: &Snapshot, provider: &str) -> Option<LastLogin> {
    let mut logins = snapshot.credentials.last_logins.iter();
    logins
        .find(|(name, _)| canonical_provider(name) == provider)
        .map(|(_, event)| last_login(event))
}

fn last_login(event: &LoginEvent) -> LastLogin {
    LastLogin {
        at: event.at,
        result: event.result.clone(),
        detail: event.detail.clone(),
    }
}

/// When a login ends, for people: what renews itself has no end of its own.
fn expiry(at: Option<Timestamp>, refreshable: bool, now: Timestamp) -> String {
    let Some(at) = at else {
        return "names none".into();
    };
    let ms = at.as_millisecond().abs_diff(now.as_millisecond());
    let when = if at > now {
        format!("in {}", words::age(ms))
    } else {
        format!("{} ago", words::age(ms))
    };
    if refreshable {
        format!("{when}, renews itself")
    } else {
        when
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_in_words() {
        let now: Timestamp = "2026-11-23T14:30:00Z".parse().unwrap();
        let at = |text: &str| text.parse().ok();
        assert_eq!(
            expiry(at("2026-11-30T14:30:00Z"), true, now),
            "in 7 days, renews itself"
        );
        assert_eq!(expiry(at("2026-11-23T11:30:00Z"), false, now), "3 h ago");
        assert_eq!(expiry(None, false, now), "names none");
    }
}
