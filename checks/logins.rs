//! What follows from a snapshot about logins: which credential is usable, which login is wanted.

use jiff::SignedDuration;

use crate::model::{
    AuthDirRole, AuthFileStatus, ConfigState, CredentialFile, CredentialState, FileKind, Observed,
    ServiceKind, Snapshot, UnknownDatum,
};
use crate::routes::{Edition, canonical_provider};
use crate::state::service_of;

/// Whether a token file can be used: it parses, is not disabled, and is not expired without a way to renew it.
pub fn is_usable(file: &CredentialFile, snapshot: &Snapshot) -> bool {
    match &file.state {
        CredentialState::Parsed {
            refreshable,
            disabled,
            ..
        } => {
            // CLIProxyAPIPlus 6.6.9 does not read `disabled` (`facts/real-stack.md`, Auth files).
            let is_off = *disabled && edition(snapshot) != Edition::Plus;
            !is_off && (*refreshable || !is_expired(file, snapshot)) && !is_refused(file, snapshot)
        }
        _ => false,
    }
}

/// How a provider does not let a token be used.
pub enum Refusal<'a> {
    /// It refused the token, in these words.
    Rejected(&'a AuthFileStatus),
    /// Its limit is reached.
    UsedUp(&'a AuthFileStatus),
    /// It expired an hour ago, and the service, which ran all that hour, could not renew it.
    NotRenewed,
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

/// Providers whose tokens the program renews by itself, well before they expire
/// (`facts/cliproxyapi.md` 5.3).
const RENEWED: [&str; 6] = ["codex", "claude", "qwen", "iflow", "antigravity", "kiro"];

/// What stands between a token that parses and its use, by the words of the provider, else by its
/// age. An error of the network is none: the program tries again.
pub fn refusal<'a>(
    path: &str,
    file: &CredentialFile,
    snapshot: &'a Snapshot,
) -> Option<Refusal<'a>> {
    let CredentialState::Parsed {
        provider,
        expires_at,
        refreshable,
        disabled: false,
        ..
    } = &file.state
    else {
        return None;
    };
    let name = path.rsplit('/').next()?;
    let statuses = snapshot.credentials.management.auth_files.known();
    let status = statuses
        .into_iter()
        .flatten()
        .find(|status| status.name == name && status.status == "error");
    if let Some(status) = status {
        let said = status
            .status_message
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
        if says(&USED_UP) {
            return Some(Refusal::UsedUp(status));
        }
        if says(&REFUSED) {
            return Some(Refusal::Rejected(status));
        }
    }
    let proxy = service_of(snapshot, ServiceKind::Cliproxyapi)?;
    let hour = SignedDuration::from_hours(1);
    let since = snapshot.clock.gathered_at.duration_since((*expires_at)?);
    let ran = proxy.main_process()?.age_ms >= 3_600_000;
    let is_renewed = RENEWED.contains(&canonical_provider(provider).as_str());
    (*refreshable && is_renewed && since > hour && ran).then_some(Refusal::NotRenewed)
}

/// Whether the provider refuses a token, so that it is of no use.
fn is_refused(file: &CredentialFile, snapshot: &Snapshot) -> bool {
    let mut files = snapshot.credentials.files.iter();
    files
        .find(|(_, known)| std::ptr::eq(*known, file))
        .is_some_and(|(path, _)| {
            !is_unread(file, snapshot)
                && matches!(
                    refusal(path, file, snapshot),
                    Some(Refusal::Rejected(_) | Refusal::NotRenewed)
                )
        })
}

/// Whether a credential can be used beside the file of this name, and beside those whose limit is
/// reached, too.
pub fn serves_beside(snapshot: &Snapshot, name: &str) -> bool {
    let credentials = &snapshot.credentials;
    !credentials.api_key_providers.is_empty()
        || credentials.files.iter().any(|(path, file)| {
            path.rsplit('/').next() != Some(name)
                && is_usable(file, snapshot)
                && !is_unread(file, snapshot)
                && !matches!(refusal(path, file, snapshot), Some(Refusal::UsedUp(_)))
        })
}

/// Whether the moment at which a token expires has passed; never for a file that names none.
pub fn is_expired(file: &CredentialFile, snapshot: &Snapshot) -> bool {
    match &file.state {
        CredentialState::Parsed { expires_at, .. } => {
            expires_at.is_some_and(|at| at <= snapshot.clock.gathered_at)
        }
        _ => false,
    }
}

/// The providers with a usable credential, sorted, API-key providers by their kind.
pub fn usable_providers(snapshot: &Snapshot) -> Vec<String> {
    let mut names: Vec<String> = snapshot
        .credentials
        .files
        .values()
        .filter(|file| is_usable(file, snapshot))
        .filter_map(|file| provider_of(file).map(str::to_owned))
        .chain(
            snapshot
                .credentials
                .api_key_providers
                .iter()
                .map(|provider| provider.kind.clone()),
        )
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The provider of a token file, when it says.
pub fn provider_of(file: &CredentialFile) -> Option<&str> {
    match &file.state {
        CredentialState::Parsed { provider, .. } => Some(provider),
        _ => None,
    }
}

/// Whether a provider has a usable credential, by login or by API key.
pub fn serves(snapshot: &Snapshot, provider: &str) -> bool {
    let name = canonical_provider(provider);
    usable_providers(snapshot)
        .iter()
        .any(|usable| canonical_provider(usable.strip_suffix("-api-key").unwrap_or(usable)) == name)
}

/// The providers of flowgate.yaml in its order.
pub fn configured(snapshot: &Snapshot) -> Vec<&str> {
    let line = |entry: &str| {
        snapshot
            .configs
            .flowgate
            .entries
            .iter()
            .filter(|(path, _)| {
                path.strip_prefix(entry)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
            .map(|(_, found)| found.position)
            .min()
    };
    let providers = &snapshot.credentials.providers;
    let mut names: Vec<_> = providers
        .iter()
        .map(|(name, provider)| (line(&provider.entry), name.as_str()))
        .collect();
    names.sort();
    names.into_iter().map(|(_, name)| name).collect()
}

/// Whether a login of a configured provider is wanted: its last one failed and nothing newer is
/// usable, or nobody serves at all. While another provider serves, one that was never logged in
/// is no fault, and neither is what would hinder it.
pub fn is_wanted(snapshot: &Snapshot, provider: &str) -> bool {
    snapshot.credentials.providers.contains_key(provider)
        && (last_failed(snapshot, provider)
            || usable_providers(snapshot).is_empty() && unseen(snapshot).is_empty())
}

/// Whether any login is wanted.
pub fn is_any_wanted(snapshot: &Snapshot) -> bool {
    snapshot
        .credentials
        .providers
        .keys()
        .any(|provider| is_wanted(snapshot, provider))
}

/// Whether the last login of a provider failed, and no usable token of it is newer.
fn last_failed(snapshot: &Snapshot, provider: &str) -> bool {
    let name = canonical_provider(provider);
    let Some(event) = snapshot.credentials.last_logins.get(provider) else {
        return false;
    };
    let is_newer = |file: &CredentialFile| {
        is_usable(file, snapshot)
            && provider_of(file).map(canonical_provider) == Some(name.clone())
            && file.modified_at.is_some_and(|at| at > event.at)
    };
    event.result == "failed" && !snapshot.credentials.files.values().any(is_newer)
}

/// What the running build is, by the version in its answers, else by the banner in its log.
pub fn edition(snapshot: &Snapshot) -> Edition {
    let banner = || {
        let log = service_of(snapshot, ServiceKind::Cliproxyapi)?
            .service
            .log
            .known()?;
        log.lines.iter().find_map(|line| {
            let (_, rest) = line.split_once("CLIProxyAPI Version: ")?;
            rest.split(',').next().map(str::to_owned)
        })
    };
    snapshot
        .credentials
        .management
        .version
        .clone()
        .or_else(banner)
        .map_or(Edition::Unknown, |version| Edition::of_version(&version))
}

/// Whether a file lies in a dir that the service is known not to read.
pub fn is_unread(file: &CredentialFile, snapshot: &Snapshot) -> bool {
    let dirs = &snapshot.credentials.auth_dirs;
    file.dir == AuthDirRole::Flowgate && dirs.iter().any(|dir| dir.role == AuthDirRole::Service)
}

/// Why not every credential could be looked at; empty when all were. What cannot be read is
/// unknown, not absent.
pub fn unseen(snapshot: &Snapshot) -> Vec<UnknownDatum> {
    let credentials = &snapshot.credentials;
    let look = {
        let sudo = if snapshot.host.user.uid == 0 {
            ""
        } else {
            "sudo "
        };
        format!("{sudo}{} doctor --check oauth-login", snapshot.tool.command)
    };
    let unknown = |why: String| UnknownDatum {
        what: "logins".into(),
        why,
        command: Some(look.clone()),
        optional: false,
    };
    let mut found = Vec::new();
    let config = &snapshot.configs.cliproxyapi;
    match &config.state {
        ConfigState::Unreadable { why } => found.push(unknown(format!("{}: {why}", config.path))),
        ConfigState::Invalid { message, .. } => found.push(UnknownDatum {
            command: None,
            ..unknown(format!("{} cannot be parsed: {message}", config.path))
        }),
        ConfigState::NotLooked | ConfigState::Loaded | ConfigState::Missing => {}
    }
    for dir in &credentials.auth_dirs {
        let is_read = dir.role == AuthDirRole::Service || credentials.auth_dirs.len() == 1;
        if let (true, Some(reason)) = (is_read, dir.listing.why_unknown()) {
            found.push(unknown(format!("{}: {}", dir.path, reason.why)));
        }
        // So many files are read of one dir at most.
        let is_in = |path: &&String| path.rsplit_once('/').map(|(dir, _)| dir) == Some(&dir.path);
        let read = credentials.files.keys().filter(is_in).count();
        let listed = dir.listing.known().copied().unwrap_or_default();
        if is_read && u32::try_from(read).is_ok_and(|read| read < listed) {
            found.push(unknown(format!(
                "{}: {read} of its {listed} token files were read",
                dir.path
            )));
        }
    }
    let leads_nowhere = |path: &str| {
        let facts = snapshot.files.get(path).and_then(Observed::known);
        facts.is_some_and(|facts| matches!(facts.kind, FileKind::Symlink { found: false, .. }))
    };
    for (path, file) in &credentials.files {
        if leads_nowhere(path) {
            continue;
        }
        if let (CredentialState::Unreadable { why }, false) =
            (&file.state, is_unread(file, snapshot))
        {
            found.push(unknown(format!("{path}: {why}")));
        }
    }
    found
}
