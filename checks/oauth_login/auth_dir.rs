//! A token lies where the service does not look.

use super::WRONG_AUTH_DIR;
use crate::by_hand;
use crate::logins::{
    LoggedLogin, LoginEnd, Logins, is_unread, last_logged, provider_in_name, provider_of,
};
use crate::model::{
    AuthDir, AuthDirRole, Evidence, Finding, Fix, Severity, Snapshot, Subject, Verdict,
};
use crate::routes::canonical_provider;
use crate::shell;
use crate::state::View;
use crate::steps::{self, Edits};

/// Finds usable tokens in an auth dir of this gateway that the service does not read, and a login that
/// its log says it saved elsewhere; an outage when it reads none of that provider.
pub fn look(proxy: View<'_>, logins: &Logins<'_>, verdict: &mut Verdict) {
    let snapshot = proxy.snapshot;
    // Where that is no folder the program does not start: its config is the matter.
    let mut dirs = snapshot.credentials.auth_dirs.iter();
    let is_file = |dir: &AuthDir| {
        let why = dir
            .listing
            .why_unknown()
            .map(|unknown| unknown.why.as_str());
        dir.role == AuthDirRole::Service && why == Some("is not a directory")
    };
    if dirs.any(is_file) {
        return;
    }
    let mut found: Vec<(&str, String)> = logins
        .usable()
        .filter(|(_, file)| is_unread(file, snapshot))
        .filter_map(|(path, file)| Some((path, canonical_provider(provider_of(file)?))))
        .collect();
    // One finding for the service; what it lacks comes first.
    found.sort_by_key(|(_, provider)| reads(logins, provider));
    if let Some((path, provider)) = found.first() {
        verdict.push(finding(proxy, path, provider, logins));
    } else if let Some(saved) = saved_elsewhere(proxy) {
        verdict.push(logged(proxy, &saved, logins));
    }
}

/// Whether the service reads a usable token of a provider.
fn reads(logins: &Logins<'_>, provider: &str) -> bool {
    logins.usable().any(|(_, file)| {
        !is_unread(file, logins.snapshot())
            && provider_of(file).map(canonical_provider).as_deref() == Some(provider)
    })
}

/// A login that the log of the service saw saved in a dir that it does not read.
struct Saved {
    path: String,
    provider: String,
    line: String,
}

/// The last login in the log, where its file lies in another dir than that of the service, and none of
/// its name in that.
fn saved_elsewhere(proxy: View<'_>) -> Option<Saved> {
    let snapshot = proxy.snapshot;
    let log = proxy.service.log.known()?;
    let LoggedLogin {
        provider,
        end: LoginEnd::Saved(path),
        line,
    } = last_logged(log)?
    else {
        return None;
    };
    let cwd = shell::absolute(snapshot, &proxy.settings().cwd);
    let absolute = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("{cwd}/{}", path.trim_start_matches("./"))
    };
    let (folder, name) = absolute.rsplit_once('/')?;
    let own = own_dir(snapshot)?;
    let is_known = snapshot
        .credentials
        .files
        .keys()
        .any(|known| known.rsplit('/').next() == Some(name));
    if folder == shell::absolute(snapshot, own) || is_known {
        return None;
    }
    Some(Saved {
        provider: provider
            .or_else(|| provider_in_name(name))
            .unwrap_or_else(|| "codex".into()),
        path: shell::shown(snapshot, &absolute),
        line: line.to_owned(),
    })
}

fn logged(proxy: View<'_>, saved: &Saved, logins: &Logins<'_>) -> Finding {
    let Saved {
        path,
        provider,
        line,
    } = saved;
    let log = proxy.service.log.known().map_or("", |log| &log.path);
    let first = Evidence::new("log", line.clone(), log).command(format!(
        "grep -F 'saved to' {}",
        shell::path(proxy.snapshot, log)
    ));
    elsewhere(
        proxy,
        path,
        provider,
        &format!("the last login to {provider} was saved in"),
        first,
        logins,
    )
}

/// The dir that the service reads.
fn own_dir(snapshot: &Snapshot) -> Option<&str> {
    let mut dirs = snapshot.credentials.auth_dirs.iter();
    dirs.find(|dir| dir.role == AuthDirRole::Service)
        .map(|dir| dir.path.as_str())
}

fn move_fix(snapshot: &Snapshot, path: &str, own: &str) -> Fix {
    let command = format!(
        "mv {} {}/",
        shell::path(snapshot, path),
        shell::path(snapshot, own)
    );
    Fix::manual("move", format!("move {path} to {own}"), vec![command])
}

fn finding(proxy: View<'_>, path: &str, provider: &str, logins: &Logins<'_>) -> Finding {
    let snapshot = proxy.snapshot;
    let own = own_dir(snapshot).unwrap_or_default();
    let first = Evidence::new("token", format!("a token of {provider}"), path).command(format!(
        "ls -l {} {}",
        shell::path(snapshot, folder_of(path)),
        shell::path(snapshot, own)
    ));
    elsewhere(
        proxy,
        path,
        provider,
        &format!("a login to {provider} lies in"),
        first,
        logins,
    )
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The finding on a token at `path`, of which `first` is the proof; `what` is the symptom up to the
/// folder.
fn elsewhere(
    proxy: View<'_>,
    path: &str,
    provider: &str,
    what: &str,
    first: Evidence,
    logins: &Logins<'_>,
) -> Finding {
    let snapshot = proxy.snapshot;
    let config = &snapshot.configs.cliproxyapi;
    let own = own_dir(snapshot).unwrap_or_default();
    let folder = folder_of(path);
    let finding = Finding::new(
        &WRONG_AUTH_DIR,
        Subject::Service(proxy.name.into()),
        format!("{what} {folder}, and {} reads {own}", proxy.name),
        format!("{} names {own}", config.place("auth-dir")),
    )
    .brief("its login lies elsewhere")
    .evidence(first.expected(format!("a file in {own}")))
    .evidence(
        Evidence::new(
            "config",
            format!("auth-dir leads to {own}"),
            config.place("auth-dir"),
        )
        .command(by_hand::show_name(snapshot, &config.path, "auth-dir")),
    )
    .fix(move_fix(snapshot, path, own))
    .fix(set_auth_dir(proxy, &shell::absolute(snapshot, folder)));
    if reads(logins, provider) {
        finding.at(Severity::Info)
    } else {
        finding
    }
}

fn set_auth_dir(proxy: View<'_>, folder: &str) -> Fix {
    let config = &proxy.snapshot.configs.cliproxyapi;
    let title = format!(
        "write {folder} as auth-dir at {}, then restart {}",
        config.place("auth-dir"),
        proxy.name
    );
    let mut edits = Edits::new(proxy.snapshot);
    edits.set_text(config, "auth-dir", folder);
    edits.then(steps::come_up(proxy));
    edits.fix("set-auth-dir", proxy.name, title, by_hand::restart(proxy))
}
