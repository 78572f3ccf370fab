//! Every check on every scenario: data in, report out, against a truth that was written by hand.
//!
//! A scenario is a folder below `tests/scenarios/`:
//! - `scenario.json`: `{"base": NAME, "patch": …}`, a merge patch (RFC 7386) over
//!   `_base/NAME.json`, or a whole snapshot (a recording);
//! - `truth.json`: `roots` and `effects` exactly, `infos` allowed, `silent` ids absent; the status
//!   of a check where it matters (`checks`), and the severities where they are said.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use flowgate::doctor::report_on;
use flowgate::report::{FailOn, Selection, text};
use flowgate_checks::diagnose::{Diagnosis, diagnose};
use flowgate_checks::model::{Severity, Snapshot};
use serde::Deserialize;

#[path = "support/scenario.rs"]
mod scenario;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Truth {
    roots: BTreeSet<String>,
    effects: BTreeSet<String>,
    /// Roots of severity info that may be there.
    #[serde(default)]
    infos: BTreeSet<String>,
    /// Effects that may be there.
    #[serde(default)]
    may_be_effects: BTreeSet<String>,
    /// Ids that must not be there.
    #[serde(default)]
    silent: BTreeSet<String>,
    #[serde(default)]
    severity: BTreeMap<String, Severity>,
    /// Checks that must have an unknown that kept them from a verdict.
    #[serde(default)]
    unknown: BTreeSet<String>,
}

#[test]
fn every_scenario_is_diagnosed_as_its_truth_says() {
    let mut faults = Vec::new();
    let folders = scenario::folders();
    assert!(!folders.is_empty());
    for folder in &folders {
        let name = scenario::name(folder);
        let snapshot = match load(folder) {
            Ok(snapshot) => snapshot,
            Err(error) => {
                faults.push(format!("{name}: {error}"));
                continue;
            }
        };
        let truth: Truth = serde_json::from_value(scenario::read_json(&folder.join("truth.json")))
            .unwrap_or_else(|error| panic!("{name}/truth.json: {error}"));
        for fault in compare(&diagnose(&snapshot), &truth) {
            faults.push(format!("{name}: {fault}"));
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {} scenarios:\n{}",
        faults.len(),
        folders.len(),
        faults.join("\n")
    );
}

/// The report as people see it, beside its scenario. `INSTA_UPDATE=always` writes them anew.
#[test]
fn every_report_reads_as_before() {
    let options = text::Options {
        width: Some(100),
        unicode: true,
        explained: false,
    };
    for folder in scenario::folders() {
        let snapshot = load(&folder).unwrap();
        let took = Duration::from_millis(31);
        let report = report_on(
            &snapshot,
            Selection::default(),
            FailOn::Error,
            Vec::new(),
            took,
        );
        let styled = text::render(&report, &options);
        let plain = anstream::adapter::strip_str(&styled).to_string();
        insta::with_settings!({
            snapshot_path => &folder,
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!("report", plain);
        });
    }
}

/// The count of README: `cargo test --test scenarios often -- --nocapture`.
#[test]
fn how_often_it_is_right() {
    let (mut faults, mut first, mut sound, mut misses) = (0, 0, 0, Vec::new());
    let mut times = Vec::new();
    for folder in scenario::folders() {
        let truth: Truth =
            serde_json::from_value(scenario::read_json(&folder.join("truth.json"))).unwrap();
        let snapshot = load(&folder).unwrap();
        let began = Instant::now();
        let report = report_on(
            &snapshot,
            Selection::default(),
            FailOn::Error,
            Vec::new(),
            Duration::ZERO,
        );
        times.push(began.elapsed());
        // A few truths are a hint alone; every other hint is no alarm.
        let is_fault = !truth.roots.is_empty();
        let named = report
            .findings
            .iter()
            .filter(|finding| finding.is_root())
            .map(|finding| (finding.key(), finding.severity))
            .find(|(key, severity)| *severity != Severity::Info || truth.roots.contains(key))
            .map(|(key, _)| key);
        let is_right = match &named {
            Some(key) => truth.roots.contains(key),
            None => !is_fault,
        };
        faults += usize::from(is_fault);
        sound += usize::from(!is_fault);
        first += usize::from(is_fault && is_right);
        if !is_right {
            misses.push(format!("{}: {named:?}", scenario::name(&folder)));
        }
    }
    times.sort();
    println!(
        "scenarios: {first} of {faults} faults named first · {} false alarms on {sound} sound gateways · \
         {:.1} ms to diagnose and report (median), {:.1} ms at most",
        misses.len() + first - faults,
        times[times.len() / 2].as_secs_f64() * 1000.0,
        times[times.len() - 1].as_secs_f64() * 1000.0,
    );
    assert!(misses.is_empty(), "misses:\n{}", misses.join("\n"));
}

fn load(folder: &Path) -> Result<Snapshot, String> {
    serde_json::from_value(scenario::whole(folder))
        .map_err(|error| format!("scenario.json: {error}"))
}

fn compare(diagnosis: &Diagnosis, truth: &Truth) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |text: String| faults.push(text);
    let (mut roots, mut effects) = (BTreeSet::new(), BTreeSet::new());
    for finding in &diagnosis.findings {
        let key = finding.key();
        let is_info = finding.severity == Severity::Info;
        if truth.silent.contains(finding.spec.id) {
            fault(format!("{key} is not silent: {}", finding.symptom));
        }
        if let Some(expected) = truth.severity.get(&key)
            && *expected != finding.severity
        {
            fault(format!("{key} is {:?}, not {expected:?}", finding.severity));
        }
        if finding.evidence.is_empty() || finding.evidence.iter().all(|row| row.command.is_none()) {
            fault(format!("{key} has no evidence with a command"));
        }
        if finding.fixes.is_empty() && !is_info {
            fault(format!("{key} has no fix"));
        }
        let is_allowed =
            truth.infos.contains(&key) && is_info || truth.may_be_effects.contains(&key);
        if finding.is_root() && !(is_info && is_allowed) {
            roots.insert(key);
        } else if !finding.is_root() && !is_allowed {
            effects.insert(key);
        }
    }
    if roots != truth.roots {
        fault(format!("roots are {roots:?}, not {:?}", truth.roots));
    }
    if effects != truth.effects {
        fault(format!("effects are {effects:?}, not {:?}", truth.effects));
    }
    let unknown: BTreeSet<String> = diagnosis
        .unknowns
        .iter()
        .filter(|(_, unknown)| !unknown.optional)
        .map(|(check, _)| (*check).to_owned())
        .collect();
    if unknown != truth.unknown {
        fault(format!(
            "unknown are {unknown:?}, not {:?}: {:?}",
            truth.unknown, diagnosis.unknowns
        ));
    }
    faults
}
