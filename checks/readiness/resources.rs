//! The machine has no room left.

use super::RESOURCE_EXHAUSTED;
use crate::by_hand;
use crate::model::{Evidence, Finding, Fix, Impact, Severity, Snapshot, Space, Subject, Verdict};
use crate::shell;
use crate::state::{View, services};

/// Below so many bytes logs and tokens are soon cut.
const SCARCE: u64 = 500 * 1_000_000;
/// Below so many nothing can be relied on.
const GONE: u64 = 100 * 1_000_000;

/// What the programs say when the disk is full; the number is Python's, the words are Go's.
const NO_SPACE: [&str; 3] = [
    "No space left on device",
    "no space left on device",
    "[Errno 28]",
];
/// What they say when they may open nothing more.
const NO_DESCRIPTORS: [&str; 3] = ["Too many open files", "too many open files", "[Errno 24]"];

/// Finds a full disk, and programs that ended for want of room or descriptors.
pub fn look(snapshot: &Snapshot, verdict: &mut Verdict) {
    let space = snapshot.host.runtime_space.known();
    let said = services(snapshot)
        .filter_map(|view| said(view, space))
        .next();
    let scarce = space.and_then(scarcity);
    let severity = match (&said, &scarce) {
        (Some(_), _) => Severity::Error,
        (None, Some(scarcity)) => scarcity.severity,
        (None, None) => return,
    };
    verdict.push(finding(snapshot, severity, said, scarce, space));
}

/// How scarce room is.
struct Scarcity {
    severity: Severity,
    what: String,
}

fn scarcity(space: &Space) -> Option<Scarcity> {
    let of = |severity, what| Some(Scarcity { severity, what });
    let megabytes = space.free_bytes / 1_000_000;
    let has_limit = space.total_inodes > 0;
    if space.free_bytes < GONE {
        return of(Severity::Error, format!("{megabytes} MB are free"));
    }
    if has_limit && space.free_inodes == 0 {
        return of(Severity::Error, "no inode is free".into());
    }
    if space.free_bytes < SCARCE {
        return of(Severity::Warning, format!("{megabytes} MB are free"));
    }
    if has_limit && space.free_inodes.saturating_mul(100) < space.total_inodes {
        return of(
            Severity::Warning,
            format!(
                "{} of {} inodes are free",
                space.free_inodes, space.total_inodes
            ),
        );
    }
    None
}

/// A line of a log since its start on what ran out. Of a service that serves it is past, unless room
/// is still scarce.
fn said<'a>(view: View<'a>, space: Option<&Space>) -> Option<(View<'a>, &'a str)> {
    let is_scarce = space.is_some_and(|space| space.free_bytes < SCARCE);
    let log = view.service.log.known()?;
    let says = |line: &&String, words: &[&str]| words.iter().any(|word| line.contains(word));
    let of_space = log.lines.iter().rev().find(|line| says(line, &NO_SPACE));
    let of_descriptors = log
        .lines
        .iter()
        .rev()
        .find(|line| says(line, &NO_DESCRIPTORS));
    let serves = view.is_identified();
    of_space
        .filter(|_| is_scarce || !serves)
        .or(of_descriptors.filter(|_| !serves))
        .map(|line| (view, line.trim()))
}

fn finding(
    snapshot: &Snapshot,
    severity: Severity,
    said: Option<(View<'_>, &str)>,
    scarce: Option<Scarcity>,
    space: Option<&Space>,
) -> Finding {
    let dir = match snapshot.paths.runtime_dir.as_str() {
        "" => ".",
        dir => dir,
    };
    let command = format!("df -h {0}; df -i {0}", shell::path(snapshot, dir));
    let is_descriptors = said
        .as_ref()
        .is_some_and(|(_, line)| NO_DESCRIPTORS.iter().any(|word| line.contains(word)));
    let symptom = match (&scarce, &said) {
        (Some(scarcity), _) => format!("the disk of {dir} is full: {}", scarcity.what),
        (None, Some((view, _))) if is_descriptors => {
            format!("{} may open no more files", view.name)
        }
        (None, Some((view, _))) => format!("{} found no space on its disk", view.name),
        (None, None) => format!("the disk of {dir} is full"),
    };
    let symptom = match severity {
        Severity::Error => symptom,
        _ => symptom.replace("is full", "is almost full"),
    };
    let cause = match is_descriptors {
        true => "its limit of open files is reached".to_owned(),
        false => "services go on, and their logs, new tokens and records of flowgate are cut off"
            .to_owned(),
    };
    let mut finding = Finding::new(&RESOURCE_EXHAUSTED, Subject::Host, symptom, cause)
        .brief("no room left")
        .at(severity);
    if severity == Severity::Warning {
        finding.impact = Impact::Risk;
    }
    if let Some(space) = space {
        let seen = format!(
            "{} MB and {} inodes free",
            space.free_bytes / 1_000_000,
            space.free_inodes
        );
        finding = finding.evidence(
            Evidence::new("disk", seen, dir)
                .expected("500 MB, and 1 % of the inodes")
                .command(command.clone()),
        );
    }
    if let Some((view, line)) = &said {
        let path = view.service.log.known().map_or("log", |log| &log.path);
        let mut row = Evidence::new("log", *line, path);
        row.command = by_hand::tail(*view);
        finding = finding.evidence(row);
    }
    let title = match is_descriptors {
        true => "raise the limit (ulimit -n 4096) in the shell that starts it".to_owned(),
        false => format!("free room on the disk of {dir}; this shows what is large"),
    };
    let commands = match is_descriptors {
        true => vec!["ulimit -n 4096".to_owned()],
        false => vec![format!(
            "du -xah {} | sort -h | tail -n 20",
            shell::path(snapshot, dir)
        )],
    };
    finding.fix(Fix::manual("by-hand", title, commands))
}
