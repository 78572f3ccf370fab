use std::time::Duration;

use super::*;
use crate::doctor::report_on;
use crate::report::{FailOn, Selection};

#[path = "../../tests/support/scenario.rs"]
#[expect(dead_code, reason = "the scenario tests need more of it")]
mod scenario;

fn look(name: &str) -> Look {
    let all = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let snapshot: Snapshot = serde_json::from_value(scenario::whole(&all.join(name))).unwrap();
    let selection = Selection::default();
    let report = report_on(
        &snapshot,
        selection,
        FailOn::Error,
        Vec::new(),
        Duration::ZERO,
    );
    Look { snapshot, report }
}

/// The new errors by key, each with whether it was fine before.
fn new(before: &str, after: &str) -> Vec<(String, bool)> {
    new_errors(&look(before), &look(after))
        .into_iter()
        .map(|(finding, was_fine)| (finding.key(), was_fine))
        .collect()
}

#[test]
fn what_was_seen_to_be_well_and_is_an_error_now_is_harm() {
    let found = new("healthy-baseline", "port-conflict-foreign-listener");
    assert!(
        found.iter().any(|(key, was_fine)| {
            key == "port-conflict/foreign-listener:litellm" && *was_fine
        })
    );
    let token = new("healthy-baseline", "secret-permissions-file-exposed");
    assert!(
        token.iter().all(|(_, was_fine)| *was_fine) && !token.is_empty(),
        "{token:?}"
    );
}

#[test]
fn what_could_not_be_reached_is_uncovered() {
    // While nothing runs nobody can tell which key is refused.
    let found = new("readiness-not-running", "readiness-client-key-rejected");
    assert_eq!(
        found,
        [("readiness/client-key-rejected:litellm".to_owned(), false)]
    );
    let found = new("config-missing", "port-conflict-foreign-listener");
    assert!(
        !found.is_empty() && found.iter().all(|(_, was_fine)| !was_fine),
        "{found:?}"
    );
    assert_eq!(new("readiness-not-running", "healthy-baseline"), []);
}

#[test]
fn a_finding_under_another_name_is_not_gone() {
    let gone = |key: &str, before: &str, after: &str| {
        why_not_gone(key, &look(before), &look(after)).is_none()
    };
    let key = "readiness/not-running:litellm";
    assert!(gone(key, "readiness-not-running", "healthy-baseline"));
    assert!(!gone(key, "readiness-not-running", "readiness-not-running"));
    assert!(!gone(
        key,
        "readiness-not-running",
        "readiness-hung-full-pipe"
    ));
    let key = "port-conflict/foreign-listener:litellm";
    let before = "port-conflict-foreign-listener";
    assert!(gone(key, before, "healthy-baseline"));
    assert!(!gone(key, before, "port-conflict-own-orphan-record-lost"));
}

#[test]
fn a_verdict_that_cannot_be_had_is_no_proof() {
    let key = "port-conflict/foreign-listener:litellm";
    let before = look("port-conflict-foreign-listener");
    let unseen = look("port-conflict-listeners-not-seen");
    assert!(
        why_not_gone(key, &before, &unseen)
            .is_some_and(|why| why.contains("could not be looked at"))
    );
}

/// Whether the start of litellm is judged as help when something could not be looked at afterwards.
fn helped_although_unknown(what: &str, proxy_before: HopState) -> bool {
    let mut after = look("healthy-baseline");
    let datum = flowgate_checks::model::UnknownDatum {
        what: what.into(),
        why: "connection refused".into(),
        command: None,
        optional: false,
    };
    after.report.unknowns.push(crate::report::Unknown {
        check: "readiness",
        datum,
    });
    let mut before = look("readiness-not-running");
    let mut hops = before.report.chain.iter_mut();
    let proxy = hops.find(|hop| hop.hop == "cliproxyapi_plus").unwrap();
    proxy.state = proxy_before;
    why_not_gone("readiness/not-running:litellm", &before, &after).is_none()
}

#[test]
fn what_is_not_known_of_another_service_that_was_not_well_takes_nothing_back() {
    let of_proxy = "whether cliproxyapi_plus serves";
    assert!(helped_although_unknown(of_proxy, HopState::Broken));
    assert!(!helped_although_unknown(of_proxy, HopState::Ok));
    for what in ["whether litellm serves", "the listeners"] {
        assert!(!helped_although_unknown(what, HopState::Broken), "{what}");
    }
}
