//! Services of ours run and nobody watches them.

use super::GONE;
use crate::model::{
    Evidence, Finding, Fix, RunLife, RunSource, Safety, Snapshot, Step, Subject, UnknownDatum,
    Verdict,
};
use crate::state::{View, services};
use crate::words;

/// Finds that the supervisor has ended while a service that it recorded lives.
pub fn look(snapshot: &Snapshot, verdict: &mut Verdict) {
    let watched: Vec<View<'_>> = services(snapshot)
        .filter(|view| view.settings().managed && is_recorded_alive(*view))
        .collect();
    if watched.is_empty() {
        return;
    }
    let recorded = &snapshot.supervisor.recorded;
    if let Some(unknown) = recorded.why_unknown() {
        verdict.unknowns.push(UnknownDatum {
            what: "whether the supervisor lives".into(),
            why: unknown.why.clone(),
            command: unknown.command.clone(),
            optional: true,
        });
    }
    let Some(Some(supervisor)) = recorded.known() else {
        return;
    };
    if supervisor.life == RunLife::Alive {
        return;
    }
    let (pid, path) = (supervisor.pid, &supervisor.path);
    let names: Vec<&str> = watched.iter().map(|view| view.name).collect();
    let names = words::list(&names);
    let command = crate::shell::path(snapshot, path);
    let mut finding = Finding::new(
        &GONE,
        Subject::Supervisor,
        format!("nobody watches {names}: the supervisor (pid {pid}) has ended"),
        "it ended without stopping the services; they go on, and nobody starts them again when they end",
    )
    .brief("no supervisor")
    .evidence(
        Evidence::new("record", format!("supervisor pid {pid}, {}", fate(supervisor.life)), path)
            .expected("a process that lives")
            .command(format!("cat {command}; ps -o pid,lstart,args -p {pid}")),
    );
    for view in watched {
        if let Some(process) = view.main_process() {
            finding = finding.evidence(
                Evidence::new(
                    "process",
                    format!("{} lives as pid {}", view.name, process.pid),
                    format!("/proc/{}", process.pid),
                )
                .command(format!("ps -o pid,ppid,lstart,args -p {}", process.pid)),
            );
        }
    }
    let fix = Fix::new(
        "start-supervisor",
        Safety::Safe,
        "start a supervisor, which takes over the services that run",
        vec![format!("{} service start all", snapshot.tool.command)],
    );
    verdict.push(finding.fix(fix.with_steps(vec![Step::StartSupervisor])));
}

/// Whether the record of our supervisor names a run that lives.
fn is_recorded_alive(view: View<'_>) -> bool {
    view.service
        .run
        .as_ref()
        .is_some_and(|run| run.source == RunSource::Record && run.life == RunLife::Alive)
}

/// What became of a process, in words.
pub fn fate(life: RunLife) -> &'static str {
    match life {
        RunLife::Alive => "which lives",
        RunLife::Zombie => "which has ended, and nobody has read its status",
        RunLife::Gone => "which is gone",
        RunLife::Reused => "whose pid another process has now",
        RunLife::OtherBoot => "of an earlier boot",
    }
}
