//! The process lives and does not answer, and a second witness says that it will not.

use super::HUNG;
use super::process::{process_row, subject};
use crate::by_hand;
use crate::model::{Answer, Evidence, Finding, Fix, Outcome, Output, Process, Severity};
use crate::state::{View, held_by, is_suspended};
use crate::steps;

/// So long the supervisor must have got no answer, in milliseconds.
const SILENT_MS: i64 = 10_000;

/// What proves, beside the missing answer, that none will come.
pub enum Witness<'a> {
    /// The process was suspended by a signal.
    Suspended(&'a Process),
    /// It waits until somebody reads its output.
    FullPipe(&'a Process),
    /// The supervisor has got no answer for so many milliseconds, and it does not compute.
    LongSilence(&'a Process, i64),
}

impl<'a> Witness<'a> {
    fn process(&self) -> &'a Process {
        match self {
            Self::Suspended(process) | Self::FullPipe(process) | Self::LongSilence(process, _) => {
                process
            }
        }
    }
}

/// The second witness of a service that gave no answer; none when it answered, starts, or is held on
/// purpose by a tracer or a freezer.
pub fn witness(view: View<'_>) -> Option<Witness<'_>> {
    if view.is_starting() || missed(view).is_none() {
        return None;
    }
    let answering = view.answering_processes();
    if answering.iter().any(|process| held_by(process).is_some()) {
        return None;
    }
    let find = |is_it: &dyn Fn(&Process) -> bool| {
        let mut processes = answering.iter().copied();
        processes.find(|process| is_it(process))
    };
    if let Some(process) = find(&is_suspended) {
        return Some(Witness::Suspended(process));
    }
    let is_blocked =
        |process: &Process| process.waits_for_reader && process.stdout == Some(Output::Pipe);
    if let Some(process) = find(&is_blocked) {
        return Some(Witness::FullPipe(process));
    }
    let since = view.service.run.as_ref()?.unready_since?;
    let silent = view.snapshot.clock.gathered_at.as_millisecond() - since.as_millisecond();
    let process = find(&|process| process.state != 'R')?;
    (silent >= SILENT_MS).then_some(Witness::LongSilence(process, silent))
}

/// The request that tells who serves, when it was answered by nothing in time.
pub fn missed(view: View<'_>) -> Option<&Answer> {
    let answer = view.identity_answer()?;
    (view.is_running() && answer.outcome == Outcome::Timeout).then_some(answer)
}

/// The finding.
pub fn finding(view: View<'_>, witness: Witness<'_>) -> Finding {
    let process = witness.process();
    let pid = process.pid;
    let (symptom, cause, brief) = match &witness {
        Witness::Suspended(_) => (
            format!("{} does not answer: pid {pid} is suspended", view.name),
            "it is in state T: a SIGSTOP, or Ctrl-Z in its terminal; nobody traces it".to_owned(),
            "suspended",
        ),
        Witness::FullPipe(_) => (
            format!(
                "{} does not answer: pid {pid} waits for a reader of its output",
                view.name
            ),
            "its standard output is a pipe that is full and that nobody reads; SIGTERM does not \
             end it either"
                .to_owned(),
            "blocked by a full pipe",
        ),
        Witness::LongSilence(_, silent) => (
            format!(
                "{} does not answer, for {}",
                view.name,
                crate::words::age(u64::try_from(*silent).unwrap_or(0))
            ),
            format!("pid {pid} lives, does not compute, and answers the supervisor no more"),
            "hung",
        ),
    };
    let mut finding = Finding::new(&HUNG, subject(view), symptom, cause)
        .brief(brief)
        .evidence(state_row(view, &witness));
    if let Some(answer) = missed(view) {
        finding = finding.evidence(answer_row(view, answer));
    }
    if !view.is_wanted() {
        finding = finding.at(Severity::Info);
    }
    for fix in fixes(view, &witness) {
        finding = finding.fix(fix);
    }
    finding
}

fn state_row(view: View<'_>, witness: &Witness<'_>) -> Evidence {
    let process = witness.process();
    let pid = process.pid;
    let row = process_row(view, pid, &format!("in state {}", process.state), None);
    match witness {
        Witness::Suspended(_) => row.expected("state S or R"),
        Witness::FullPipe(_) => Evidence::new(
            "output",
            format!("pid {pid} waits in a write to its standard output, a pipe"),
            format!("/proc/{pid}"),
        )
        .expected("a file, or a reader")
        .command(format!(
            "ls -l /proc/{pid}/fd/1; cat /proc/{pid}/wchan; echo"
        )),
        Witness::LongSilence(..) => row,
    }
}

/// The missing answer as an observation.
pub fn answer_row(view: View<'_>, answer: &Answer) -> Evidence {
    let address = view.address().unwrap_or_default();
    let path = answer.request.rsplit(' ').next().unwrap_or("/");
    let url = by_hand::url(view.settings().scheme, &address, path);
    Evidence::new("answer", answer.describe(), url.clone())
        .expected("an answer within 1 s")
        .command(by_hand::ask(&url))
}

fn fixes(view: View<'_>, witness: &Witness<'_>) -> Vec<Fix> {
    let pid = witness.process().pid;
    let is_suspended = matches!(witness, Witness::Suspended(_));
    let resume = format!("kill -CONT {pid}");
    if !view.settings().managed {
        let title = format!("restart {} the way it is run here", view.name);
        let commands = if is_suspended {
            vec![resume]
        } else {
            Vec::new()
        };
        return vec![Fix::manual("by-hand", title, commands)];
    }
    let mut fixes = Vec::new();
    if is_suspended {
        let title = format!("let {} (pid {pid}) go on", view.name);
        fixes.push(steps::resume(view, witness.process(), title, vec![resume]));
    }
    let commands = std::iter::once(format!("kill -KILL {pid}"))
        .chain(by_hand::start(view))
        .collect();
    let title = format!("restart {}", view.name);
    fixes.push(steps::restart_by_rule(view, title, commands));
    fixes
}
