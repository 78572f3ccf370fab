//! Whether the program runs: not running, starting, or not to be told.

use jiff::Timestamp;

use super::last_words::{LastWords, last_words};
use super::{NOT_RUNNING, STARTING, crash_loop, hung, killed, slow};
use crate::by_hand;
use crate::model::{
    ConfigFile, Evidence, Exit, Finding, Fix, Observed, RunLife, Safety, Severity, Subject,
    UnknownDatum, Verdict,
};
use crate::state::{View, need};
use crate::steps;
use crate::words;

/// Finds the state of the process of a service; at most one finding.
pub fn look(view: View<'_>, verdict: &mut Verdict) {
    // Between two of its ends it may live for a moment.
    if let Some(tries) = crash_loop::tries(view).filter(|_| view.is_starting() || !may_run(view)) {
        verdict.push(crash_loop::finding(view, tries));
    } else if view.is_starting() {
        starting(view, verdict);
    } else if !may_run(view) {
        if let Some(exit) = killed::by(view) {
            verdict.push(killed::finding(view, exit));
        } else if !is_served_elsewhere(view) {
            verdict.push(not_running(view));
        }
    } else if let Some(witness) = hung::witness(view) {
        verdict.push(hung::finding(view, witness));
    } else if let Some(finding) = slow::look(view) {
        verdict.push(finding);
    } else if view.is_running() && view.is_wanted() {
        late(view, verdict);
    }
}

/// Whether a config was written after the run ended of which the log speaks: what the program said
/// of its config then says nothing of the one that lies there now.
pub fn was_corrected_since(view: View<'_>, config: &ConfigFile) -> bool {
    let ended = view.service.exits.first().map(|exit| exit.at);
    matches!((config.modified_at, ended), (Some(written), Some(ended)) if written > ended)
}

/// A recorded run that lives counts as running even when its process may not be seen.
pub(super) fn may_run(view: View<'_>) -> bool {
    let lives = |life| life == RunLife::Alive;
    view.is_running() || view.service.run.as_ref().is_some_and(|run| lives(run.life))
}

/// Whether somebody else runs the program there and nobody wants a run of ours.
fn is_served_elsewhere(view: View<'_>) -> bool {
    !view.service.wanted.running && view.is_identified()
}

fn starting(view: View<'_>, verdict: &mut Verdict) {
    let Some(process) = view.main_process() else {
        return;
    };
    let (age, limit) = (
        words::age(process.age_ms),
        view.settings().ready_timeout_seconds,
    );
    let finding = Finding::new(
        &STARTING,
        subject(view),
        format!("{} is starting: pid {}, for {age}", view.name, process.pid),
        format!("it may take up to {limit} s until it is ready"),
    )
    .brief("starting")
    .evidence(process_row(
        view,
        process.pid,
        &format!("alive for {age}"),
        None,
    ));
    verdict.push(finding);
    if view.is_wanted() {
        verdict.unknowns.push(UnknownDatum {
            what: format!("whether {} serves", view.name),
            why: format!("it is starting, for {age}, and may take {limit} s"),
            command: Some(format!("{} doctor", view.snapshot.tool.command)),
            optional: false,
        });
    }
}

fn not_running(view: View<'_>) -> Finding {
    let wanted = view.is_wanted();
    let stopped = match &view.service.wanted.from {
        Some(from) if view.service.wanted.running => format!("{from} wants it"),
        Some(from) => format!("{from} does not want it"),
        None => "no record of a start".into(),
    };
    let mut finding =
        Finding::new(&NOT_RUNNING, subject(view), symptom(view), cause(view)).brief("not running");
    if !wanted {
        finding = finding.at(Severity::Info);
    }
    finding = finding.evidence(match &view.service.run {
        Some(run) => process_row(view, run.pid, life(run.life), Some(&stopped)),
        None => listener_row(view, &stopped),
    });
    if let Some(exit) = view.service.exits.first() {
        let seen = format!("{} at {}", describe_exit(exit), exit.at);
        let source = view.service.wanted.from.as_deref().unwrap_or("record");
        finding = finding.evidence(Evidence::new("exit", seen, source));
    }
    // Of a stop that was asked for, or of an earlier boot, the log says nothing.
    if let Some(words) = last_words(view).filter(|_| ended_by_itself(view)) {
        let mut row = Evidence::new("log", words.line(), words.path());
        row.command = by_hand::tail(view);
        finding = finding.evidence(row);
    }
    finding = finding.fix(start_fix(view, wanted));
    match enable_fix(view) {
        Some(fix) => finding.fix(fix),
        None => finding,
    }
}

/// After a restart of the machine: how flowgate is there at the next one.
fn enable_fix(view: View<'_>) -> Option<Fix> {
    let was_restarted = view.service.run.as_ref()?.life == RunLife::OtherBoot;
    let is_off = view.snapshot.host.starts_at_login == Observed::Known(false);
    (was_restarted && is_off && view.is_wanted() && view.settings().managed).then(|| {
        let command = &view.snapshot.tool.command;
        Fix::manual(
            "by-hand",
            "start all services, and let them be started at login",
            vec![
                format!("{command} service start all"),
                format!("{command} service enable"),
            ],
        )
    })
}

fn ended_by_itself(view: View<'_>) -> bool {
    let life = view.service.run.as_ref().map(|run| run.life);
    let was_asked = view
        .service
        .exits
        .first()
        .is_some_and(|exit| exit.requested);
    view.is_wanted() && !was_asked && life != Some(RunLife::OtherBoot)
}

fn symptom(view: View<'_>) -> String {
    if !view.is_wanted() {
        return match view.service.wanted.from {
            Some(_) => format!("{} is stopped, as asked", view.name),
            None => format!("{} was never started by flowgate", view.name),
        };
    }
    match view.service.exits.first() {
        Some(exit) => format!(
            "{} is not running: {}, {} ago",
            view.name,
            describe_exit(exit),
            age_at(view, exit.at)
        ),
        None => format!("{} is not running, and it should", view.name),
    }
}

fn cause(view: View<'_>) -> String {
    if !view.is_wanted() {
        return "nothing wants it to run".into();
    }
    let run = view.service.run.as_ref();
    if run.map(|run| run.life) == Some(RunLife::OtherBoot) {
        return match view.snapshot.host.starts_at_login {
            Observed::Known(true) => {
                "the machine was restarted; flowgate.service starts it at login".into()
            }
            Observed::Known(false) => {
                "the machine was restarted, and nothing starts flowgate at login".into()
            }
            _ => "the machine was restarted, and nothing starts it at boot".into(),
        };
    }
    if let Some(exit) = view.service.exits.first().filter(|exit| exit.requested) {
        return format!("it was stopped on purpose, {} ago", age_at(view, exit.at));
    }
    let ended = match (view.service.exits.first(), run) {
        (Some(exit), _) if exit.signal.is_some() && !exit.requested => {
            "flowgate did not send that signal".to_owned()
        }
        (Some(_), _) => String::new(),
        (None, Some(run)) => format!("pid {} {}", run.pid, life(run.life)),
        (None, None) => "no run of it is recorded".into(),
    };
    let said = match last_words(view) {
        Some(LastWords::Deciding { line, .. }) => format!("its log says: {line}"),
        Some(LastWords::Unexplained { line, .. }) => {
            format!("unexplained; its log says last: {line}")
        }
        None => "its log says nothing since its start".into(),
    };
    let parts: Vec<String> = [ended, said]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("; ")
}

/// `it ended with status 3 after 12 s`, `it was ended by SIGKILL`.
pub(super) fn describe_exit(exit: &Exit) -> String {
    let after = exit
        .uptime_ms
        .map_or_else(String::new, |ms| format!(" after {}", words::age(ms)));
    match (&exit.signal, exit.code) {
        (Some(signal), _) => format!("it was ended by SIG{signal}{after}"),
        (None, Some(code)) => format!("it ended with status {code}{after}"),
        (None, None) => format!("it ended, with a status that nobody saw{after}"),
    }
}

pub(super) fn age_at(view: View<'_>, at: Timestamp) -> String {
    let ms = view.snapshot.clock.gathered_at.as_millisecond() - at.as_millisecond();
    words::age(u64::try_from(ms).unwrap_or(0))
}

fn life(life: RunLife) -> &'static str {
    match life {
        RunLife::Alive => "lives",
        RunLife::Zombie => "has ended, and nobody has read its status",
        RunLife::Gone => "is gone",
        RunLife::Reused => "is gone, and another process has its pid now",
        RunLife::OtherBoot => "is of an earlier start of the machine",
    }
}

pub(super) fn process_row(
    view: View<'_>,
    pid: u32,
    seen: &str,
    expected: Option<&str>,
) -> Evidence {
    let source = view
        .service
        .wanted
        .from
        .as_deref()
        .unwrap_or("process table");
    let mut row = Evidence::new("process", format!("pid {pid} {seen}"), source)
        .command(format!("ps -o pid,stat,etime,args -p {pid}"));
    row.expected = expected.map(|record| format!("alive: {record}"));
    row
}

fn listener_row(view: View<'_>, record: &str) -> Evidence {
    let port = view.settings().port;
    let seen = format!("no process of {}; {record}", view.name);
    let command = port.map_or_else(
        || format!("ps -ef | grep -F {}", crate::shell::quote(view.name)),
        |port| format!("ss -ltn 'sport = :{port}'"),
    );
    Evidence::new("process", seen, "process table").command(command)
}

pub(super) fn start_fix(view: View<'_>, wanted: bool) -> Fix {
    if !view.settings().managed {
        return Fix::manual(
            "by-hand",
            format!("start {} the way it is run here", view.name),
            Vec::new(),
        );
    }
    let commands: Vec<String> = by_hand::start(view).into_iter().collect();
    let title = if commands.is_empty() {
        format!(
            "start {} with services.{}.command of {}",
            view.name, view.name, view.snapshot.configs.flowgate.path
        )
    } else {
        format!("start {}", view.name)
    };
    match steps::start(view) {
        // An info with a safe fix would be fixed unasked, and nobody wants this one to run.
        Some(step) if wanted => {
            Fix::new("start", Safety::Safe, title, commands).with_steps(vec![step])
        }
        _ => Fix::manual("start", title, commands),
    }
}

/// It runs, is past its window and does not listen: nothing says yet what is wrong.
fn late(view: View<'_>, verdict: &mut Verdict) {
    let what = format!("whether {} serves", view.name);
    if view.is_identified()
        || view.settings().port.is_none()
        || need(&view.snapshot.sockets, &what, &mut verdict.unknowns).is_none()
        || !view.own_sockets().is_empty()
    {
        return;
    }
    let age = view.main_process().map_or(0, |process| process.age_ms);
    verdict.unknowns.push(UnknownDatum {
        what,
        why: format!("it has run for {} and listens nowhere", words::age(age)),
        command: by_hand::tail(view),
        optional: false,
    });
}

pub(super) fn subject(view: View<'_>) -> Subject {
    Subject::Service(view.name.into())
}
