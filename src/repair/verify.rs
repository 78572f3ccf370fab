//! Whether a run is kept: its findings are gone, and nothing that was proven fine is an error now.

use flowgate_checks::chain::HopState;
use flowgate_checks::model::{Finding, ServiceKind, Severity, Snapshot, Subject};

use crate::report::Report;

/// The states of a service, of which exactly one is found: one for another is no cure.
const STATES: [&str; 4] = [
    "readiness/not-running",
    "readiness/crash-loop",
    "readiness/killed",
    "readiness/hung",
];

/// Who holds a port: one for another is no cure.
const HOLDERS: [&str; 4] = [
    "port-conflict/foreign-listener",
    "port-conflict/second-instance",
    "port-conflict/own-orphan",
    "port-conflict/unknown-owner",
];

/// What is found on a service although the hop behind it is at fault.
const OF_THE_HOP_BEHIND: [&str; 6] = [
    "readiness/no-models",
    "readiness/model-unserved",
    "readiness/upstream-key-rejected",
    "readiness/upstream-unreachable",
    "readiness/upstream-wrong-path",
    "readiness/tls-mismatch",
];

/// What tells nothing of models while no login is usable.
const OF_THE_LOGIN_BEHIND: [&str; 2] = ["readiness/no-models", "readiness/model-unserved"];

/// What stays a warning once nobody but this machine is let in.
const LESS_WHEN_LOCAL: &str = "readiness/open-gateway";

/// One look: what was seen, and the report on all of it.
pub struct Look {
    /// What was seen.
    pub snapshot: Snapshot,
    /// Every check, nothing left out.
    pub report: Report,
}

impl Look {
    fn find(&self, key: &str) -> Option<&Finding> {
        self.report
            .findings
            .iter()
            .find(|finding| finding.key() == key)
    }

    fn find_id(&self, id: &str) -> Option<&Finding> {
        self.report
            .findings
            .iter()
            .find(|finding| finding.spec.id == id)
    }

    /// Whether a service is on its way: what is said of it now may be different in a moment.
    pub fn is_settling(&self, service: &str) -> bool {
        const PASSING: [&str; 5] = [
            "readiness/starting",
            "readiness/slow",
            "readiness/hung",
            "readiness/http-error",
            "supervisor/gone",
        ];
        self.report.findings.iter().any(|finding| {
            PASSING.contains(&finding.spec.id)
                && matches!(&finding.subject, Subject::Service(name) if name == service)
        })
    }
}

/// Why a finding is not gone; nothing when it is.
pub fn why_not_gone(key: &str, before: &Look, after: &Look) -> Option<String> {
    let was = before.find(key)?;
    if let Some(is) = after.find(key) {
        let is_little = is.severity == Severity::Info || is.spec.id == LESS_WHEN_LOCAL;
        let is_less = is.severity < was.severity && is_little;
        return (!is_less).then(|| is.symptom.clone());
    }
    let is_another_name = |is: &&Finding| {
        let group = |ids: &[&str]| ids.contains(&was.spec.id) && ids.contains(&is.spec.id);
        is.subject == was.subject
            && is.severity > Severity::Info
            && (group(&STATES) || group(&HOLDERS))
    };
    if let Some(is) = after.report.findings.iter().find(is_another_name) {
        return Some(is.symptom.clone());
    }
    // A verdict that cannot be had is no proof.
    let check = was.spec.id.split('/').next().unwrap_or_default();
    let missing = |look: &Look| {
        let unknowns = look.report.unknowns.iter();
        unknowns
            .filter(|unknown| unknown.check == check && !unknown.datum.optional)
            .map(|unknown| (unknown.datum.what.clone(), unknown.datum.why.clone()))
            .collect::<Vec<_>>()
    };
    let known_before = missing(before);
    missing(after)
        .into_iter()
        .find(|datum| !known_before.contains(datum) && !is_of_another_fault(&datum.0, was, before))
        .map(|(what, why)| format!("{what} could not be looked at: {why}"))
}

/// Whether what could not be looked at speaks of another service than the finding, which was not well
/// before either: its own repair is judged by it, and no other.
fn is_of_another_fault(what: &str, finding: &Finding, before: &Look) -> bool {
    let Subject::Service(own) = &finding.subject else {
        return false;
    };
    let names = |service: &str| what.split(' ').any(|word| word == service);
    !names(own)
        && services(before)
            .filter(|service| names(service))
            .any(|service| !was_well(service, before))
}

/// The errors that are new, each with whether it was proven fine before.
pub fn new_errors<'a>(before: &Look, after: &'a Look) -> Vec<(&'a Finding, bool)> {
    after
        .report
        .findings
        .iter()
        .filter(|is| is.severity == Severity::Error)
        .filter(|is| match before.find(&is.key()) {
            Some(was) => was.severity < Severity::Error,
            None => true,
        })
        .map(|is| {
            let was_seen = before.find(&is.key()).is_some();
            (is, !was_seen && was_proven_fine(is, before))
        })
        .collect()
}

/// Whether an error would have been seen before, had it been there: what it speaks of could be
/// looked at and was well.
fn was_proven_fine(finding: &Finding, before: &Look) -> bool {
    // Without a config little was looked at.
    if before.find_id("config/missing").is_some() || !before.snapshot.configs.flowgate.is_loaded() {
        return false;
    }
    match &finding.subject {
        Subject::Service(name) => {
            was_well(name, before)
                && (!OF_THE_HOP_BEHIND.contains(&finding.spec.id)
                    || services(before).all(|name| was_well(name, before)))
                && (!OF_THE_LOGIN_BEHIND.contains(&finding.spec.id) || had_login(before))
        }
        Subject::Client(_) => services(before).all(|name| was_well(name, before)),
        Subject::Provider(_) => before
            .snapshot
            .services
            .iter()
            .filter(|(_, service)| service.kind == ServiceKind::Cliproxyapi)
            .all(|(name, _)| was_well(name, before)),
        Subject::File(path) => before
            .snapshot
            .files
            .get(path)
            .is_some_and(|facts| facts.known().is_some()),
        Subject::Entry(_) | Subject::Host | Subject::Supervisor => true,
    }
}

/// The services of the chain.
fn services(look: &Look) -> impl Iterator<Item = &str> {
    let hops = look.report.chain.iter();
    hops.filter(|hop| hop.address.is_some())
        .map(|hop| hop.hop.as_str())
}

/// Whether somebody was logged in: without, nobody knows which models there would be.
fn had_login(look: &Look) -> bool {
    let hops = look.report.chain.iter();
    hops.filter(|hop| hop.address.is_none())
        .all(|hop| !matches!(hop.state, HopState::Broken | HopState::Off))
}

fn was_well(service: &str, look: &Look) -> bool {
    look.report
        .chain
        .iter()
        .any(|hop| hop.hop == service && hop.state == HopState::Ok)
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
