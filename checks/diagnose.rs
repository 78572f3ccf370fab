//! Snapshot in, diagnosis out: every check, then what explains what, then the chain.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::ALL;
use crate::chain::{self, Hop};
use crate::changes::{self, Change};
use crate::correlate;
use crate::model::{Check, Finding, Severity, Snapshot, UnknownDatum, Verdict};

/// What follows from a snapshot. The same snapshot gives the same diagnosis.
#[derive(Debug)]
pub struct Diagnosis {
    /// Every finding with its causes and effects, roots first, in the order in which they are shown.
    pub findings: Vec<Finding>,
    /// What could not be looked at, with the id of the check that needed it.
    pub unknowns: Vec<(&'static str, UnknownDatum)>,
    /// The hops from client to credential.
    pub chain: Vec<Hop>,
    /// What changed since the services were last ready.
    pub changes: Vec<Change>,
}

/// Runs every check on a snapshot. Everything is always correlated; what is shown is the report's matter.
pub fn diagnose(snapshot: &Snapshot) -> Diagnosis {
    let mut findings = Vec::new();
    let mut unknowns = Vec::new();
    for check in ALL {
        let verdict = run_caught(check, snapshot);
        findings.extend(verdict.findings);
        unknowns.extend(
            verdict
                .unknowns
                .into_iter()
                .map(|unknown| (check.id, unknown)),
        );
    }
    unknowns.sort();
    unknowns.dedup();
    correlate::correlate(&mut findings, snapshot);
    findings.sort_by_cached_key(order);
    findings.dedup_by_key(|finding| finding.key());
    let chain = chain::draw(snapshot, &findings);
    let changes = changes::changes(snapshot, &findings);
    Diagnosis {
        findings,
        unknowns,
        chain,
        changes,
    }
}

/// A check that panics is a fault of ours, and an unknown for the user; never the end of the doctor.
fn run_caught(check: &Check, snapshot: &Snapshot) -> Verdict {
    catch_unwind(AssertUnwindSafe(|| (check.run)(snapshot))).unwrap_or_else(|_| Verdict {
        findings: Vec::new(),
        unknowns: vec![UnknownDatum {
            what: check.title.into(),
            why: "the check itself failed; this is a defect of flowgate".into(),
            command: None,
            optional: false,
        }],
    })
}

/// Roots before effects, then by harm, severity, check and key.
fn order(
    finding: &Finding,
) -> (
    bool,
    crate::model::Impact,
    std::cmp::Reverse<Severity>,
    usize,
    String,
) {
    let check = finding.spec.id.split('/').next().unwrap_or_default();
    let place = ALL
        .iter()
        .position(|known| known.id == check)
        .unwrap_or(ALL.len());
    (
        !finding.is_root(),
        finding.impact,
        std::cmp::Reverse(finding.severity),
        place,
        finding.key(),
    )
}
