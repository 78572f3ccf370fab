//! What is left of an earlier run of ours holds the port.

use super::{OWN_ORPHAN, listener_row, stop_holder, weigh};
use crate::by_hand;
use crate::holder::{Holder, serve_nobody};
use crate::model::{Evidence, Finding, Fix, Output, Process, Relation, RunLife, Safety, Subject};
use crate::places;
use crate::state::View;
use crate::steps;
use crate::words;

/// The finding for a process of a tree that we started, which is not that of the current run.
pub fn find(view: &View<'_>, holder: &Holder<'_>) -> Finding {
    let port = view.settings().port.unwrap_or_default();
    let mut finding = Finding::new(
        &OWN_ORPHAN,
        Subject::Service(view.name.into()),
        format!(
            "{port} is held by what is left of an earlier run of {}: {}",
            started_as(view, holder),
            holder.describe()
        ),
        cause(view, holder),
    )
    .brief(format!("port held by an earlier run ({})", holder.short()))
    .evidence(listener_row::row(view, holder, port))
    .evidence(places::setting_row(view, "port", &port.to_string()));
    if let Some(process) = holder.processes.first() {
        finding = finding.evidence(origin_row(view, process));
    }
    finding
        .evidence
        .extend(listener_row::answer_row(view, port));
    weigh(finding.fix(stop(view, holder)), view)
}

/// The service as which it was started.
fn started_as<'a>(view: &View<'a>, holder: &Holder<'a>) -> &'a str {
    holder
        .processes
        .iter()
        .find_map(|process| match &process.relation {
            Relation::Orphan { service } => Some(service.as_str()),
            _ => None,
        })
        .unwrap_or(view.name)
}

fn cause(view: &View<'_>, holder: &Holder<'_>) -> String {
    let left = if holder.processes.len() > 1 {
        "these processes outlived it"
    } else {
        "this process outlived it"
    };
    match (&view.service.run, view.own_sockets().first()) {
        (_, Some(socket)) => format!(
            "{left}, so the run that flowgate knows moved to {} without a word",
            socket.port
        ),
        (Some(_), None) if view.is_running() => {
            format!("{left}, so the run that flowgate knows cannot have the port")
        }
        (Some(run), None) if run.life != RunLife::Alive => {
            format!("its main process (pid {}) ended, and {left}", run.pid)
        }
        _ => "flowgate started it, and the record of it is lost".into(),
    }
}

/// Why it is ours: the session that flowgate made, or the log into which it writes.
fn origin_row(view: &View<'_>, process: &Process) -> Evidence {
    if let (None, Some(Output::File { path })) = (&view.service.run, &process.stdout) {
        let observed = format!("pid {} writes into {path}", process.pid);
        return Evidence::new("output", observed, format!("/proc/{}/fd/1", process.pid))
            .expected("a log of another program")
            .command(format!("ls -l /proc/{}/fd/1", process.pid));
    }
    let observed = match process.session == process.pid {
        true => format!("pid {} leads the session {}", process.pid, process.session),
        false => format!(
            "pid {} belongs to the session {}",
            process.pid, process.session
        ),
    };
    let expected = match view.main_process() {
        Some(main) => format!("the session {} of the current run", main.session),
        None => "no process of it".into(),
    };
    Evidence::new("process", observed, format!("/proc/{}/stat", process.pid))
        .expected(expected)
        .command(format!(
            "ps -o pid,ppid,sess,user,lstart,args -p {}",
            process.pid
        ))
}

/// Stops all that is left of it, not only who listens, then starts the service.
fn stop(view: &View<'_>, holder: &Holder<'_>) -> Fix {
    let snapshot = view.snapshot;
    let mut left: Vec<&Process> = snapshot
        .processes
        .values()
        .filter(|process| {
            matches!(process.relation, Relation::Orphan { .. })
                && process.state != 'Z'
                && holder
                    .processes
                    .iter()
                    .any(|holding| holding.session == process.session)
        })
        .collect();
    left.extend(holder.processes.iter().copied());
    left.sort_by_key(|process| process.pid);
    left.dedup_by_key(|process| process.pid);
    let pids: Vec<String> = left.iter().map(|process| process.pid.to_string()).collect();
    let is_another_users = left
        .iter()
        .any(|process| process.uid != snapshot.host.user.uid);
    let sudo = stop_holder::sudo_if(snapshot, is_another_users);
    let mut commands = vec![format!("{sudo}kill {}", pids.join(" "))];
    let then = match (view.is_running(), view.is_wanted()) {
        (true, _) => {
            commands.extend(by_hand::restart(*view));
            format!(", then restart {}", view.name)
        }
        (false, true) => {
            commands.extend(by_hand::start(*view));
            format!(", then start {}", view.name)
        }
        (false, false) => String::new(),
    };
    let title = format!(
        "stop {} of the earlier run{then}",
        words::count(left.len(), "process")
    );
    // Of another user's process nobody but root may end anything.
    let is_allowed = !is_another_users || snapshot.host.user.uid == 0;
    let Some(after) = steps::come_up(*view).filter(|_| is_allowed) else {
        return Fix::manual("stop-orphan", title, commands);
    };
    let safety = if serve_nobody(snapshot, &holder.sockets) && !is_another_users {
        Safety::Safe
    } else {
        Safety::Unsafe
    };
    let mut stop = steps::stop_all(&left);
    stop.extend(after);
    Fix::new("stop-orphan", safety, title, commands).with_steps(stop)
}
