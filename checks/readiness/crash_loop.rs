//! A service that ends again and again.

use super::CRASH_LOOP;
use super::last_words::{LastWords, last_words};
use super::process::{age_at, describe_exit, start_fix, subject};
use crate::by_hand;
use crate::model::{Evidence, Exit, Finding, RunLife, Tries};
use crate::shell;
use crate::state::View;
use crate::words;

/// So many exits are shown.
const SHOWN: usize = 3;

/// What its supervisor does about a service that ended by itself at least twice, and serves nobody.
/// A signal that somebody sends again and again is `killed`.
pub fn tries(view: View<'_>) -> Option<&Tries> {
    let run = view.service.run.as_ref();
    if !view.is_wanted()
        || view.is_identified()
        || run.map(|run| run.life) == Some(RunLife::OtherBoot)
    {
        return None;
    }
    let tries = view.service.tries.as_ref()?;
    let last = ends(view);
    let is_repeated = tries.restarts > 0
        && last.len() > 1
        && last.first().is_some_and(|exit| exit.signal.is_none());
    (tries.is_crash_loop || is_repeated).then_some(tries)
}

/// The exits of which nobody was asked, newest first, up to one that was.
fn ends(view: View<'_>) -> Vec<&Exit> {
    let exits = view.service.exits.iter();
    exits.take_while(|exit| !exit.requested).collect()
}

/// The finding on such a service.
pub fn finding(view: View<'_>, tries: &Tries) -> Finding {
    let ends = ends(view);
    let count = usize::try_from(tries.restarts).unwrap_or(usize::MAX);
    let times = words::count(count.saturating_add(1).max(ends.len()), "time");
    let last = ends.first().map_or_else(String::new, |exit| {
        format!(", the last {} ago", age_at(view, exit.at))
    });
    let mut finding = Finding::new(
        &CRASH_LOOP,
        subject(view),
        format!("{} ended {times}{last}: {}", view.name, statuses(&ends)),
        cause(view, &ends),
    )
    .brief("ends again and again");
    if !ends.is_empty() {
        finding = finding.evidence(exits_row(view, &ends));
    }
    if let Some(words) = last_words(view) {
        let mut row = Evidence::new("log", words.line(), words.path());
        row.command = by_hand::tail(view);
        finding = finding.evidence(row);
    }
    finding = finding.evidence(next_row(view, tries));
    let mut fix = start_fix(view, true);
    fix.title = format!("{}, once its cause is gone", fix.title);
    finding.fix(fix)
}

/// `status 1 after 2 s`, `status 1 and SIGKILL`.
fn statuses(ends: &[&Exit]) -> String {
    let mut seen: Vec<String> = Vec::new();
    for exit in ends.iter().take(SHOWN) {
        let status = match (&exit.signal, exit.code) {
            (Some(signal), _) => format!("SIG{signal}"),
            (None, Some(code)) => format!("status {code}"),
            (None, None) => "a status that nobody saw".into(),
        };
        let after = exit
            .uptime_ms
            .map_or_else(String::new, |ms| format!(" after {}", words::age(ms)));
        let text = format!("{status}{after}");
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    if seen.is_empty() {
        return "how, nobody saw".into();
    }
    words::list(&seen)
}

fn cause(view: View<'_>, ends: &[&Exit]) -> String {
    let signature = ends.first().and_then(|exit| exit.signature.as_ref());
    let line = signature.and_then(|signature| signature.line.as_deref());
    match (line, last_words(view)) {
        (Some(line), _) => format!("its log says: {line}"),
        (None, Some(LastWords::Deciding { line, .. })) => format!("its log says: {line}"),
        (None, Some(LastWords::Unexplained { line, .. })) => {
            format!("unexplained; its log says last: {line}")
        }
        (None, None) => "its log says nothing since its start".into(),
    }
}

fn exits_row(view: View<'_>, ends: &[&Exit]) -> Evidence {
    let seen: Vec<String> = ends
        .iter()
        .take(SHOWN)
        .map(|exit| format!("{} at {}", describe_exit(exit), exit.at))
        .collect();
    let from = view.service.wanted.from.as_deref();
    let row = Evidence::new("exits", words::list(&seen), from.unwrap_or("record"));
    match from {
        Some(from) => row.command(format!(
            "grep -h '\"kind\":\"exit\"' {} | tail -n {SHOWN}",
            shell::path(view.snapshot, &from.replace(".json", ".history.jsonl"))
        )),
        None => row,
    }
}

/// What happens next: nothing until a file changes, or the next try.
fn next_row(view: View<'_>, tries: &Tries) -> Evidence {
    let seen = match tries.next_try_at {
        _ if tries.is_crash_loop => {
            "not tried again until its config or program changes, or a person starts it".to_owned()
        }
        Some(at) => format!("tried again at {at}"),
        None => "tried again".to_owned(),
    };
    Evidence::new(
        "next try",
        seen,
        view.service.wanted.from.as_deref().unwrap_or("record"),
    )
    .command(format!("{} status", view.snapshot.tool.command))
}
