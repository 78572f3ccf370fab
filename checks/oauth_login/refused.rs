//! What the provider said of a login: refused for good, or used up for now.

use jiff::Timestamp;

use super::credential::{Serving, at_level, login_fix, show_expiry};
use super::{CREDENTIAL_REJECTED, QUOTA_EXHAUSTED};
use crate::by_hand;
use crate::logins::{Logins, Refusal, is_unread, provider_of};
use crate::logs::chat_status;
use crate::model::{
    AuthFileStatus, CredentialFile, Evidence, Finding, Fix, Impact, Severity, Subject, Verdict,
};
use crate::routes::canonical_provider;
use crate::shell;
use crate::state::View;

/// Finds logins that their provider refuses, and providers whose limit is reached.
pub fn look(proxy: View<'_>, logins: &Logins<'_>, verdict: &mut Verdict) {
    let snapshot = proxy.snapshot;
    let serving = Serving::of(logins);
    let mut used_up: Vec<String> = Vec::new();
    for (path, file) in &snapshot.credentials.files {
        match logins.refusal(path) {
            Some(Refusal::Rejected(status)) => {
                verdict.push(rejected(proxy, path, file, status, &serving));
            }
            Some(Refusal::RefreshRefused { line, .. }) => {
                verdict.push(refresh_refused(proxy, path, file, line, &serving));
            }
            Some(Refusal::NotRenewed) => verdict.push(not_renewed(proxy, path, file, &serving)),
            Some(Refusal::UsedUp(status)) => {
                let provider = canonical_provider(provider_of(file).unwrap_or("codex"));
                if !used_up.contains(&provider) {
                    verdict.push(exhausted(proxy, &provider, status, logins));
                    used_up.push(provider);
                }
            }
            None => {}
        }
    }
    if used_up.is_empty() {
        verdict.findings.extend(limited(proxy, logins));
    }
}

fn words(status: &AuthFileStatus) -> String {
    let said = status.status_message.as_deref().unwrap_or("no words");
    format!("{}: {said}", status.status)
}

/// The answer in which the program says so, asked anew with the key that flowgate keeps.
fn status_row(proxy: View<'_>, status: &AuthFileStatus, path: &str) -> Evidence {
    let snapshot = proxy.snapshot;
    let address = proxy.address().unwrap_or_default();
    let url = by_hand::url(
        proxy.settings().scheme,
        &address,
        "/v0/management/auth-files",
    );
    let command = match &snapshot.credentials.management.key_from {
        Some(place) => by_hand::list_with_key(snapshot, place, &url),
        None => format!("ls -l {}", shell::path(snapshot, path)),
    };
    Evidence::new("auth-files", words(status), url)
        .expected("active")
        .command(command)
}

fn rejected(
    proxy: View<'_>,
    path: &str,
    file: &CredentialFile,
    status: &AuthFileStatus,
    serving: &Serving,
) -> Finding {
    let provider = provider_of(file).unwrap_or("codex");
    let finding = Finding::new(
        &CREDENTIAL_REJECTED,
        Subject::File(path.into()),
        format!("{provider} refuses the login in {path}"),
        format!(
            "it says: {}",
            status.status_message.as_deref().unwrap_or_default()
        ),
    )
    .brief("login refused by the provider")
    .evidence(status_row(proxy, status, path));
    at_level(finding, serving.level_beside(provider)).fix(login_fix(proxy, provider))
}

/// The program's own log of a renewal that the provider refused.
fn refresh_refused(
    proxy: View<'_>,
    path: &str,
    file: &CredentialFile,
    line: &str,
    serving: &Serving,
) -> Finding {
    let provider = provider_of(file).unwrap_or("codex");
    let log = proxy.service.log.known().map_or("", |log| &log.path);
    let finding = Finding::new(
        &CREDENTIAL_REJECTED,
        Subject::File(path.into()),
        format!("{provider} refuses to renew the login in {path}"),
        "its refresh token was revoked, or used by another program: each is good for one renewal",
    )
    .brief("login refused by the provider")
    .evidence(
        Evidence::new("log", line, log)
            .expected("no refusal since the file was written")
            .command(format!(
                "grep -F 'Token refresh attempt' {} | tail -n 3",
                shell::path(proxy.snapshot, log)
            )),
    );
    at_level(finding, serving.level_beside(provider)).fix(login_fix(proxy, provider))
}

fn not_renewed(proxy: View<'_>, path: &str, file: &CredentialFile, serving: &Serving) -> Finding {
    let provider = provider_of(file).unwrap_or("codex");
    let finding = Finding::new(
        &CREDENTIAL_REJECTED,
        Subject::File(path.into()),
        format!("the login to {provider} expired and {} did not renew it ({path})", proxy.name),
        "it ran all the hour since then and holds a refresh token, so the provider refuses that token",
    )
    .brief("login not renewed")
    .likely()
    .evidence(
        Evidence::new("token", "expired more than an hour ago", path)
            .expected("a later moment")
            .command(show_expiry(proxy.snapshot, path)),
    );
    at_level(finding, serving.level_beside(provider)).fix(login_fix(proxy, provider))
}

fn exhausted(
    proxy: View<'_>,
    provider: &str,
    status: &AuthFileStatus,
    logins: &Logins<'_>,
) -> Finding {
    let path = proxy
        .snapshot
        .credentials
        .files
        .keys()
        .find(|path| path.rsplit('/').next() == Some(status.name.as_str()))
        .map_or("", String::as_str);
    let until = status.next_retry_after.map(until);
    let lasts = until
        .as_ref()
        .map_or_else(String::new, |until| format!(" until {until}"));
    let finding = Finding::new(
        &QUOTA_EXHAUSTED,
        Subject::Provider(provider.into()),
        format!(
            "the limit of {provider} is reached{lasts} ({})",
            status.name
        ),
        format!(
            "it says: {}",
            status.status_message.as_deref().unwrap_or_default()
        ),
    )
    .evidence(status_row(proxy, status, path));
    let has_another = logins.serves_beside(&status.name);
    used_up(proxy, finding, provider, until, has_another)
}

/// The last chat in the log was answered 429, and the program does not say that it is over. Which
/// account it was is not said, so one provider alone must be in use.
fn limited(proxy: View<'_>, logins: &Logins<'_>) -> Option<Finding> {
    let snapshot = proxy.snapshot;
    let log = proxy.service.log.known()?;
    let line = log
        .lines
        .iter()
        .rev()
        .find(|line| chat_status(line).is_some())?;
    let providers = logins.providers();
    let [provider] = providers.as_slice() else {
        return None;
    };
    let says_active = snapshot
        .credentials
        .management
        .auth_files
        .known()
        .is_some_and(|files| {
            !files
                .iter()
                .any(|file| file.status == "error" || file.unavailable)
        });
    if chat_status(line) != Some(429) || says_active {
        return None;
    }
    let finding = Finding::new(
        &QUOTA_EXHAUSTED,
        Subject::Provider(canonical_provider(provider)),
        format!("the limit of {provider} is reached"),
        "the last request that it was asked was answered 429",
    )
    .evidence(
        Evidence::new("log", line.clone(), &log.path)
            .expected("200")
            .command(format!(
                "grep -F '| 429 |' {} | tail -n 3",
                shell::path(snapshot, &log.path)
            )),
    );
    let read = logins
        .usable()
        .filter(|(_, file)| !is_unread(file, snapshot));
    let has_another = read.count() > 1;
    Some(used_up(proxy, finding, provider, None, has_another))
}

/// An outage as soon as nothing else serves.
fn used_up(
    proxy: View<'_>,
    finding: Finding,
    provider: &str,
    until: Option<String>,
    has_another: bool,
) -> Finding {
    let mut finding = finding.brief("its limit is reached");
    if !has_another {
        finding = finding.at(Severity::Error);
        finding.impact = Impact::Outage;
    }
    let until = until.unwrap_or_else(|| format!("{provider} gives more"));
    finding.fix(Fix::manual(
        "wait-until",
        format!("wait until {until}, or log in with another account"),
        by_hand::login(proxy, provider).into_iter().collect(),
    ))
}

/// A moment to wait for: `15:30 UTC`, with its day when that is not told by the hour alone.
fn until(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
