//! A token file that cannot be used: broken, or expired for good.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{CREDENTIAL_BROKEN, CREDENTIAL_EXPIRED};
use crate::by_hand;
use crate::logins::{Logins, is_expired, is_unread, provider_in_name, provider_of};
use crate::model::{
    CredentialFile, CredentialState, Evidence, Finding, Fix, Impact, Severity, Snapshot, Subject,
    Verdict,
};
use crate::routes::canonical_provider;
use crate::shell;
use crate::state::View;
use crate::words;

/// Finds broken and expired token files.
pub fn look(proxy: View<'_>, logins: &Logins<'_>, verdict: &mut Verdict) {
    let serving = Serving::of(logins);
    for (path, file) in &proxy.snapshot.credentials.files {
        let found = match &file.state {
            CredentialState::Empty | CredentialState::NotJson { .. } | CredentialState::NoType => {
                Some(broken(proxy, path, file, &serving))
            }
            CredentialState::Parsed {
                refreshable,
                disabled,
                expires_at: Some(at),
                ..
            } if is_expired(file, proxy.snapshot) && !refreshable && !disabled => {
                Some(expired(proxy, path, file, *at, &serving))
            }
            CredentialState::Parsed { .. } | CredentialState::Unreadable { .. } => None,
        };
        if let Some(finding) = found {
            verdict.push(finding);
        }
    }
}

fn broken(proxy: View<'_>, path: &str, file: &CredentialFile, serving: &Serving) -> Finding {
    let snapshot = proxy.snapshot;
    let word = shell::path(snapshot, path);
    let (seen, command) = match &file.state {
        CredentialState::Empty => ("it is empty".to_owned(), format!("ls -l {word}")),
        CredentialState::NotJson { at } => (
            format!("it stops being JSON at {at}"),
            format!("python3 -m json.tool < {word} > /dev/null"),
        ),
        _ => (
            "it has no type".into(),
            format!(r#"grep -o '"type" *: *"[^"]*"' {word}"#),
        ),
    };
    let finding = Finding::new(
        &CREDENTIAL_BROKEN,
        Subject::File(path.into()),
        format!("{path} is no token: {seen}"),
        format!("{} leaves it out, though its log counts it", proxy.name),
    )
    .brief("broken token file")
    .evidence(
        Evidence::new("token", seen, path)
            .expected("a JSON object with type and tokens")
            .command(command),
    );
    let level = if is_unread(file, snapshot) {
        Severity::Info
    } else if serving.0.is_empty() {
        Severity::Error
    } else {
        Severity::Warning
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    let provider = provider_in_name(name).unwrap_or_else(|| "codex".into());
    at_level(finding, level).fix(login_fix(proxy, &provider))
}

fn expired(
    proxy: View<'_>,
    path: &str,
    file: &CredentialFile,
    at: Timestamp,
    serving: &Serving,
) -> Finding {
    let snapshot = proxy.snapshot;
    let provider = provider_of(file).unwrap_or("codex");
    let ms = snapshot.clock.gathered_at.as_millisecond() - at.as_millisecond();
    let ago = words::age(u64::try_from(ms).unwrap_or(0));
    let finding = Finding::new(
        &CREDENTIAL_EXPIRED,
        Subject::File(path.into()),
        format!("the login to {provider} expired {ago} ago ({path})"),
        "it holds no refresh token, so nothing renews it",
    )
    .brief("login expired")
    .evidence(
        Evidence::new("token", format!("expired at {at}"), path)
            .expected("a later moment, or a refresh token")
            .command(show_expiry(snapshot, path)),
    );
    let level = if is_unread(file, snapshot) {
        Severity::Info
    } else {
        serving.level_beside(provider)
    };
    at_level(finding, level).fix(login_fix(proxy, provider))
}

/// The providers that serve, whatever the rest is worth.
pub struct Serving(BTreeSet<String>);

impl Serving {
    /// Those of the tokens that the service reads, and of API keys.
    pub fn of(logins: &Logins<'_>) -> Self {
        let by_key = &logins.snapshot().credentials.api_key_providers;
        let by_key = by_key.iter().map(|provider| {
            provider
                .kind
                .strip_suffix("-api-key")
                .unwrap_or(&provider.kind)
        });
        let by_login = logins
            .usable()
            .filter(|(_, file)| !is_unread(file, logins.snapshot()))
            .filter_map(|(_, file)| provider_of(file));
        Self(by_login.chain(by_key).map(canonical_provider).collect())
    }

    /// How bad it is that a credential of a provider is of no use: that one is not usable, so whatever
    /// serves the provider is another.
    pub fn level_beside(&self, provider: &str) -> Severity {
        if self.0.contains(&canonical_provider(provider)) {
            Severity::Warning
        } else {
            Severity::Error
        }
    }
}

/// The command that shows when a token file expires, and nothing else of it.
pub fn show_expiry(snapshot: &Snapshot, path: &str) -> String {
    format!(
        r#"grep -oE '"(expired?|expires(_at|At)?|expiry)" *: *"?[^",}}]*' {}"#,
        shell::path(snapshot, path)
    )
}

/// A finding at a level; a warning is a risk.
pub fn at_level(mut finding: Finding, level: Severity) -> Finding {
    if level == Severity::Warning {
        finding.impact = Impact::Risk;
    }
    finding.at(level)
}

/// Logging in anew.
pub fn login_fix(proxy: View<'_>, provider: &str) -> Fix {
    let commands: Vec<String> = by_hand::login(proxy, provider).into_iter().collect();
    let title = if commands.is_empty() {
        format!("log in to {provider}")
    } else {
        format!("log in to {provider}; the running service reads the new token by itself")
    };
    Fix::manual("login", title, commands)
}
