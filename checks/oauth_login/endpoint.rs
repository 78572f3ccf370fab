//! A configured login path that the program does not have.

use super::WRONG_ENDPOINT;
use crate::by_hand;
use crate::logins::{configured, edition, is_wanted};
use crate::model::{
    Evidence, Finding, Fix, Provider, ServiceKind, Severity, Snapshot, Subject, Verdict,
};
use crate::routes::{Edition, EndpointRole, EndpointVerdict, canonical_provider, judge_endpoint};
use crate::state::service_of;
use crate::steps::Edits;

/// One endpoint that is wrong.
struct Fault<'a> {
    /// The key in flowgate.yaml.
    key: &'static str,
    /// What is written.
    url: &'a str,
    verdict: EndpointVerdict,
}

/// Finds wrong endpoints, one finding per provider.
pub fn look(snapshot: &Snapshot, verdict: &mut Verdict) {
    let edition = edition(snapshot);
    for name in configured(snapshot) {
        let Some(provider) = snapshot.credentials.providers.get(name) else {
            continue;
        };
        let faults = faults(name, provider, edition);
        if !faults.is_empty() {
            verdict.push(finding(snapshot, name, provider, &faults));
        }
    }
}

fn faults<'a>(name: &str, provider: &'a Provider, edition: Edition) -> Vec<Fault<'a>> {
    let endpoints = [
        (
            "auth_url_endpoint",
            EndpointRole::AuthUrl,
            &provider.auth_url_endpoint,
        ),
        (
            "status_endpoint",
            EndpointRole::Status,
            &provider.status_endpoint,
        ),
    ];
    endpoints
        .into_iter()
        .filter_map(|(key, role, url)| {
            let url = url.as_deref()?;
            let verdict = judge_endpoint(name, role, url, edition);
            is_fault(name, url, &verdict, edition).then_some(Fault { key, url, verdict })
        })
        .collect()
}

fn is_fault(name: &str, url: &str, verdict: &EndpointVerdict, edition: Edition) -> bool {
    match verdict {
        EndpointVerdict::Ok => false,
        // A bare status path is completed with the state of the login; one with another query asks
        // for something else and is told `ok` of any login.
        EndpointVerdict::LacksState { .. } => url.contains('?'),
        // Where the build cannot do the provider at all, that is the fault and not the path.
        // This one does Copilot by its own flag alone.
        EndpointVerdict::NoRoute => {
            !is_known(name) || edition == Edition::Plus && canonical_provider(name) == "copilot"
        }
        EndpointVerdict::WrongPath { .. }
        | EndpointVerdict::LacksWebui { .. }
        | EndpointVerdict::NotUrl => true,
    }
}

fn is_known(name: &str) -> bool {
    crate::routes::login_route(name, Edition::Unknown).is_some()
}

fn finding(snapshot: &Snapshot, name: &str, provider: &Provider, faults: &[Fault<'_>]) -> Finding {
    let config = &snapshot.configs.flowgate;
    let first = &faults[0];
    let place = config.place(&format!("{}.{}", provider.entry, first.key));
    let mut finding = Finding::new(
        &WRONG_ENDPOINT,
        Subject::Provider(name.into()),
        format!(
            "{} of {name} {} ({place})",
            first.key,
            blame(&first.verdict)
        ),
        cause(snapshot, name, &first.verdict),
    )
    .brief("wrong login path");
    for fault in faults {
        let entry = format!("{}.{}", provider.entry, fault.key);
        let mut row = Evidence::new(
            "config",
            format!("{}: {}", fault.key, fault.url),
            config.place(&entry),
        )
        .command(by_hand::show_entry(snapshot, config, &entry));
        row.expected = written(fault).map(str::to_owned);
        finding = finding.evidence(row);
    }
    if !is_wanted(snapshot, name) {
        finding = finding.at(Severity::Info);
    }
    if let Some(fix) = set_endpoint(snapshot, name, provider, faults) {
        finding = finding.fix(fix);
    }
    let by_flag = service_of(snapshot, ServiceKind::Cliproxyapi)
        .and_then(|proxy| by_hand::login(proxy, name));
    match by_flag {
        Some(command) => finding.fix(Fix::manual(
            "login",
            format!("log in to {name}, by the right path"),
            vec![command],
        )),
        None if finding.fixes.is_empty() => finding.fix(Fix::manual(
            "by-hand",
            format!("write the whole URL of the login route of {name} at {place}"),
            Vec::new(),
        )),
        None => finding,
    }
}

fn blame(verdict: &EndpointVerdict) -> &'static str {
    match verdict {
        EndpointVerdict::LacksWebui { .. } => "lacks is_webui=true",
        EndpointVerdict::LacksState { .. } => "lacks state=",
        EndpointVerdict::NotUrl => "is no http or https URL",
        EndpointVerdict::NoRoute => "names a route that this build does not have",
        EndpointVerdict::Ok | EndpointVerdict::WrongPath { .. } => {
            "names a path that does not exist"
        }
    }
}

fn cause(snapshot: &Snapshot, name: &str, verdict: &EndpointVerdict) -> String {
    match verdict {
        EndpointVerdict::LacksWebui { .. } => {
            "without it nothing listens on the callback port, and the browser ends in an error"
                .into()
        }
        EndpointVerdict::LacksState { .. } => {
            "without the state of a login the program says ok of any login".into()
        }
        EndpointVerdict::NotUrl => "a login begins with a request to a whole URL".into(),
        EndpointVerdict::NoRoute => match snapshot.credentials.management.version.as_deref() {
            Some(version) => {
                format!("{version} has no login route for {name} in its management API")
            }
            None => format!("no build has such a login route for {name}"),
        },
        EndpointVerdict::Ok | EndpointVerdict::WrongPath { .. } => match right(verdict) {
            Some(right) => format!("the program answers 404 to it; its route is {right}"),
            None => "the program answers 404 to it".into(),
        },
    }
}

fn right(verdict: &EndpointVerdict) -> Option<&str> {
    match verdict {
        EndpointVerdict::WrongPath { right }
        | EndpointVerdict::LacksWebui { right }
        | EndpointVerdict::LacksState { right } => Some(right),
        EndpointVerdict::Ok | EndpointVerdict::NoRoute | EndpointVerdict::NotUrl => None,
    }
}

/// What a config holds. The state belongs to one login, so it is no part of it.
fn written<'a>(fault: &'a Fault<'_>) -> Option<&'a str> {
    let right = right(&fault.verdict)?;
    match fault.key {
        "status_endpoint" => right.split('?').next(),
        _ => Some(right),
    }
}

fn set_endpoint(
    snapshot: &Snapshot,
    name: &str,
    provider: &Provider,
    faults: &[Fault<'_>],
) -> Option<Fix> {
    let config = &snapshot.configs.flowgate;
    let texts: Vec<String> = faults
        .iter()
        .filter_map(|fault| {
            let right = written(fault)?;
            let place = config.place(&format!("{}.{}", provider.entry, fault.key));
            Some(format!("{}: {right} at {place}", fault.key))
        })
        .collect();
    if texts.is_empty() {
        return None;
    }
    let mut edits = Edits::new(snapshot);
    for fault in faults {
        let entry = format!("{}.{}", provider.entry, fault.key);
        match written(fault) {
            Some(right) => edits.set_text(config, &entry, right),
            // One of two that stays wrong is a login that does not work.
            None => edits.give_up(),
        }
    }
    let title = format!("write {}", crate::words::list(&texts));
    Some(edits.fix("set-endpoint", name, title, Vec::new()))
}
