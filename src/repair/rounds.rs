//! The whole of a repair: look, choose, apply, look again, keep or take back; then the next round
//! with what that uncovered.

use std::collections::BTreeSet;

use flowgate_checks::model::{Finding, Fix, Snapshot};

use super::choice::{Choice, choose, skipped};
use super::error::RepairError;
use super::ground::Ground;
use super::journal::OpenLines;
use super::lock::{self, Lock};
use super::mode::Mode;
use super::place::Place;
use super::plan::{self, PlannedRun};
use super::services::Services;
use super::transaction::{Group, Transaction};
use super::verify::{self, Look};
use super::{choice, owner, prepare, runs, shown};
use crate::doctor::{DoctorError, Seen};
use crate::report::repair::{Repair, Round, Run, RunState, Skipped};
use crate::report::{FailOn, Report, Selection};

/// The finding of a repair that was killed.
const UNFINISHED: &str = "supervisor/unfinished-repair";

/// Rounds of one group at most.
const ROUNDS: u32 = 5;

/// What is asked for.
pub struct Wish<'a> {
    /// Which fixes.
    pub mode: Mode,
    /// Whether unsafe ones are agreed to beforehand.
    pub yes: bool,
    /// Whether only the plan is wanted.
    pub dry_run: bool,
    /// Which checks are shown, gated and repaired.
    pub selection: Selection,
    /// From which severity on the run fails.
    pub fail_on: FailOn,
    /// How the lines of a journal are written.
    pub lines: OpenLines<'a>,
}

/// A fix that is not safe, offered to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What it does.
    pub what: String,
    /// Why: what a user sees of the finding.
    pub why: String,
    /// What it changes in files, secrets hidden; empty when nothing.
    pub diff: String,
}

/// The person at the other end.
pub trait Talk {
    /// Whether somebody is there to agree.
    fn can_answer(&self) -> bool;
    /// Asks whether these fixes may be applied, all or none.
    fn agrees(&mut self, offers: &[Offer]) -> bool;
    /// Tells what is being done.
    fn note(&mut self, what: &str);
}

/// Looks, and repairs what was asked for. The report is that of the last look.
///
/// # Errors
/// [`RepairError`], when nothing may be changed or nothing could be seen; nothing was changed then.
pub fn repair(
    look: &dyn Fn() -> Result<Seen, DoctorError>,
    wish: &Wish<'_>,
    talk: &mut dyn Talk,
) -> Result<Report, RepairError> {
    let mut session = Session {
        look,
        wish,
        repair: Repair {
            mode: wish.mode.word().into(),
            dry_run: wish.dry_run,
            ..Repair::default()
        },
        tried: BTreeSet::new(),
        met: BTreeSet::new(),
        lock: None,
        group: Group::default(),
    };
    let mut seen = session.see()?;
    if !wish.dry_run {
        owner::check(&seen.snapshot)?;
    }
    for n in 1..=ROUNDS {
        let Some((after, has_kept)) = session.round(n, &seen, talk)? else {
            break;
        };
        seen = after;
        // Where nothing was kept nothing was uncovered.
        if !has_kept {
            break;
        }
    }
    let mut report = seen.report(wish.selection.clone(), wish.fail_on);
    session.note_names_in_vain(&report);
    let is_there = |key: &String| report.findings.iter().any(|finding| finding.key() == *key);
    session.repair.uncovered.retain(is_there);
    session.repair.group_id = session.group.id.map(|id| id.to_string());
    report.repair = Some(session.repair);
    Ok(report)
}

struct Session<'a> {
    look: &'a dyn Fn() -> Result<Seen, DoctorError>,
    wish: &'a Wish<'a>,
    repair: Repair,
    /// Keys of findings for which a fix was applied, offered or skipped.
    tried: BTreeSet<String>,
    /// Which of the names that were asked for a root had a fix of.
    met: BTreeSet<usize>,
    lock: Option<Lock>,
    group: Group,
}

impl Session<'_> {
    fn see(&self) -> Result<Seen, RepairError> {
        (self.look)().map_err(|error| RepairError::Look(error.to_string()))
    }

    /// One round: the look after it, and whether something of it was kept; none when there was nothing
    /// to do.
    fn round(
        &mut self,
        n: u32,
        seen: &Seen,
        talk: &mut dyn Talk,
    ) -> Result<Option<(Seen, bool)>, RepairError> {
        let report = seen.report(self.wish.selection.clone(), self.wish.fail_on);
        let Some(ground) = Ground::of(&seen.snapshot) else {
            self.meet(&report);
            self.leave_everything(&report);
            return Ok(None);
        };
        self.meet(&report);
        let chosen = self.choose(&report, &seen.snapshot, &ground, talk);
        let runs = plan::plan(&chosen, &seen.snapshot);
        if runs.is_empty() {
            return Ok(None);
        }
        if self.wish.dry_run {
            let runs = runs.iter().map(|run| planned(run, &ground)).collect();
            self.repair.rounds.push(Round { n, runs });
            return Ok(None);
        }
        let place = Place::below(&ground.runtime);
        place
            .make()
            .map_err(|error| RepairError::Journal(error.to_string()))?;
        if self.lock.is_none() {
            self.lock = Some(lock::win(&place)?);
            runs::prune(&place, runs::KEPT);
        }
        let transaction = Transaction {
            round: n,
            ground: &ground,
            place: &place,
            lines: self.wish.lines,
            services: Services::of(&ground),
            before: full(seen),
            look: self.look,
        };
        let outcome = transaction.carry_out(&runs, &mut self.group, talk)?;
        self.repair.uncovered.extend(outcome.uncovered);
        let has_kept = outcome
            .runs
            .iter()
            .any(|run| matches!(run.state, RunState::Kept | RunState::Recovered));
        self.repair.rounds.push(Round {
            n,
            runs: outcome.runs,
        });
        self.repair.uncovered.sort();
        self.repair.uncovered.dedup();
        Ok(Some((outcome.after, has_kept)))
    }

    /// The fixes to apply, after everybody was asked who has to be.
    fn choose<'r>(
        &mut self,
        report: &'r Report,
        snapshot: &Snapshot,
        ground: &Ground,
        talk: &mut dyn Talk,
    ) -> Vec<(&'r Finding, &'r Fix)> {
        let Wish { mode, yes, .. } = self.wish;
        let agrees = *yes || self.wish.dry_run;
        let may_ask = talk.can_answer() && *mode != Mode::Safe;
        let mut asked = Vec::new();
        // In the order of the report, with what has to be asked for in its place.
        let mut chosen = Vec::new();
        let roots = plan::roots(report);
        // What is half done makes everything else look wrong: it is taken back first, alone, and the
        // next round looks anew.
        let unfinished = roots.iter().position(|root| {
            root.spec.id == UNFINISHED
                && !self.tried.contains(&root.key())
                && matches!(choose(root, mode, may_ask, agrees), Choice::Take(_))
        });
        let roots = match unfinished {
            Some(first) => vec![roots[first]],
            None => roots,
        };
        for root in roots {
            if !self.tried.insert(root.key()) {
                continue;
            }
            match choose(root, mode, may_ask, agrees) {
                Choice::Take(fix) => chosen.push((root, fix)),
                Choice::Ask(fix) => asked.push((root, fix)),
                Choice::Skip(skipped) => self.skip(skipped),
                Choice::Leave => {}
            }
        }
        let together: Vec<Vec<(&Finding, &Fix)>> = match mode {
            Mode::All if !asked.is_empty() => vec![asked],
            _ => asked.into_iter().map(|one| vec![one]).collect(),
        };
        for group in together {
            let offers: Vec<Offer> = group
                .iter()
                .map(|(root, fix)| offer(root, fix, snapshot, ground))
                .collect();
            if talk.agrees(&offers) {
                chosen.extend(group);
            } else {
                for (root, fix) in group {
                    self.skip(skipped(root, fix, "it was declined"));
                }
            }
        }
        chosen
    }

    fn skip(&mut self, skipped: Skipped) {
        if !self.repair.skipped.contains(&skipped) {
            self.repair.skipped.push(skipped);
        }
    }

    fn leave_everything(&mut self, report: &Report) {
        for root in plan::roots(report) {
            let fixes = root.fixes.iter().filter(|fix| !fix.steps.is_empty());
            for fix in fixes {
                self.skip(skipped(
                    root,
                    fix,
                    "flowgate.yaml does not tell where things are",
                ));
            }
        }
    }

    /// Which names found a root, in this round.
    fn meet(&mut self, report: &Report) {
        let Mode::Named(names) = &self.wish.mode else {
            return;
        };
        for (index, name) in names.iter().enumerate() {
            let mut roots = plan::roots(report).into_iter();
            if roots.any(|root| root.fixes.iter().any(|fix| name.means(root, fix))) {
                self.met.insert(index);
            }
        }
    }

    fn note_names_in_vain(&mut self, report: &Report) {
        let Mode::Named(names) = &self.wish.mode else {
            return;
        };
        for (index, name) in names.iter().enumerate() {
            if !self.met.contains(&index) {
                self.skip(Skipped {
                    fix: name.to_string(),
                    reason: choice::why_in_vain(name, report),
                });
            }
        }
    }
}

/// A look with every check in it.
pub fn full(seen: &Seen) -> Look {
    Look {
        snapshot: seen.snapshot.clone(),
        report: seen.report(Selection::default(), FailOn::default()),
    }
}

fn offer(root: &Finding, fix: &Fix, snapshot: &Snapshot, ground: &Ground) -> Offer {
    let runs = plan::plan(&[(root, fix)], snapshot);
    let diffs = runs.iter().filter_map(|run| planned(run, ground).diff);
    Offer {
        what: fix.title.clone(),
        why: root.symptom.clone(),
        diff: diffs.collect(),
    }
}

/// A run as it would be done.
fn planned(run: &PlannedRun, ground: &Ground) -> Run {
    if run.is_recovery() {
        return shown::run(run, RunState::Planned, None);
    }
    match prepare::prepare(&run.steps, ground, &Services::of(ground)) {
        Ok(prepared) => shown::prepared_run(run, &prepared, ground),
        Err((_, why)) => shown::run(run, RunState::Refused, Some(why.to_string())),
    }
}

/// Whether a key names an error that could not be seen before.
pub fn uncovered(before: &Look, after: &Look) -> Vec<String> {
    verify::new_errors(before, after)
        .into_iter()
        .filter(|(_, was_fine)| !was_fine)
        .map(|(finding, _)| finding.key())
        .collect()
}
