//! What the provider said of a login: refused for good, or used up for now.

use super::credential::{at_level, level_beside, login_fix, show_expiry};
use super::{CREDENTIAL_REJECTED, QUOTA_EXHAUSTED};
use crate::by_hand;
use crate::logins::{Refusal, is_unread, provider_of, refusal, serves_beside};
use crate::model::{
    AuthFileStatus, CredentialFile, Evidence, Finding, Fix, Severity, Subject, Verdict,
};
use crate::routes::canonical_provider;
use crate::shell;
use crate::state::View;

/// Finds logins that their provider refuses, and providers whose limit is reached.
pub fn look(proxy: View<'_>, verdict: &mut Verdict) {
    let snapshot = proxy.snapshot;
    let mut used_up: Vec<String> = Vec::new();
    for (path, file) in &snapshot.credentials.files {
        if is_unread(file, snapshot) {
            continue;
        }
        match refusal(path, file, snapshot) {
            Some(Refusal::Rejected(status)) => {
                verdict.push(rejected(proxy, path, file, status));
            }
            Some(Refusal::NotRenewed) => verdict.push(not_renewed(proxy, path, file)),
            Some(Refusal::UsedUp(status)) => {
                let provider = canonical_provider(provider_of(file).unwrap_or("codex"));
                if !used_up.contains(&provider) {
                    verdict.push(exhausted(proxy, &provider, status));
                    used_up.push(provider);
                }
            }
            None => {}
        }
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
    at_level(finding, level_beside(proxy.snapshot, provider)).fix(login_fix(proxy, provider))
}

fn not_renewed(proxy: View<'_>, path: &str, file: &CredentialFile) -> Finding {
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
    at_level(finding, level_beside(proxy.snapshot, provider)).fix(login_fix(proxy, provider))
}

fn exhausted(proxy: View<'_>, provider: &str, status: &AuthFileStatus) -> Finding {
    let snapshot = proxy.snapshot;
    let path = snapshot
        .credentials
        .files
        .keys()
        .find(|path| path.rsplit('/').next() == Some(status.name.as_str()))
        .map_or("", String::as_str);
    let mut finding = Finding::new(
        &QUOTA_EXHAUSTED,
        Subject::Provider(provider.into()),
        format!("the limit of {provider} is reached ({})", status.name),
        format!(
            "it says: {}",
            status.status_message.as_deref().unwrap_or_default()
        ),
    )
    .brief("its limit is reached")
    .evidence(status_row(proxy, status, path));
    if !serves_beside(snapshot, &status.name) {
        finding = finding.at(Severity::Error);
        finding.impact = crate::model::Impact::Outage;
    }
    finding.fix(Fix::manual(
        "wait-until",
        format!("wait until {provider} gives more, or log in with another account"),
        by_hand::login(proxy, provider).into_iter().collect(),
    ))
}
