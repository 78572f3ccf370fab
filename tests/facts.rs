//! What is told apart, and by what: which scenario shows each fact about the two programs, pairs of
//! scenarios that differ in the deciding evidence alone, and that causes stay causes in company.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};

use flowgate_checks::diagnose::{Diagnosis, diagnose};
use flowgate_checks::model::{Severity, Snapshot};
use serde_json::Value;

#[path = "fixes/catalogue.rs"]
#[expect(
    dead_code,
    reason = "shared with tests/fixes.rs, which needs more of it"
)]
mod catalogue;
#[path = "support/scenario.rs"]
mod scenario;
#[path = "facts/table.rs"]
mod table;

use table::{FACTS, PAIRS};

fn whole(name: &str) -> Value {
    let folder = scenario::folders()
        .into_iter()
        .find(|folder| scenario::name(folder) == name)
        .unwrap_or_else(|| panic!("no scenario {name}"));
    scenario::whole(&folder)
}

fn diagnosed(value: Value) -> Diagnosis {
    let snapshot: Snapshot = serde_json::from_value(value).unwrap();
    diagnose(&snapshot)
}

/// The keys of the roots that are more than an info.
fn roots(diagnosis: &Diagnosis) -> BTreeSet<String> {
    let findings = diagnosis.findings.iter();
    findings
        .filter(|finding| finding.is_root() && finding.severity > Severity::Info)
        .map(|finding| finding.key())
        .collect()
}

#[test]
fn every_fact_has_a_scenario_that_names_its_finding() {
    assert!(FACTS.len() >= 50, "{}", FACTS.len());
    let mut faults = Vec::new();
    for (fact, name, id) in FACTS {
        let named = roots(&diagnosed(whole(name)));
        if !named.iter().any(|key| key.starts_with(&format!("{id}:"))) {
            faults.push(format!("{fact}: {name} gives {named:?}, not {id}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The leaves in which two snapshots differ.
fn differences(one: &Value, other: &Value, path: &str, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for key in keys {
                let of = |map: &serde_json::Map<String, Value>| {
                    map.get(key).cloned().unwrap_or(Value::Null)
                };
                differences(&of(left), &of(right), &format!("{path}/{key}"), found);
            }
        }
        _ if one == other => {}
        _ => found.push(path.to_owned()),
    }
}

/// Two scenarios that differ in one place, and are told apart by it.
#[test]
fn each_pair_differs_in_the_deciding_evidence_alone() {
    assert!(PAIRS.len() >= 8);
    let mut faults = Vec::new();
    for pair in PAIRS {
        let (mut one, mut other) = (whole("healthy-baseline"), whole("healthy-baseline"));
        for value in [&mut one, &mut other] {
            scenario::merge(value, &serde_json::from_str(pair.both).unwrap());
        }
        scenario::merge(&mut one, &serde_json::from_str(pair.one.0).unwrap());
        scenario::merge(&mut other, &serde_json::from_str(pair.other.0).unwrap());
        let mut found = Vec::new();
        differences(&one, &other, "", &mut found);
        assert!(
            !found.is_empty() && found.len() <= 2,
            "{}: {found:?}",
            pair.what
        );
        for (value, expected) in [(one, pair.one.1), (other, pair.other.1)] {
            let named = roots(&diagnosed(value));
            let expected: BTreeSet<String> = expected.iter().map(|key| (*key).to_owned()).collect();
            if named != expected {
                faults.push(format!("{}: {named:?}, not {expected:?}", pair.what));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The checks whose findings are all there.
const WHOLE: [&str; 2] = ["port-conflict", "config"];

#[test]
fn every_finding_of_a_check_is_in_the_catalogue_fires_and_has_a_near_miss() {
    let mut fires: BTreeMap<String, usize> = BTreeMap::new();
    let mut silent: BTreeMap<String, usize> = BTreeMap::new();
    for folder in scenario::folders() {
        let truth = scenario::read_json(&folder.join("truth.json"));
        let texts = |key: &str| -> Vec<String> {
            let list = truth[key].as_array().cloned().unwrap_or_default();
            list.iter()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect()
        };
        for key in ["roots", "effects", "infos"].into_iter().flat_map(texts) {
            let id = key.split(':').next().unwrap().to_owned();
            *fires.entry(id).or_default() += 1;
        }
        for id in texts("silent") {
            *silent.entry(id).or_default() += 1;
        }
    }
    let listed: BTreeSet<&str> = catalogue::CATALOGUE.iter().map(|(id, _)| *id).collect();
    let mut faults = Vec::new();
    let mut count = 0;
    for check in flowgate_checks::ALL {
        let known: BTreeSet<&str> = check.findings.iter().map(|spec| spec.id).collect();
        count += known.len();
        for id in &known {
            for (what, is_there) in [
                ("in the catalogue", listed.contains(id)),
                ("fired", fires.contains_key(*id)),
                ("silent where it only seems so", silent.contains_key(*id)),
            ] {
                if !is_there {
                    faults.push(format!("{id} is not {what}"));
                }
            }
        }
        if WHOLE.contains(&check.id) {
            let of_check = listed
                .iter()
                .filter(|id| id.starts_with(&format!("{}/", check.id)));
            faults.extend(
                of_check
                    .filter(|id| !known.contains(*id))
                    .map(|id| format!("{id} is missing")),
            );
        }
    }
    println!("{count} of {} findings of the catalogue", listed.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Every scenario: the cause of an effect is there, and nobody is the cause of its own causes.
#[test]
fn every_effect_has_its_causes_and_no_chain_comes_back() {
    let mut effects = 0;
    for folder in scenario::folders() {
        let name = scenario::name(&folder);
        let found = diagnosed(scenario::whole(&folder)).findings;
        let causes: BTreeMap<String, Vec<String>> = found
            .iter()
            .map(|finding| (finding.key(), finding.caused_by.clone()))
            .collect();
        for (key, by) in &causes {
            effects += usize::from(!by.is_empty());
            let mut open = by.clone();
            let mut seen = BTreeSet::new();
            let mut has_root = by.is_empty();
            while let Some(next) = open.pop() {
                assert_ne!(&next, key, "{name}: {key} causes itself");
                let above = causes.get(&next).unwrap_or_else(|| {
                    panic!("{name}: {key} is caused by {next}, which is absent")
                });
                has_root = has_root || above.is_empty();
                if seen.insert(next) {
                    open.extend(above.iter().cloned());
                }
            }
            assert!(has_root, "{name}: no root of {key}");
        }
    }
    assert!(effects > 100, "{effects}");
}

/// Two faults of different hops, laid over each other: both roots are named.
#[test]
fn double_faults_give_both_roots() {
    let doubles: Vec<_> = scenario::folders()
        .into_iter()
        .filter(|folder| scenario::name(folder).starts_with("double-"))
        .collect();
    assert!(doubles.len() >= 10);
    for folder in doubles {
        let named = roots(&diagnosed(scenario::whole(&folder)));
        assert!(named.len() >= 2, "{}: {named:?}", scenario::name(&folder));
    }
}
