//! The last login of each provider, where it did not end well: by the events that flowgate wrote,
//! and by the log of the service since its start.

use jiff::SignedDuration;

use super::{Logins, configured, provider_of};
use crate::logs::{LoginLine, asks_for_a_login, begins_a_login, login_line};
use crate::model::{LogTail, LoginEvent, ServiceKind, Snapshot};
use crate::routes::canonical_provider;
use crate::state::service_of;

/// No login takes longer, from its address to its token (`facts/cliproxyapi.md` 4.5).
const LONGEST_LOGIN: SignedDuration = SignedDuration::from_mins(15);

/// How a login did not end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nobody came back in time.
    TimedOut,
    /// It was refused or went wrong.
    Failed,
    /// It was called a success, and no token is there.
    NotSaved,
}

/// Who tells of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness<'a> {
    /// The last `oauth_login` event.
    Event(&'a LoginEvent),
    /// A line of the service's log.
    Line(&'a str),
}

/// A login that did not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedLogin<'a> {
    /// The provider, as flowgate.yaml names it where it does.
    pub provider: String,
    /// How.
    pub failure: Failure,
    /// Who tells.
    pub witness: Witness<'a>,
}

/// How the last login in a log ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedLogin<'a> {
    /// Its provider; none where its beginning is not in view.
    pub provider: Option<String>,
    /// How it ended.
    pub end: LoginEnd<'a>,
    /// The line that says so.
    pub line: &'a str,
}

/// How a login in a log ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginEnd<'a> {
    /// A token was written to this file.
    Saved(&'a str),
    /// It did not end well.
    Failed(Failure),
}

/// The last login in the log of the service; none while one is under way, and where a token was
/// written after one that failed.
pub fn last_logged(log: &LogTail) -> Option<LoggedLogin<'_>> {
    let mut last: Option<LoggedLogin<'_>> = None;
    // The provider of the login under way, and whether its browser came back.
    let mut begun: Option<(String, bool)> = None;
    for line in &log.lines {
        match login_line(line) {
            Some(LoginLine::Begun { provider }) => {
                last = None;
                begun = Some((provider, false));
            }
            Some(LoginLine::CameBack) => {
                if let Some((_, came_back)) = &mut begun {
                    *came_back = true;
                }
            }
            Some(LoginLine::Saved { path }) => {
                last = Some(LoggedLogin {
                    provider: begun.take().map(|(provider, _)| provider),
                    end: LoginEnd::Saved(path),
                    line,
                });
            }
            Some(told @ (LoginLine::TimedOut | LoginLine::Failed { .. })) => {
                // Without a beginning since the last end it is an older one that was given up.
                if begun.is_none() && last.is_some() {
                    continue;
                }
                let came_back = begun.as_ref().is_some_and(|(_, came_back)| *came_back);
                let failure = match told {
                    LoginLine::TimedOut if came_back => Failure::NotSaved,
                    LoginLine::TimedOut => Failure::TimedOut,
                    _ => Failure::Failed,
                };
                last = Some(LoggedLogin {
                    provider: begun.take().map(|(provider, _)| provider),
                    end: LoginEnd::Failed(failure),
                    line,
                });
            }
            Some(LoginLine::FileChanged { name }) => {
                last = last.filter(|login| {
                    !matches!(login.end, LoginEnd::Failed(_)) || !is_named_after(name, login)
                });
            }
            None => {}
        }
    }
    last
}

/// Whether a token file may be that of a login, by its name: `codex-ana@example.com.json`.
fn is_named_after(name: &str, login: &LoggedLogin<'_>) -> bool {
    let of_login = login.provider.as_deref();
    match (super::provider_in_name(name), of_login) {
        (Some(named), Some(provider)) => named == provider,
        _ => true,
    }
}

/// The last logins that did not end well, one for each provider and failure.
pub fn failed_logins<'a>(logins: &Logins<'a>) -> Vec<FailedLogin<'a>> {
    let snapshot = logins.snapshot;
    let log =
        service_of(snapshot, ServiceKind::Cliproxyapi).and_then(|proxy| proxy.service.log.known());
    let logged = log.and_then(last_logged);
    let mut found: Vec<FailedLogin<'a>> = Vec::new();
    if let Some(login) = &logged
        && let LoginEnd::Failed(failure) = login.end
    {
        let provider = name_of(snapshot, login.provider.as_deref(), logins);
        if failure != Failure::Failed || !is_given_up(&provider, logins) {
            found.push(FailedLogin {
                provider,
                failure,
                witness: Witness::Line(login.line),
            });
        }
    } else if let (None, Some(line)) = (&logged, log.and_then(|log| lost(log, snapshot))) {
        found.push(FailedLogin {
            provider: name_of(snapshot, None, logins),
            failure: Failure::NotSaved,
            witness: Witness::Line(line),
        });
    }
    let is_told = |provider: &str| {
        let told = found
            .iter()
            .any(|login| login.provider == provider && login.failure != Failure::NotSaved);
        // A login of which the log names the file was saved, wherever that is.
        let is_saved = matches!(&logged, Some(LoggedLogin { end: LoginEnd::Saved(_), provider: saved, .. })
            if saved.as_deref().is_none_or(|saved| saved == canonical_provider(provider)));
        told || is_saved
    };
    let by_events: Vec<_> = snapshot
        .credentials
        .last_logins
        .iter()
        .filter(|(provider, _)| !is_told(provider))
        .filter_map(|(provider, event)| {
            Some(FailedLogin {
                provider: provider.clone(),
                failure: told_by(event, provider, logins)?,
                witness: Witness::Event(event),
            })
        })
        .collect();
    for login in by_events {
        let is_known = |known: &FailedLogin<'_>| {
            known.provider == login.provider && known.failure == login.failure
        };
        if !found.iter().any(is_known) {
            found.push(login);
        }
    }
    found
}

/// The line in which somebody asks for a login that this run of the service never began: it was
/// restarted meanwhile, and older builds answer `ok` to that (`facts/cliproxyapi.md` 4.4).
fn lost<'a>(log: &'a LogTail, snapshot: &Snapshot) -> Option<&'a str> {
    if log.cut || log.lines.iter().any(|line| begins_a_login(line)) {
        return None;
    }
    let line = log.lines.iter().find(|line| asks_for_a_login(line))?;
    let proxy = service_of(snapshot, ServiceKind::Cliproxyapi)?;
    let started_at = proxy.service.run.as_ref()?.started_at?;
    let is_saved = snapshot
        .credentials
        .files
        .values()
        .any(|file| file.modified_at.is_some_and(|at| at >= started_at));
    (!is_saved).then_some(line)
}

/// Whether flowgate gave the last login up because nobody came back: it ends such a login as a refusal,
/// which the log then tells as one.
fn is_given_up(provider: &str, logins: &Logins<'_>) -> bool {
    let event = logins.snapshot.credentials.last_logins.get(provider);
    event.is_some_and(|event| told_by(event, provider, logins) == Some(Failure::TimedOut))
}

/// What an event says of the last login of a provider; none when that ended well, or a newer token
/// of it can be used.
fn told_by(event: &LoginEvent, provider: &str, logins: &Logins<'_>) -> Option<Failure> {
    let detail = event.detail.as_deref().unwrap_or_default();
    let said = detail.to_ascii_lowercase();
    let name = canonical_provider(provider);
    if event.result == "success" {
        // An event that names the file was written when the file was there.
        let is_seen = said.contains("file=");
        let is_configured = logins.snapshot.credentials.providers.contains_key(provider);
        let since = event.at.checked_sub(LONGEST_LOGIN).unwrap_or(event.at);
        let is_there = logins.snapshot.credentials.files.values().any(|file| {
            provider_of(file).is_none_or(|of| canonical_provider(of) == name)
                && file.modified_at.is_none_or(|at| at >= since)
        });
        let is_lost = !is_seen && is_configured && !is_there && !logins.serves(provider);
        return is_lost.then_some(Failure::NotSaved);
    }
    // A name that was mistyped is no login.
    let is_begun = event.result == "failed" && !said.starts_with("provider-not-configured");
    if !is_begun || logins.has_newer(&name, event.at) {
        return None;
    }
    // The latter is how `auth login` says it.
    let is_lost = said.contains("unknown or expired state") || said.contains("reason=not-saved");
    Some(if is_lost {
        Failure::NotSaved
    } else if said.contains("timed out") || said.contains("timeout") {
        Failure::TimedOut
    } else {
        Failure::Failed
    })
}

/// A provider as flowgate.yaml names it; without one the first that is configured and cannot serve.
fn name_of(snapshot: &Snapshot, provider: Option<&str>, logins: &Logins<'_>) -> String {
    let configured = configured(snapshot);
    let found = match provider {
        Some(provider) => configured
            .iter()
            .find(|name| canonical_provider(name) == provider)
            .copied()
            .or(Some(provider)),
        None => configured
            .iter()
            .find(|name| !logins.serves(name))
            .or(configured.first())
            .copied(),
    };
    found.unwrap_or("codex").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: &str) -> LogTail {
        LogTail {
            path: "p.log".into(),
            lines: text.lines().map(str::to_owned).collect(),
            cut: false,
        }
    }

    fn end(text: &str) -> Option<(Option<String>, bool)> {
        let log = log(text);
        let login = last_logged(&log)?;
        Some((login.provider, matches!(login.end, LoginEnd::Failed(_))))
    }

    const BEGUN: &str = "Initializing Codex authentication...\n";
    const DENIED: &str = "[t] [error] [a.go:1] Authentication was cancelled or denied.\n";
    const SAVED: &str = "Authentication successful! Token saved to /gw/auths/codex-a.json\n";
    const TIMED_OUT: &str = "[t] [error] [a.go:1] Authentication timed out. Please try again.\n";
    const CHANGED: &str = "auth file changed (CREATE): codex-a.json, processing incrementally\n";
    const CAME_BACK: &str =
        "[GIN] x | 200 | 0s | 127.0.0.1 | GET \"/codex/callback?code=[redacted]&state=s\"\n";

    #[test]
    fn the_last_login_counts_and_one_under_way_is_none() {
        let codex = || Some("codex".to_owned());
        assert_eq!(end(&[BEGUN, DENIED].concat()), Some((codex(), true)));
        assert_eq!(
            end(&[BEGUN, DENIED, BEGUN, SAVED].concat()),
            Some((codex(), false))
        );
        assert_eq!(
            end(&[BEGUN, SAVED, TIMED_OUT].concat()),
            Some((codex(), false))
        );
        assert_eq!(end(&[BEGUN, DENIED, BEGUN].concat()), None);
        assert_eq!(end(&[BEGUN, DENIED, CHANGED].concat()), None);
        assert_eq!(end(DENIED), Some((None, true)));
        assert_eq!(end(""), None);
    }

    #[test]
    fn a_browser_that_came_back_in_vain_was_told_of_success() {
        let text = [BEGUN, CAME_BACK, TIMED_OUT].concat();
        let log = log(&text);
        let login = last_logged(&log).unwrap();
        assert_eq!(login.end, LoginEnd::Failed(Failure::NotSaved));
    }
}
