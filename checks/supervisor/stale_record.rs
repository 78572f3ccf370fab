//! A record of a service that nobody wants names a run that is over.

use super::STALE_RECORD;
use super::gone::fate;
use crate::model::{
    Evidence, Finding, Fix, RecordFile, Relation, RunLife, Safety, Snapshot, Step, Subject, Verdict,
};
use crate::shell;
use crate::state::services;

/// Finds records that nobody will replace: those of a wanted service are, at its start.
pub fn look(snapshot: &Snapshot, verdict: &mut Verdict) {
    for view in services(snapshot) {
        if view.service.wanted.running {
            continue;
        }
        let stale: Vec<(&RecordFile, String)> = view
            .service
            .records
            .iter()
            .filter_map(|record| Some((record, fault(record)?)))
            .collect();
        let Some((first, why)) = stale.first() else {
            continue;
        };
        let mut finding = Finding::new(
            &STALE_RECORD,
            Subject::Service(view.name.into()),
            format!("{} {why}", first.path),
            format!("nobody wants {} to run, so no start replaces it", view.name),
        )
        .brief("stale record");
        for (record, why) in &stale {
            let path = shell::path(snapshot, &record.path);
            let look = match record.claims {
                Some(pid) => format!("cat {path}; ps -o pid,lstart,args -p {pid}"),
                None => format!("cat {path}"),
            };
            finding = finding.evidence(Evidence::new("record", why, &record.path).command(look));
        }
        let paths: Vec<String> = stale
            .iter()
            .map(|(record, _)| shell::path(snapshot, &record.path))
            .collect();
        let paths = paths.join(" ");
        let steps = stale.iter().map(|(record, _)| Step::RemoveRecord {
            path: record.path.clone(),
        });
        let fix = Fix::new(
            "remove-record",
            Safety::Safe,
            format!("remove {paths}"),
            vec![format!("rm {paths}")],
        );
        // Who it was that an unreadable record named nobody knows, so nothing of the kind may live.
        let is_told = stale.iter().all(|(record, _)| record.fault.is_none());
        verdict.push(finding.fix(if is_told || !lives(snapshot, view.name) {
            fix.with_steps(steps.collect())
        } else {
            Fix::manual("remove-record", fix.title, fix.commands)
        }));
    }
}

/// Why a record is worth nothing; none for one that says no run is going on, or a true one.
fn fault(record: &RecordFile) -> Option<String> {
    if let Some(fault) = &record.fault {
        return Some(fault.clone());
    }
    let (pid, life) = (record.claims?, record.life?);
    (life != RunLife::Alive).then(|| format!("says that pid {pid} runs, {}", fate(life)))
}

/// Whether a process of a run of the service lives.
fn lives(snapshot: &Snapshot, name: &str) -> bool {
    snapshot.processes.values().any(|process| {
        let is_one = match &process.relation {
            Relation::Service { service }
            | Relation::Tree { service }
            | Relation::Orphan { service } => service == name,
            Relation::SameProgram { .. } | Relation::Forwarder | Relation::Foreign => false,
        };
        is_one && process.state != 'Z'
    })
}
