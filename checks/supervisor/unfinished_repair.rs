//! A repair was begun and neither kept nor taken back.

use super::UNFINISHED_REPAIR;
use crate::model::{
    Evidence, Finding, Fix, Safety, Snapshot, Step, Subject, UnfinishedRepair, UnknownDatum,
    Verdict,
};
use crate::shell;

/// Finds repairs that were killed in between: some of their changes may be there, others not.
pub fn look(snapshot: &Snapshot, verdict: &mut Verdict) {
    let repairs = match &snapshot.supervisor.unfinished_repairs {
        crate::model::Observed::Known(repairs) => repairs,
        crate::model::Observed::Unknown(unknown) => {
            verdict.unknowns.push(UnknownDatum {
                what: "unfinished repairs".into(),
                why: unknown.why.clone(),
                command: unknown.command.clone(),
                optional: true,
            });
            return;
        }
        crate::model::Observed::NotAsked => return,
    };
    let Some(first) = repairs.first() else {
        return;
    };
    let mut finding = Finding::new(
        &UNFINISHED_REPAIR,
        Subject::Supervisor,
        format!("repair {} was begun and not finished: {}", first.run, first.title),
        "flowgate doctor was ended, or the disk was full, before it could keep the repair or take it back",
    )
    .brief("unfinished repair");
    for repair in repairs {
        finding = finding.evidence(row(repair, snapshot));
    }
    // The newest first: it stands on what the older ones left.
    let newest_first = || repairs.iter().rev();
    let command = &snapshot.tool.command;
    let commands = newest_first()
        .map(|repair| format!("{command} doctor undo {}", repair.run))
        .collect();
    let steps = newest_first()
        .map(|repair| Step::FinishRollBack {
            run: repair.run.clone(),
        })
        .collect();
    let mut fix = Fix::new(
        "finish-roll-back",
        Safety::Safe,
        format!("take back what {} changed so far", names(repairs)),
        commands,
    )
    .with_steps(steps);
    fix.reversible = false;
    verdict.push(finding.fix(fix));
}

/// `repair 7`, `repairs 6, 7`.
fn names(repairs: &[UnfinishedRepair]) -> String {
    let names: Vec<&str> = repairs.iter().map(|repair| repair.run.as_str()).collect();
    match names.as_slice() {
        [only] => format!("repair {only}"),
        several => format!("repairs {}", several.join(", ")),
    }
}

fn row(repair: &UnfinishedRepair, snapshot: &Snapshot) -> Evidence {
    let journal = format!("{}/journal.jsonl", repair.path);
    Evidence::new(
        "journal",
        format!(
            "{} of {} steps begun, no end",
            repair.steps_begun, repair.steps
        ),
        &journal,
    )
    .expected("an end: kept, or taken back")
    .command(format!("cat {}", shell::path(snapshot, &journal)))
}
