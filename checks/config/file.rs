//! flowgate.yaml is missing, cannot be read, or cannot be understood.

use super::{INVALID, MISSING, UNREADABLE};
use crate::model::{
    ConfigState, Evidence, Finding, Fix, Identity, Position, Safety, Snapshot, Step, Subject,
    Verdict,
};
use crate::shell;
use crate::words;

/// What is assumed to be the config when none is found.
const FIRST: &str = "config/flowgate.yaml";

/// Finds what keeps flowgate.yaml from being used.
pub fn look(snapshot: &Snapshot, verdict: &mut Verdict) {
    match &snapshot.configs.flowgate.state {
        ConfigState::Missing => verdict.push(missing(snapshot)),
        ConfigState::Unreadable { why } => verdict.push(unreadable(snapshot, why)),
        ConfigState::Invalid {
            position,
            message,
            excerpt,
        } => verdict.push(invalid(snapshot, *position, message, excerpt.as_deref())),
        ConfigState::Loaded | ConfigState::NotLooked => {}
    }
}

fn missing(snapshot: &Snapshot) -> Finding {
    let config = &snapshot.configs.flowgate;
    let first = config.tried.first().map_or(FIRST, String::as_str);
    let tried = if config.tried.is_empty() {
        FIRST.to_owned()
    } else {
        words::list(&config.tried)
    };
    let elsewhere = elsewhere(snapshot);
    let cause = match elsewhere.as_slice() {
        [] => format!("looked for {tried}"),
        found => format!(
            "looked for {tried}; a gateway answers at {}",
            words::list(found)
        ),
    };
    let mut finding = Finding::new(
        &MISSING,
        Subject::File(first.into()),
        "no gateway here yet: there is no flowgate.yaml",
        cause,
    )
    .brief("no flowgate.yaml")
    .evidence(
        Evidence::new("config", "no such file", first)
            .expected("paths, services, litellm_base and a profile")
            .command(format!("ls -l {}", shell::path(snapshot, first))),
    );
    for address in &elsewhere {
        finding = finding.evidence(
            Evidence::new("answer", "a gateway answers", format!("http://{address}/"))
                .command(crate::by_hand::ask(&format!("http://{address}/"))),
        );
    }
    finding.fix(init(snapshot)).fix(write_it(snapshot, first))
}

fn init(snapshot: &Snapshot) -> Fix {
    Fix::new(
        "init",
        Safety::Unsafe,
        "write the configs and the keys of a new gateway; nothing is overwritten",
        vec![format!("{} init", snapshot.tool.command)],
    )
    .with_steps(vec![Step::Init])
}

fn write_it(snapshot: &Snapshot, first: &str) -> Fix {
    Fix::manual(
        "by-hand",
        format!(
            "write {first}; `{} doctor explain config/missing` shows a whole one",
            snapshot.tool.command
        ),
        Vec::new(),
    )
}

/// Where one of the two programs answers at the ports that are assumed.
fn elsewhere(snapshot: &Snapshot) -> Vec<String> {
    let mut found: Vec<String> = snapshot
        .probes
        .values()
        .flatten()
        .filter(|(_, probes)| {
            matches!(probes.identity(), Identity::Litellm | Identity::Cliproxyapi)
        })
        .map(|(address, _)| address.clone())
        .collect();
    found.sort();
    found.dedup();
    found
}

fn unreadable(snapshot: &Snapshot, why: &str) -> Finding {
    let path = &snapshot.configs.flowgate.path;
    let word = shell::path(snapshot, path);
    // Owner and mode help only where the right is missing: of a device, a FIFO or a folder they
    // must not be touched.
    let fix = if !why.contains("permission denied") {
        Fix::manual(
            "by-hand",
            format!("put a regular file at {path}, or name another one with --config"),
            Vec::new(),
        )
    } else {
        Fix::manual(
            "by-hand",
            format!("let {} read {path}", snapshot.host.user.name),
            vec![
                format!(
                    "sudo chown {} {word}",
                    shell::quote(&snapshot.host.user.name)
                ),
                format!("sudo chmod u+r {word}"),
            ],
        )
    };
    Finding::new(
        &UNREADABLE,
        Subject::File(path.clone()),
        format!("{path} cannot be read by {}", snapshot.host.user.name),
        why,
    )
    .brief("flowgate.yaml unreadable")
    .evidence(
        Evidence::new("config", why, path)
            .expected(format!("readable by {}", snapshot.host.user.name))
            .command(format!("ls -ld {word}")),
    )
    .fix(fix)
}

fn invalid(
    snapshot: &Snapshot,
    position: Option<Position>,
    message: &str,
    excerpt: Option<&str>,
) -> Finding {
    let path = &snapshot.configs.flowgate.path;
    let place = match position {
        Some(at) => format!("{path}:{}:{}", at.line, at.column),
        None => path.clone(),
    };
    let row = Evidence::new("config", excerpt.unwrap_or(message), &place)
        .command(format!("{} config check", snapshot.tool.command));
    Finding::new(
        &INVALID,
        Subject::File(path.clone()),
        format!("{place} is invalid"),
        message,
    )
    .brief("flowgate.yaml invalid")
    .evidence(row)
    .fix(Fix::manual(
        "by-hand",
        format!("correct {place}: {message}"),
        Vec::new(),
    ))
}
