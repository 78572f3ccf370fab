//! Starting, restarting and ending what is ours.

use crate::by_hand;
use crate::holder::serve_nobody;
use crate::model::{Fix, Process, RunLife, RunSource, Safety, Snapshot, Step};
use crate::state::{View, is_suspended};

/// The signals that end a process, in order (DESIGN section 9).
const LADDER: [&str; 3] = ["TERM", "INT", "KILL"];

/// The command that applies one fix: `flowgate doctor --fix=move-port:litellm`.
pub fn apply(snapshot: &Snapshot, fix: &str, subject: &str) -> String {
    let choice = crate::shell::quote(&format!("{fix}:{subject}"));
    format!("{} doctor --fix={choice}", snapshot.tool.command)
}

/// Starts a service; none when somebody else does.
pub fn start(view: View<'_>) -> Option<Step> {
    by_hand::is_started_by_flowgate(view).then(|| Step::StartService {
        service: view.name.into(),
    })
}

/// Restarts a service; none when its run is not recorded by the supervisor, or not ours to stop.
pub fn restart(view: View<'_>) -> Option<Step> {
    let run = view.service.run.as_ref()?;
    let is_recorded = run.source == RunSource::Record && run.life == RunLife::Alive;
    (by_hand::is_started_by_flowgate(view) && is_recorded).then(|| Step::RestartService {
        service: view.name.into(),
    })
}

/// What makes a service take up a change: a restart when it runs, a start when it should run, else
/// nothing. None when that is not ours to do.
pub fn come_up(view: View<'_>) -> Option<Vec<Step>> {
    let is_recorded_alive = view.service.run.as_ref().map(|run| run.life) == Some(RunLife::Alive);
    if view.is_running() || is_recorded_alive {
        restart(view).map(|step| vec![step])
    } else if view.is_wanted() {
        start(view).map(|step| vec![step])
    } else {
        Some(Vec::new())
    }
}

/// The remedy `restart` where the state of the service decides: safe when it answers nothing on its
/// configured port or serves nobody, else asked for.
pub fn restart_by_rule(view: View<'_>, title: String, commands: Vec<String>) -> Fix {
    // Who is not wanted running is not touched unasked.
    let safety = match view.is_wanted() {
        false => Safety::Manual,
        true if cuts_nobody_off(view) => Safety::Safe,
        true => Safety::Unsafe,
    };
    restart_fix(view, safety, title, commands)
}

/// The remedy `restart` that is always asked for.
pub fn restart_asked(view: View<'_>, title: String, commands: Vec<String>) -> Fix {
    restart_fix(view, Safety::Unsafe, title, commands)
}

fn restart_fix(view: View<'_>, safety: Safety, title: String, commands: Vec<String>) -> Fix {
    match restart(view) {
        Some(step) if safety != Safety::Manual => {
            Fix::new("restart", safety, title, commands).with_steps(vec![step])
        }
        _ => Fix::manual("restart", title, commands),
    }
}

fn cuts_nobody_off(view: View<'_>) -> bool {
    let answers = view
        .probes()
        .into_iter()
        .flat_map(|probes| [&probes.root, &probes.liveness, &probes.readiness])
        .filter_map(|answer| answer.known())
        .any(|answer| answer.status().is_some());
    !view.owns_port() || !answers || serve_nobody(view.snapshot, &view.own_sockets())
}

/// The remedy `continue` for a process of our own run that was suspended, and that nobody holds on
/// purpose.
pub fn resume(view: View<'_>, process: &Process, title: String, commands: Vec<String>) -> Fix {
    let is_own = restart(view).is_some() && process.serves() == Some(view.name);
    // Who is not wanted running is not touched unasked.
    if !is_own || !view.is_wanted() || !is_suspended(process) {
        return Fix::manual("continue", title, commands);
    }
    Fix::new("continue", Safety::Safe, title, commands).with_steps(vec![Step::ContinueService {
        service: view.name.into(),
        pid: process.pid,
        start_time: process.start_time,
    }])
}

/// Ends every process of what is left of a run.
pub fn stop_all(processes: &[&Process]) -> Vec<Step> {
    let signal = |process: &&Process| Step::Signal {
        pid: process.pid,
        start_time: process.start_time,
        command: process.command.clone(),
        ladder: LADDER.map(str::to_owned).to_vec(),
    };
    processes.iter().map(signal).collect()
}
