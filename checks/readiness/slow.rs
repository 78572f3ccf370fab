//! It lives, and takes longer than it should: to answer, or to start.

use super::SLOW;
use super::hung::{answer_row, missed};
use super::process::{process_row, subject};
use crate::by_hand;
use crate::model::{Evidence, Finding, Fix, Process, Severity};
use crate::state::{View, held_by};
use crate::words;

/// An answer that takes longer is late, in milliseconds; a healthy one takes below 3
/// (`facts/litellm.md` 6).
const LATE_MS: u64 = 1000;

/// A start that computes uses at least so much of one processor, in percent of its age: LiteLLM's
/// start is nothing but computing (`facts/litellm.md` 5).
const BUSY_PERCENT: u64 = 20;

/// Finds a late answer, a missing one without a second witness, or a start beyond its window.
pub fn look(view: View<'_>) -> Option<Finding> {
    let finding = late_answer(view)
        .or_else(|| missed_deadline(view))
        .or_else(|| long_start(view))?;
    let finding = if view.is_wanted() {
        finding
    } else {
        finding.at(Severity::Info)
    };
    Some(finding.fix(fix(view)))
}

fn late_answer(view: View<'_>) -> Option<Finding> {
    let answer = view.identity_answer()?;
    let is_late = answer.status().is_some() && answer.latency_ms > LATE_MS;
    if !is_late || !view.is_identified() {
        return None;
    }
    Some(
        Finding::new(
            &SLOW,
            subject(view),
            format!(
                "{} answers {} after {} ms",
                view.name, answer.request, answer.latency_ms
            ),
            "this request asks nobody else and takes a few ms, so the process or the machine is busy",
        )
        .brief("answers late")
        .evidence(
            Evidence {
                observed: format!("{} after {} ms", answer.describe(), answer.latency_ms),
                ..answer_row(view, answer)
            },
        ),
    )
}

fn missed_deadline(view: View<'_>) -> Option<Finding> {
    let answer = missed(view)?;
    let answering = view.answering_processes();
    if answering.iter().any(|process| held_by(process).is_some()) {
        return None;
    }
    let mut finding = Finding::new(
        &SLOW,
        subject(view),
        format!("{} gave {}", view.name, answer.describe()),
        "its process lives, and nothing else says that it hangs",
    )
    .brief("no answer in time")
    .likely()
    .evidence(answer_row(view, answer));
    if let Some(process) = answering.first() {
        finding = finding.evidence(busy_row(view, process));
    }
    Some(finding)
}

/// It has listened nowhere yet, is past its window, and computes.
fn long_start(view: View<'_>) -> Option<Finding> {
    let process = view.main_process()?;
    let window = view.settings().ready_timeout_seconds.saturating_mul(1000);
    let is_busy = process.cpu_ms.saturating_mul(100) >= process.age_ms.saturating_mul(BUSY_PERCENT);
    let listens = view.snapshot.sockets.known().is_none() || !view.own_sockets().is_empty();
    if process.age_ms < window
        || !is_busy
        || listens
        || view.was_ready()
        || view.is_identified()
        || view.settings().port.is_none()
    {
        return None;
    }
    Some(
        Finding::new(
            &SLOW,
            subject(view),
            format!(
                "{} has been starting for {}, and may take {} s",
                view.name,
                words::age(process.age_ms),
                view.settings().ready_timeout_seconds
            ),
            "it computes and listens nowhere yet: a first start compiles its modules, a busy machine \
             makes it slower",
        )
        .brief("starts slowly")
        .evidence(busy_row(view, process)),
    )
}

fn busy_row(view: View<'_>, process: &Process) -> Evidence {
    let seen = format!(
        "in state {}, {} of processor time in {}",
        process.state,
        words::age(process.cpu_ms),
        words::age(process.age_ms)
    );
    process_row(view, process.pid, &seen, None)
}

fn fix(view: View<'_>) -> Fix {
    let pids: Vec<String> = view
        .answering_processes()
        .iter()
        .map(|process| format!("ps -o pid,stat,pcpu,etime,args -p {}", process.pid))
        .take(1)
        .chain(["uptime".to_owned()])
        .chain(by_hand::tail(view))
        .collect();
    Fix::manual(
        "by-hand",
        format!(
            "wait, look at what keeps {} busy, and restart it if it stays so",
            view.name
        ),
        pids,
    )
}
