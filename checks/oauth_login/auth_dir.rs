//! A token lies where the service does not look.

use super::WRONG_AUTH_DIR;
use crate::by_hand;
use crate::logins::{is_unread, is_usable, provider_of};
use crate::model::{
    AuthDir, AuthDirRole, Evidence, Finding, Fix, Severity, Snapshot, Subject, Verdict,
};
use crate::routes::canonical_provider;
use crate::shell;
use crate::state::View;
use crate::steps::{self, Edits};

/// Finds usable tokens in an auth dir of this gateway that the service does not read; an outage when
/// it reads none of that provider.
pub fn look(proxy: View<'_>, verdict: &mut Verdict) {
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
    let mut found: Vec<(&str, String)> = snapshot
        .credentials
        .files
        .iter()
        .filter(|(_, file)| is_unread(file, snapshot) && is_usable(file, snapshot))
        .filter_map(|(path, file)| Some((path.as_str(), canonical_provider(provider_of(file)?))))
        .collect();
    // One finding for the service; what it lacks comes first.
    found.sort_by_key(|(_, provider)| reads(snapshot, provider));
    if let Some((path, provider)) = found.first() {
        verdict.push(finding(proxy, path, provider));
    }
}

/// Whether the service reads a usable token of a provider.
fn reads(snapshot: &Snapshot, provider: &str) -> bool {
    snapshot.credentials.files.values().any(|file| {
        !is_unread(file, snapshot)
            && is_usable(file, snapshot)
            && provider_of(file).map(canonical_provider).as_deref() == Some(provider)
    })
}

fn finding(proxy: View<'_>, path: &str, provider: &str) -> Finding {
    let snapshot = proxy.snapshot;
    let config = &snapshot.configs.cliproxyapi;
    let dirs = &snapshot.credentials.auth_dirs;
    let own = dirs
        .iter()
        .find(|dir| dir.role == AuthDirRole::Service)
        .map_or("", |dir| dir.path.as_str());
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let finding = Finding::new(
        &WRONG_AUTH_DIR,
        Subject::Service(proxy.name.into()),
        format!(
            "a login to {provider} lies in {folder}, and {} reads {own}",
            proxy.name
        ),
        format!("{} names {own}", config.place("auth-dir")),
    )
    .brief("its login lies elsewhere")
    .evidence(
        Evidence::new("token", format!("a token of {provider}"), path)
            .expected(format!("a file in {own}"))
            .command(format!(
                "ls -l {} {}",
                shell::path(snapshot, folder),
                shell::path(snapshot, own)
            )),
    )
    .evidence(
        Evidence::new(
            "config",
            format!("auth-dir leads to {own}"),
            config.place("auth-dir"),
        )
        .command(by_hand::show_name(snapshot, &config.path, "auth-dir")),
    )
    .fix(Fix::manual(
        "move",
        format!("move {path} to {own}"),
        vec![format!(
            "mv {} {}/",
            shell::path(snapshot, path),
            shell::path(snapshot, own)
        )],
    ))
    .fix(set_auth_dir(proxy, &shell::absolute(snapshot, folder)));
    if reads(snapshot, provider) {
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
