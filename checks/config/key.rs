//! Keys of flowgate.yaml that mean nothing, that stand twice, or that have a newer name.

use super::{DUPLICATE_KEY, LEGACY_KEY, UNKNOWN_KEY};
use crate::by_hand;
use crate::model::{
    ConfigProblem, Evidence, Finding, Fix, Position, ProblemKind, Snapshot, Spec, Subject, Verdict,
};

/// Finds keys that are unknown, duplicate, or of an older version.
pub fn look(snapshot: &Snapshot, verdict: &mut Verdict) {
    for problem in &snapshot.configs.flowgate.problems {
        match &problem.kind {
            ProblemKind::UnknownKey { suggestion } => {
                verdict.push(unknown(snapshot, problem, suggestion.as_deref()));
            }
            ProblemKind::DuplicateKey { first } => {
                verdict.push(duplicate(snapshot, problem, *first));
            }
            ProblemKind::LegacyKey { instead } => {
                verdict.push(legacy(snapshot, problem, instead));
            }
        }
    }
}

fn unknown(snapshot: &Snapshot, problem: &ConfigProblem, suggestion: Option<&str>) -> Finding {
    let place = place(snapshot, problem.position);
    let key = last_key(&problem.entry);
    let (cause, title) = match suggestion {
        Some(meant) => (
            format!("flowgate ignores it; {meant} is close"),
            format!("write {meant} in place of {key} at {place}"),
        ),
        None => (
            "flowgate ignores it".to_owned(),
            format!("take {key} out at {place}, or correct its name"),
        ),
    };
    base(
        snapshot,
        &UNKNOWN_KEY,
        problem,
        format!("{place} has the unknown key {}", problem.entry),
        cause,
    )
    .brief("unknown key")
    .fix(Fix::manual("by-hand", title, Vec::new()))
}

fn duplicate(snapshot: &Snapshot, problem: &ConfigProblem, first: Position) -> Finding {
    let (here, there) = (place(snapshot, problem.position), place(snapshot, first));
    base(
        snapshot,
        &DUPLICATE_KEY,
        problem,
        format!("{} stands twice: {there} and {here}", problem.entry),
        "YAML readers disagree on which of the two counts".into(),
    )
    .brief("duplicate key")
    .fix(Fix::manual(
        "by-hand",
        format!("take {} out at {there} or {here}", last_key(&problem.entry)),
        Vec::new(),
    ))
}

/// It is read as the newer key, so nothing is wrong.
fn legacy(snapshot: &Snapshot, problem: &ConfigProblem, instead: &str) -> Finding {
    let place = place(snapshot, problem.position);
    base(
        snapshot,
        &LEGACY_KEY,
        problem,
        format!(
            "{} at {place} is the older name of {instead}",
            problem.entry
        ),
        format!("it is read as {instead}"),
    )
    .brief("a key of an older version")
    .fix(Fix::manual(
        "by-hand",
        format!("write {instead} in its place when you edit the file next"),
        Vec::new(),
    ))
}

fn base(
    snapshot: &Snapshot,
    spec: &'static Spec,
    problem: &ConfigProblem,
    symptom: String,
    cause: String,
) -> Finding {
    let config = &snapshot.configs.flowgate;
    Finding::new(spec, Subject::Entry(problem.entry.clone()), symptom, cause).evidence(
        Evidence::new(
            "config",
            problem.entry.clone(),
            place(snapshot, problem.position),
        )
        // An unknown key may hold anything, a secret too, so its value is not shown.
        .command(by_hand::show_name(
            snapshot,
            &config.path,
            last_key(&problem.entry),
        )),
    )
}

fn place(snapshot: &Snapshot, position: Position) -> String {
    format!("{}:{}", snapshot.configs.flowgate.path, position.line)
}

/// The key itself: `port` of `services.litellm.port`. A key that holds a dot is quoted in the path.
fn last_key(entry: &str) -> &str {
    match entry.strip_suffix('"') {
        Some(quoted) => quoted.rsplit('"').next().unwrap_or(quoted),
        None => entry.rsplit('.').next().unwrap_or(entry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_end_of_its_path() {
        for (entry, key) in [
            ("services.litellm.port", "port"),
            ("colour", "colour"),
            (r#"profiles."a.b""#, "a.b"),
            ("", ""),
        ] {
            assert_eq!(last_key(entry), key);
        }
    }
}
