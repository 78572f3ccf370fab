//! What follows from a snapshot about logins: which credential is usable, which login is wanted.

mod attempt;
mod refusal;
mod standing;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{
    AuthDirRole, ConfigState, CredentialFile, CredentialState, FileKind, Observed, ServiceKind,
    Snapshot, UnknownDatum,
};
use crate::routes::{Edition, canonical_provider, is_unsupported};
use crate::state::service_of;

pub use attempt::{
    FailedLogin, Failure, LoggedLogin, LoginEnd, Witness, failed_logins, last_logged,
};
pub use refusal::Refusal;
use refusal::refusals;
pub use standing::Standing;

/// The logins of a snapshot, and what stands between each and its use. Made once for a look at all.
pub struct Logins<'a> {
    snapshot: &'a Snapshot,
    edition: Edition,
    refusals: BTreeMap<&'a str, Refusal<'a>>,
    usable: Vec<(&'a str, &'a CredentialFile)>,
}

impl<'a> Logins<'a> {
    /// The logins of a snapshot.
    pub fn of(snapshot: &'a Snapshot) -> Self {
        let mut logins = Self {
            snapshot,
            edition: edition(snapshot),
            refusals: refusals(snapshot),
            usable: Vec::new(),
        };
        let files = snapshot.credentials.files.iter();
        logins.usable = files
            .filter(|(path, file)| logins.is_usable(path, file))
            .map(|(path, file)| (path.as_str(), file))
            .collect();
        logins
    }

    /// The snapshot.
    pub fn snapshot(&self) -> &'a Snapshot {
        self.snapshot
    }

    /// What stands between a token that parses and its use; none for one that the service does not
    /// read.
    pub fn refusal(&self, path: &str) -> Option<Refusal<'a>> {
        self.refusals.get(path).copied()
    }

    /// Whether a token file can be used: it parses, is not disabled, this build can use it, nobody
    /// refuses it, and it is not expired without a way to renew it.
    pub fn is_usable(&self, path: &str, file: &CredentialFile) -> bool {
        let CredentialState::Parsed {
            provider,
            refreshable,
            disabled,
            ..
        } = &file.state
        else {
            return false;
        };
        // CLIProxyAPIPlus 6.6.9 does not read `disabled` (`facts/real-stack.md`, Auth files).
        let is_off = *disabled && self.edition != Edition::Plus;
        let is_refused = self.refusals.get(path).is_some_and(Refusal::is_final);
        !is_off
            && !is_refused
            && !is_unsupported(provider, self.edition)
            && (*refreshable || !is_expired(file, self.snapshot))
    }

    /// The token files that can be used, in whichever dir.
    pub fn usable(&self) -> impl Iterator<Item = (&'a str, &'a CredentialFile)> {
        self.usable.iter().copied()
    }

    /// The providers with a usable credential, sorted, API-key providers by their kind.
    pub fn providers(&self) -> Vec<String> {
        let by_login = self.usable().filter_map(|(_, file)| provider_of(file));
        let by_key = &self.snapshot.credentials.api_key_providers;
        let mut names: Vec<String> = by_login
            .map(str::to_owned)
            .chain(by_key.iter().map(|provider| provider.kind.clone()))
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Whether a provider has a usable credential, by login or by API key.
    pub fn serves(&self, provider: &str) -> bool {
        let name = canonical_provider(provider);
        self.providers().iter().any(|usable| {
            canonical_provider(usable.strip_suffix("-api-key").unwrap_or(usable)) == name
        })
    }

    /// Whether a credential can be used beside the file of this name, and beside those whose limit
    /// is reached, too.
    pub fn serves_beside(&self, name: &str) -> bool {
        let is_another = |path: &str| path.rsplit('/').next() != Some(name);
        let is_limited = |path: &str| matches!(self.refusal(path), Some(Refusal::UsedUp(_)));
        !self.snapshot.credentials.api_key_providers.is_empty()
            || self.usable().any(|(path, file)| {
                is_another(path) && !is_unread(file, self.snapshot) && !is_limited(path)
            })
    }

    /// Whether a usable token of a provider, named as in flowgate.yaml, was written after a moment.
    fn has_newer(&self, provider: &str, than: Timestamp) -> bool {
        self.usable().any(|(_, file)| {
            provider_of(file).map(canonical_provider).as_deref() == Some(provider)
                && file.modified_at.is_some_and(|at| at > than)
        })
    }

    /// Whether a login of a configured provider is wanted: its last one failed and nothing newer is
    /// usable, or nobody serves at all. While another provider serves, one that was never logged in
    /// is no fault, and neither is what would hinder it.
    pub fn is_wanted(&self, provider: &str) -> bool {
        let is_configured = self.snapshot.credentials.providers.contains_key(provider);
        is_configured
            && (failed_logins(self)
                .iter()
                .any(|login| login.provider == provider)
                || self.providers().is_empty() && unseen(self.snapshot).is_empty())
    }
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
    Logins::of(snapshot).providers()
}

/// The provider of a token file, when it says.
pub fn provider_of(file: &CredentialFile) -> Option<&str> {
    match &file.state {
        CredentialState::Parsed { provider, .. } => Some(provider),
        _ => None,
    }
}

/// The provider that the name of a token file begins with: `codex-ana@example.com.json`.
pub fn provider_in_name(name: &str) -> Option<String> {
    const NAMES: [&str; 10] = [
        "github-copilot",
        "codex",
        "claude",
        "kiro",
        "qwen",
        "iflow",
        "antigravity",
        "gemini",
        "kimi",
        "xai",
    ];
    let is_begun = |provider: &&str| {
        name.strip_prefix(*provider)
            .is_some_and(|rest| rest.starts_with('-'))
    };
    NAMES.into_iter().find(is_begun).map(canonical_provider)
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

/// Whether a login of a configured provider is wanted.
pub fn is_wanted(snapshot: &Snapshot, provider: &str) -> bool {
    Logins::of(snapshot).is_wanted(provider)
}

/// Whether any login is wanted.
pub fn is_any_wanted(snapshot: &Snapshot) -> bool {
    let logins = Logins::of(snapshot);
    let mut configured = snapshot.credentials.providers.keys();
    configured.any(|provider| logins.is_wanted(provider))
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
