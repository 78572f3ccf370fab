//! A token file that cannot be used: broken, or expired for good.

use jiff::Timestamp;

use super::{CREDENTIAL_BROKEN, CREDENTIAL_EXPIRED};
use crate::by_hand;
use crate::logins::{is_expired, is_unread, is_usable, provider_of, serves, usable_providers};
use crate::model::{
    CredentialFile, CredentialState, Evidence, Finding, Fix, Impact, Severity, Snapshot, Subject,
    Verdict,
};
use crate::routes::canonical_provider;
use crate::shell;
use crate::state::View;
use crate::words;

/// Finds broken and expired token files.
pub fn look(proxy: View<'_>, verdict: &mut Verdict) {
    for (path, file) in &proxy.snapshot.credentials.files {
        let found = match &file.state {
            CredentialState::Empty | CredentialState::NotJson { .. } | CredentialState::NoType => {
                Some(broken(proxy, path, file))
            }
            CredentialState::Parsed {
                refreshable,
                disabled,
                expires_at: Some(at),
                ..
            } if is_expired(file, proxy.snapshot) && !refreshable && !disabled => {
                Some(expired(proxy, path, file, *at))
            }
            CredentialState::Parsed { .. } | CredentialState::Unreadable { .. } => None,
        };
        if let Some(finding) = found {
            verdict.push(finding);
        }
    }
}

fn broken(proxy: View<'_>, path: &str, file: &CredentialFile) -> Finding {
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
    } else if usable_providers(snapshot).is_empty() {
        Severity::Error
    } else {
        Severity::Warning
    };
    let provider = name_in(path).unwrap_or_else(|| "codex".into());
    at_level(finding, level).fix(login_fix(proxy, &provider))
}

fn expired(proxy: View<'_>, path: &str, file: &CredentialFile, at: Timestamp) -> Finding {
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
        level_beside(snapshot, provider)
    };
    at_level(finding, level).fix(login_fix(proxy, provider))
}

/// This file is not usable, so whatever serves the provider is another credential.
fn another_serves(snapshot: &Snapshot, provider: &str) -> bool {
    let read = |file: &CredentialFile| {
        is_usable(file, snapshot)
            && !is_unread(file, snapshot)
            && provider_of(file).map(canonical_provider) == Some(canonical_provider(provider))
    };
    snapshot.credentials.files.values().any(read) || serves(snapshot, provider)
}

/// How bad it is that a credential of a provider is of no use.
pub fn level_beside(snapshot: &Snapshot, provider: &str) -> Severity {
    if another_serves(snapshot, provider) {
        Severity::Warning
    } else {
        Severity::Error
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

/// The provider that the name of a token file begins with: `codex-ana@example.com.json`.
fn name_in(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    [
        "github-copilot",
        "codex",
        "claude",
        "kiro",
        "qwen",
        "iflow",
        "antigravity",
        "gemini",
        "kimi",
    ]
    .into_iter()
    .find(|provider| name.starts_with(&format!("{provider}-")))
    .map(canonical_provider)
}

/// Logging in anew, with the program's own flag.
pub fn login_fix(proxy: View<'_>, provider: &str) -> Fix {
    let commands: Vec<String> = by_hand::login(proxy, provider).into_iter().collect();
    let title = if commands.is_empty() {
        format!("log in to {provider}")
    } else {
        format!("log in to {provider}; the running service reads the new token by itself")
    };
    Fix::manual("login", title, commands)
}
