//! Nobody is logged in.

use super::NO_CREDENTIAL;
use super::credential::login_fix;
use crate::by_hand;
use crate::logins::{Logins, configured, provider_of, unseen};
use crate::model::{AuthDirRole, Evidence, Finding, Severity, Snapshot, Subject, Verdict};
use crate::routes::canonical_provider;
use crate::shell;
use crate::state::View;
use crate::words;

/// Finds that no credential is usable, or that one of several providers was never logged in.
pub fn look(proxy: View<'_>, logins: &Logins<'_>, verdict: &mut Verdict) {
    let snapshot = proxy.snapshot;
    let configured = configured(snapshot);
    let usable = logins.providers();
    if usable.is_empty() {
        if unseen(snapshot).is_empty() {
            let provider = configured.first().copied().unwrap_or("codex");
            verdict.push(nobody(proxy, provider));
        }
        return;
    }
    for provider in configured {
        if !logins.serves(provider) && !has_file(snapshot, provider) {
            verdict.push(never(proxy, provider, &usable));
        }
    }
}

/// Whether a token file of the provider is there, whatever its state; that has its own finding.
fn has_file(snapshot: &Snapshot, provider: &str) -> bool {
    let name = canonical_provider(provider);
    snapshot
        .credentials
        .files
        .values()
        .any(|file| provider_of(file).map(canonical_provider) == Some(name.clone()))
}

fn nobody(proxy: View<'_>, provider: &str) -> Finding {
    let snapshot = proxy.snapshot;
    let config = &snapshot.configs.cliproxyapi;
    let count = snapshot.credentials.files.len();
    let cause = match dir(snapshot) {
        None => format!(
            "there is no auth dir, and {} has no API-key provider",
            config.path
        ),
        Some(dir) if count == 0 => {
            format!(
                "{dir} holds no token, and {} no API-key provider",
                config.path
            )
        }
        Some(dir) => format!(
            "{} in {dir}, none of use, and {} has no API-key provider",
            words::count(count, "token file"),
            config.path
        ),
    };
    let mut finding = Finding::new(
        &NO_CREDENTIAL,
        Subject::Provider(provider.into()),
        "no login: there is no credential that can be used",
        cause,
    )
    .brief("no login");
    finding.evidence.extend(dir_row(snapshot));
    finding
        .evidence(
            Evidence::new("config", "no API-key provider", &config.path).command(format!(
                "grep -nE '^ *\"?([a-z]+-api-key|openai-compatibility)\"? *:' {} | cut -d: -f1,2",
                shell::path(snapshot, &config.path)
            )),
        )
        .fix(login_fix(proxy, provider))
}

fn never(proxy: View<'_>, provider: &str, usable: &[String]) -> Finding {
    let snapshot = proxy.snapshot;
    let entry = snapshot
        .credentials
        .providers
        .get(provider)
        .map(|found| found.entry.clone())
        .unwrap_or_default();
    let config = &snapshot.configs.flowgate;
    let key = format!("{entry}.auth_url_endpoint");
    let mut finding = Finding::new(
        &NO_CREDENTIAL,
        Subject::Provider(provider.into()),
        format!("{provider} is configured and was never logged in"),
        format!("{} serves meanwhile", words::list(usable)),
    )
    .at(Severity::Info)
    .brief("never logged in")
    .evidence(
        Evidence::new(
            "config",
            format!("{entry} is configured"),
            config.place(&key),
        )
        .command(by_hand::show_entry(snapshot, config, &key)),
    );
    finding.evidence.extend(dir_row(snapshot));
    finding.fix(login_fix(proxy, provider))
}

/// The auth dir that counts: that of the service, where it is known.
fn dir(snapshot: &Snapshot) -> Option<&str> {
    let all = &snapshot.credentials.auth_dirs;
    let own = all.iter().find(|dir| dir.role == AuthDirRole::Service);
    own.or(all.first()).map(|dir| dir.path.as_str())
}

fn dir_row(snapshot: &Snapshot) -> Option<Evidence> {
    let dir = dir(snapshot)?;
    let files = &snapshot.credentials.files;
    let mut providers: Vec<&str> = files.values().filter_map(provider_of).collect();
    providers.sort_unstable();
    providers.dedup();
    let seen = match (files.len(), providers.as_slice()) {
        (0, _) => "no token file".to_owned(),
        (count, []) => format!("{}, no token among them", words::count(count, "file")),
        (_, some) => format!("tokens of {}", words::list(some)),
    };
    let row = Evidence::new("auth dir", seen, dir)
        .expected("a token that can be used")
        .command(format!("ls -l {}", shell::path(snapshot, dir)));
    Some(row)
}
