//! Every fix of every finding on every scenario: what the catalogue allows it, and whether its steps
//! speak of what is there.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;

use flowgate_checks::diagnose::diagnose;
use flowgate_checks::model::{
    ConfigFile, EntryValue, Finding, Fix, Observed, Relation, Safety, Snapshot, Step, Value,
};

#[path = "fixes/catalogue.rs"]
mod catalogue;
#[path = "support/scenario.rs"]
mod scenario;

use catalogue::{CATALOGUE, SAFE};

/// One fix on one scenario.
struct Seen {
    at: String,
    snapshot: Snapshot,
    finding: &'static str,
    fix: Fix,
}

fn all() -> Vec<Seen> {
    let mut all = Vec::new();
    for folder in scenario::folders() {
        let snapshot: Snapshot = serde_json::from_value(scenario::whole(&folder)).unwrap();
        for finding in diagnose(&snapshot).findings {
            let Finding { spec, fixes, .. } = &finding;
            all.extend(fixes.iter().map(|fix| Seen {
                at: format!("{}: {} {}", scenario::name(&folder), finding.key(), fix.id),
                snapshot: snapshot.clone(),
                finding: spec.id,
                fix: fix.clone(),
            }));
        }
    }
    assert!(all.len() > 300, "{} fixes", all.len());
    all
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{}\n{}", faults.len(), faults.join("\n"));
}

/// The letters of a fix of a finding in the catalogue.
fn letters(finding: &str, fix: &str) -> Option<&'static str> {
    let (_, row) = CATALOGUE.iter().find(|(id, _)| *id == finding)?;
    row.iter()
        .find(|(id, _)| *id == fix)
        .map(|(_, letters)| *letters)
}

fn letter(fix: &Fix) -> char {
    match fix.safety {
        Safety::Safe => 'S',
        Safety::Unsafe => 'U',
        Safety::Manual => 'M',
    }
}

#[test]
fn every_fix_is_one_of_its_row_with_the_safety_of_its_row() {
    let faults: Vec<String> = all()
        .iter()
        .filter_map(|seen| match letters(seen.finding, &seen.fix.id) {
            None => Some(format!("{} is in no row", seen.at)),
            Some(letters) if letters.contains(letter(&seen.fix)) => None,
            Some(letters) if letters.contains('m') && seen.fix.safety == Safety::Manual => None,
            Some(letters) => Some(format!(
                "{} is {}, not {letters}",
                seen.at,
                letter(&seen.fix)
            )),
        })
        .collect();
    assert_none(&faults);
}

#[test]
fn what_can_be_applied_has_steps_and_what_is_shown_has_none() {
    let faults: Vec<String> = all()
        .iter()
        .filter(|seen| seen.fix.id != "install-runtime")
        .filter(|seen| seen.fix.steps.is_empty() != (seen.fix.safety == Safety::Manual))
        .map(|seen| format!("{}: {:?}", seen.at, seen.fix))
        .collect();
    assert_none(&faults);
}

#[test]
fn the_s_of_the_catalogue_is_the_closed_list_of_what_is_safe() {
    let of_rows: BTreeSet<&str> = CATALOGUE
        .iter()
        .flat_map(|(_, row)| row.iter())
        .filter(|(_, letters)| letters.contains('S'))
        .map(|(id, _)| *id)
        .collect();
    let closed: BTreeSet<&str> = SAFE.iter().map(|(id, _)| *id).collect();
    assert_eq!(of_rows, closed);
}

#[test]
fn the_ids_that_can_be_asked_for_are_those_of_the_catalogue() {
    let of_rows: BTreeSet<&str> = CATALOGUE
        .iter()
        .flat_map(|(_, row)| row.iter())
        .map(|(id, _)| *id)
        .collect();
    let known: Vec<&str> = of_rows.into_iter().collect();
    assert_eq!(known, flowgate_checks::steps::FIXES);
}

#[test]
fn a_safe_fix_does_what_the_closed_list_names_and_nothing_else() {
    let mut faults = Vec::new();
    for seen in all() {
        if seen.fix.safety != Safety::Safe {
            continue;
        }
        let allowed = SAFE.iter().find(|(id, _)| *id == seen.fix.id).unwrap().1;
        for step in &seen.fix.steps {
            if !allowed.contains(&kind(step).as_str()) {
                faults.push(format!("{}: {step:?}", seen.at));
            }
            if let Step::SetMode { from, to, .. } = step
                && to.0 & !from.0 & 0o7077 != 0
            {
                faults.push(format!("{} loosens {from} to {to}", seen.at));
            }
        }
    }
    assert_none(&faults);
}

fn kind(step: &Step) -> String {
    serde_json::to_value(step).unwrap()["kind"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Every S and U of a finding that exists is made with steps on one scenario at least.
#[test]
fn every_fix_of_the_catalogue_is_made_somewhere() {
    let made: BTreeSet<(&str, String, char)> = all()
        .iter()
        .filter(|seen| !seen.fix.steps.is_empty())
        .map(|seen| (seen.finding, seen.fix.id.clone(), letter(&seen.fix)))
        .collect();
    let known: BTreeSet<&str> = flowgate_checks::ALL
        .iter()
        .flat_map(|check| check.findings)
        .map(|spec| spec.id)
        .collect();
    let mut missing = Vec::new();
    for (finding, row) in CATALOGUE.iter().filter(|(id, _)| known.contains(id)) {
        for (fix, letters) in row.iter().filter(|(fix, _)| *fix != "install-runtime") {
            for letter in letters.chars().filter(|letter| "SU".contains(*letter)) {
                if !made.contains(&(*finding, (*fix).to_owned(), letter)) {
                    missing.push(format!("{finding} {fix} {letter}"));
                }
            }
        }
    }
    assert_none(&missing);
}

#[test]
fn every_step_speaks_of_what_is_there() {
    let mut faults = Vec::new();
    for seen in all() {
        for step in &seen.fix.steps {
            if let Err(why) = judge(&seen.snapshot, step) {
                faults.push(format!("{}: {why}: {step:?}", seen.at));
            }
        }
    }
    assert_none(&faults);
}

fn judge(snapshot: &Snapshot, step: &Step) -> Result<(), String> {
    let hold = |truth: bool, why: &str| truth.then_some(()).ok_or_else(|| why.to_owned());
    match step {
        Step::SetMode { path, from, .. } => {
            let mode = mode_of(snapshot, path).ok_or("no such file")?;
            hold(mode == from.0, "another mode")
        }
        Step::SetValue {
            file,
            path,
            from,
            to,
        } if path.is_empty() => {
            hold(from.is_none(), "a secret is told")?;
            hold(file.contains("/secrets/"), "no key file of flowgate")?;
            judge_value(snapshot, to)
        }
        Step::SetValue {
            file,
            path,
            from,
            to,
        } => {
            if path == "disabled" && snapshot.credentials.files.contains_key(file) {
                return Ok(());
            }
            let entry = config(snapshot, file)?.entry(path).ok_or("no such entry")?;
            hold(
                entry.alias_of.is_none() && !entry.is_anchored,
                "not certain",
            )?;
            hold(text(&entry.value) == *from, "another value")?;
            judge_value(snapshot, to)
        }
        Step::InsertKey {
            file,
            under,
            key,
            value,
        } => {
            let config = config(snapshot, file)?;
            let path = if under.is_empty() {
                key.clone()
            } else {
                format!("{under}.{key}")
            };
            hold(config.entry(&path).is_none(), "the key is there")?;
            if !under.is_empty() {
                let map = config.entry(under).ok_or("no such mapping")?;
                hold(
                    matches!(map.value, EntryValue::Map(_)) && !map.is_flow,
                    "no block mapping",
                )?;
            }
            judge_value(snapshot, value)
        }
        Step::RemoveRecord { path } => {
            let mut records = snapshot
                .services
                .values()
                .flat_map(|service| &service.records);
            hold(records.any(|record| record.path == *path), "no such record")
        }
        Step::Signal {
            pid, start_time, ..
        } => {
            let process = snapshot.processes.get(pid).ok_or("no such process")?;
            hold(process.start_time == *start_time, "another process")?;
            hold(
                matches!(process.relation, Relation::Orphan { .. }),
                "not ours",
            )
        }
        Step::ContinueService {
            service,
            pid,
            start_time,
        } => {
            let process = snapshot.processes.get(pid).ok_or("no such process")?;
            hold(
                process.start_time == *start_time && process.state == 'T',
                "another process",
            )?;
            hold(process.serves() == Some(service), "not of the service")
        }
        Step::StartService { service }
        | Step::StopService { service }
        | Step::RestartService { service } => {
            let found = snapshot.services.get(service).ok_or("no such service")?;
            hold(found.settings.managed && found.settings.enabled, "not ours")
        }
        Step::ActivateProfile { profile } => {
            hold(snapshot.profiles.names.contains(profile), "no such profile")
        }
        Step::Integration { client, path, .. } => {
            let mut clients = snapshot.clients.iter();
            let known = clients.any(|(name, known)| {
                flowgate_checks::clients::kind(name) == client && known.path == *path
            });
            hold(known, "no such client")
        }
        Step::RestartSupervisor { .. }
        | Step::StartSupervisor
        | Step::ReexecSupervisor
        | Step::FinishRollBack { .. }
        | Step::Init => Ok(()),
    }
}

fn judge_value(snapshot: &Snapshot, value: &Value) -> Result<(), String> {
    match value {
        Value::CopyOf {
            file,
            entry: Some(entry),
        } => {
            let entry = config(snapshot, file)?
                .entry(entry)
                .ok_or("nothing to copy")?;
            match &entry.value {
                EntryValue::Secret { .. } => Ok(()),
                _ => Err("what is copied is no secret".into()),
            }
        }
        Value::CopyOf { file, entry: None } if !file.contains("/secrets/") => {
            Err("what is copied is no key file".into())
        }
        Value::CopyOf { .. } | Value::HashOf { .. } | Value::Literal(_) | Value::Random(_) => {
            Ok(())
        }
    }
}

fn config<'a>(snapshot: &'a Snapshot, file: &str) -> Result<&'a ConfigFile, String> {
    let configs = &snapshot.configs;
    [&configs.flowgate, &configs.litellm, &configs.cliproxyapi]
        .into_iter()
        .find(|config| config.path == file && config.is_loaded())
        .ok_or_else(|| "no such config".into())
}

fn mode_of(snapshot: &Snapshot, path: &str) -> Option<u32> {
    use flowgate_checks::model::ProgramState;
    let absolute = |shown: &str| flowgate_checks::shell::absolute(snapshot, shown);
    let known = snapshot.files.get(path).and_then(Observed::known);
    let parents = snapshot
        .files
        .values()
        .filter_map(Observed::known)
        .flat_map(|facts| &facts.parents)
        .find(|parent| parent.path == absolute(path));
    let program = snapshot
        .services
        .values()
        .filter_map(|service| service.program.known())
        .filter(|program| program.path == path)
        .find_map(|program| match &program.state {
            ProgramState::File(file) => Some(file.mode.0),
            _ => None,
        });
    known
        .map(|facts| facts.mode.0)
        .or(parents.map(|parent| parent.mode.0))
        .or(program)
}

/// A value as a step tells it.
fn text(value: &EntryValue) -> Option<String> {
    match value {
        EntryValue::Bool(truth) => Some(truth.to_string()),
        EntryValue::Int(number) => Some(number.to_string()),
        EntryValue::Number(text) | EntryValue::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// A snapshot holds fingerprints of secrets; no step, title or command holds as much as one of these.
#[test]
fn no_fix_holds_a_secret_or_its_fingerprint() {
    let mut faults = Vec::new();
    for seen in all() {
        let fix = serde_json::to_string(&seen.fix).unwrap();
        let configs = &seen.snapshot.configs;
        let entries = [&configs.flowgate, &configs.litellm, &configs.cliproxyapi]
            .into_iter()
            .flat_map(|config| config.entries.values());
        for entry in entries {
            if let EntryValue::Secret { fingerprint, .. } = &entry.value
                && fix.contains(fingerprint.as_str())
            {
                faults.push(format!("{} holds {fingerprint}", seen.at));
            }
        }
    }
    assert_none(&faults);
}
