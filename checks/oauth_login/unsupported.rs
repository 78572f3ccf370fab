//! A provider is asked for that this build of the program does not have.

use super::PROVIDER_UNSUPPORTED;
use crate::by_hand;
use crate::logins::{Logins, configured, edition, provider_of};
use crate::model::{Evidence, Finding, Fix, Severity, Subject, Verdict};
use crate::routes::{Edition, canonical_provider, is_unsupported};
use crate::shell;
use crate::state::View;

/// Finds configured providers, and those of token files, that the running build cannot use; an outage
/// when no other can serve.
pub fn look(proxy: View<'_>, logins: &Logins<'_>, verdict: &mut Verdict) {
    let snapshot = proxy.snapshot;
    let edition = edition(snapshot);
    let files = snapshot.credentials.files.values().filter_map(provider_of);
    let mut told: Vec<String> = Vec::new();
    for name in configured(snapshot).into_iter().chain(files) {
        let provider = canonical_provider(name);
        if is_unsupported(&provider, edition) && !told.contains(&provider) {
            verdict.push(finding(proxy, name, edition, logins));
            told.push(provider);
        }
    }
}

fn finding(proxy: View<'_>, name: &str, edition: Edition, logins: &Logins<'_>) -> Finding {
    let snapshot = proxy.snapshot;
    let version = snapshot.credentials.management.version.as_deref();
    let build = match edition {
        Edition::Mainline => "CLIProxyAPI",
        _ => "CLIProxyAPIPlus",
    };
    let other = match edition {
        Edition::Mainline => "CLIProxyAPIPlus",
        _ => "CLIProxyAPI",
    };
    let cause = match version {
        Some(version) => format!("{} is {build} {version}, which has no {name}", proxy.name),
        None => format!("{} is {build}, which has no {name}", proxy.name),
    };
    let mut finding = Finding::new(
        &PROVIDER_UNSUPPORTED,
        Subject::Provider(name.into()),
        format!("this build of {} cannot use {name}", proxy.name),
        cause,
    )
    .brief("not in this build")
    .evidence(version_row(proxy));
    let config = &snapshot.configs.flowgate;
    if let Some(provider) = snapshot.credentials.providers.get(name) {
        let key = format!("{}.auth_url_endpoint", provider.entry);
        finding = finding.evidence(
            Evidence::new(
                "config",
                format!("{} is configured", provider.entry),
                config.place(&key),
            )
            .command(by_hand::show_entry(snapshot, config, &key)),
        );
    }
    if serves_without(name, edition, logins) {
        finding = finding.at(Severity::Info);
    }
    finding.fix(Fix::manual(
        "by-hand",
        format!("install a build of {other} for {name}, or log in to another provider"),
        Vec::new(),
    ))
}

/// Whether another provider serves, or could after a login.
fn serves_without(name: &str, edition: Edition, logins: &Logins<'_>) -> bool {
    let mut others = configured(logins.snapshot()).into_iter();
    !logins.providers().is_empty()
        || others.any(|other| other != name && !is_unsupported(other, edition))
}

/// The version as the program tells it.
fn version_row(proxy: View<'_>) -> Evidence {
    let snapshot = proxy.snapshot;
    let log = proxy.service.log.known();
    let banner = log.and_then(|log| {
        let line = log
            .lines
            .iter()
            .find(|line| line.contains("CLIProxyAPI Version: "))?;
        Some((line.clone(), log.path.as_str()))
    });
    match banner {
        Some((line, path)) => Evidence::new("log", line, path).command(format!(
            "grep -F -m 1 'CLIProxyAPI Version' {}",
            shell::path(snapshot, path)
        )),
        None => {
            let version = snapshot.credentials.management.version.as_deref();
            let program = proxy.settings().args.first().map_or("", String::as_str);
            Evidence::new(
                "version",
                version.unwrap_or("unknown"),
                "GET /v0/management/auth-files",
            )
            .command(format!(
                "{} -h 2>/dev/null | head -n 1",
                shell::quote(program)
            ))
        }
    }
}
