//! The runs of one round: applied one after the other, verified together, kept or taken back each by
//! itself.

use flowgate_checks::model::Step;
use jiff::Timestamp;

use super::apply::{Stopped, apply};
use super::error::{RepairError, StepError};
use super::ground::Ground;
use super::journal::{Journal, OpenLines};
use super::place::Place;
use super::plan::PlannedRun;
use super::prepare::{PreparedStep, prepare};
use super::record::{self, Event, RunRecord};
use super::rounds::{Talk, full, uncovered};
use super::services::Services;
use super::verify::Look;
use super::{shown, undo};
use crate::doctor::{DoctorError, Seen};
use crate::report::json_v1::Document;
use crate::report::repair::{Run, RunState, StepState};
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::hex::hex;

/// The runs of one call of the doctor.
#[derive(Debug, Default)]
pub struct Group {
    /// The id of the first.
    pub id: Option<u64>,
}

/// One round.
pub struct Transaction<'a> {
    /// Its number.
    pub round: u32,
    /// What is acted upon.
    pub ground: &'a Ground,
    /// Where the journals are.
    pub place: &'a Place,
    /// How their lines are written.
    pub lines: OpenLines<'a>,
    /// The services as they are before it.
    pub services: Services<'a>,
    /// The look that it was planned from.
    pub before: Look,
    /// How to look again.
    pub look: &'a dyn Fn() -> Result<Seen, DoctorError>,
}

/// What a round came to.
pub struct Outcome {
    /// Its runs.
    pub runs: Vec<Run>,
    /// Keys of errors that could not be seen before.
    pub uncovered: Vec<String>,
    /// The last look.
    pub after: Seen,
}

/// A run that was begun.
pub(super) struct Begun<'a> {
    pub(super) planned: &'a PlannedRun,
    prepared: Vec<PreparedStep>,
    journal: Journal,
    pub(super) stopped: Option<Stopped>,
    shown: Run,
}

impl Transaction<'_> {
    /// Applies, verifies, keeps or takes back.
    ///
    /// # Errors
    /// [`RepairError`], when there is no look to verify with; what was done is taken back then, or is
    /// found as unfinished by the next look.
    pub fn carry_out(
        &self,
        planned: &[PlannedRun],
        group: &mut Group,
        talk: &mut dyn Talk,
    ) -> Result<Outcome, RepairError> {
        let mut finished = Vec::new();
        let mut begun = Vec::new();
        for run in planned {
            talk.note(&run.title);
            match self.begin(run, group) {
                Ok(Start::Begun(run)) => begun.push(*run),
                Ok(Start::Finished(shown)) => finished.push(*shown),
                Err(why) => {
                    let reason = Some(why.to_string());
                    finished.push(shown::run(run, RunState::Refused, reason));
                }
            }
        }
        talk.note("looking again");
        let (mut after, mut look) = match self.settled(&begun) {
            Ok(after) => after,
            Err(error) => {
                let why = format!("it could not be verified: {error}");
                begun.into_iter().for_each(|run| {
                    self.roll_back(run, &why);
                });
                return Err(error);
            }
        };
        let uncovered = uncovered(&self.before, &look);
        // What is taken back may have been to blame for what another run was charged with, and the
        // other way round: who is left is judged anew.
        loop {
            let verdicts: Vec<Option<String>> = begun
                .iter()
                .map(|run| self.why_not_kept(run, &begun, &look))
                .collect();
            if verdicts.iter().all(Option::is_none) {
                break;
            }
            let mut left = Vec::new();
            for (run, verdict) in begun.into_iter().zip(verdicts) {
                match verdict {
                    None => left.push(run),
                    Some(why) => finished.push(self.roll_back(run, &why)),
                }
            }
            begun = left;
            after = (self.look)().map_err(|error| RepairError::Look(error.to_string()))?;
            look = full(&after);
        }
        let kept: Vec<Run> = begun.into_iter().map(|run| self.keep(run, &look)).collect();
        let is_all_kept = kept.iter().all(|run| run.state == RunState::Kept);
        finished.extend(kept);
        if !is_all_kept {
            after = (self.look)().map_err(|error| RepairError::Look(error.to_string()))?;
        }
        Ok(Outcome {
            runs: finished,
            uncovered,
            after,
        })
    }

    fn begin<'p>(
        &self,
        planned: &'p PlannedRun,
        group: &mut Group,
    ) -> Result<Start<'p>, StepError> {
        if planned.is_recovery() {
            return self.recover(planned);
        }
        let prepared = prepare(&planned.steps, self.ground, &self.services);
        let prepared = prepared.map_err(|(_, why)| why)?;
        let failed = |error: RepairError| StepError::Failed(format!("failed to {error}"));
        let (id, folder) = Journal::new_folder(self.place).map_err(failed)?;
        let ids = (id, group.id.unwrap_or(id));
        let (record, copies) = record_of(self.round, ids, planned, &prepared);
        let before = document(&self.before);
        let mut journal =
            Journal::begin(&folder, &record, &copies, &before, self.lines).map_err(failed)?;
        group.id.get_or_insert(id);
        let mut shown = shown::prepared_run(planned, &prepared, self.ground);
        shown.run_id = Some(id.to_string());
        let stopped = apply(&prepared, &mut journal, self.ground, &self.services).err();
        let done = stopped
            .as_ref()
            .map_or(prepared.len(), |stopped| stopped.step);
        for step in shown.steps.iter_mut().take(done) {
            step.state = StepState::Done;
        }
        if let Some(stopped) = &stopped
            && let Some(step) = shown.steps.get_mut(stopped.step)
        {
            step.state = StepState::Failed;
            step.error = Some(stopped.why.to_string());
        }
        Ok(Start::Begun(Box::new(Begun {
            planned,
            prepared,
            journal,
            stopped,
            shown,
        })))
    }

    /// Takes back what earlier runs left unfinished.
    fn recover<'p>(&self, planned: &'p PlannedRun) -> Result<Start<'p>, StepError> {
        let mut shown = shown::run(planned, RunState::Recovered, None);
        let mut restored = Vec::new();
        for (index, step) in planned.steps.iter().enumerate() {
            let Step::FinishRollBack { run } = step else {
                continue;
            };
            let id = run.parse();
            let id = id.map_err(|_| StepError::Refused(format!("there is no run {run}")))?;
            let end = record::RunState::Recovered;
            let (_, back) = undo::undo(self.place, id, end, self.ground, self.lines)
                .map_err(|error| StepError::Failed(format!("failed to {error}")))?;
            shown.run_id.get_or_insert_with(|| run.clone());
            shown.steps[index].state = StepState::Done;
            restored.push(back.words());
        }
        shown.restored = Some(restored.join("; "));
        Ok(Start::Finished(Box::new(shown)))
    }

    fn keep(&self, mut run: Begun<'_>, after: &Look) -> Run {
        run.journal.keep_after(&document(after));
        let end = Event::End {
            state: record::RunState::Kept,
            why: None,
        };
        match run.journal.note(end) {
            Ok(()) => {
                run.shown.state = RunState::Kept;
                run.shown
            }
            // A run whose end is not written would be taken back by the next doctor.
            Err(error) => self.roll_back(run, &format!("failed to {error}")),
        }
    }

    fn roll_back(&self, mut run: Begun<'_>, why: &str) -> Run {
        let standing: Vec<usize> = match &run.stopped {
            None => (0..run.prepared.len()).collect(),
            Some(stopped) if stopped.why.is_without_effect() => (0..stopped.step).collect(),
            Some(stopped) => (0..=stopped.step).collect(),
        };
        let back = undo::take_back(
            &run.prepared,
            &standing,
            &mut run.journal,
            self.ground,
            &self.services,
        );
        let end = Event::End {
            state: record::RunState::RolledBack,
            why: Some(why.to_owned()),
        };
        let noted = run.journal.note(end);
        for step in &back.steps {
            if let Some(step) = run.shown.steps.get_mut(*step)
                && step.state == StepState::Done
            {
                step.state = StepState::TakenBack;
            }
        }
        run.shown.state = RunState::RolledBack;
        run.shown.reason = Some(match noted {
            Ok(()) => why.to_owned(),
            Err(error) => format!("{why}; failed to {error}"),
        });
        run.shown.restored = Some(back.words());
        run.shown
    }
}

/// A run as its folder keeps it, with the copies of its files; `ids` are its own and its group's.
pub(super) fn record_of(
    round: u32,
    (run, group): (u64, u64),
    planned: &PlannedRun,
    prepared: &[PreparedStep],
) -> (RunRecord, Vec<(String, Vec<u8>)>) {
    let mut key = [0; 32];
    // Without randomness the digests say less; the copies are compared byte by byte anyway.
    let _ = getrandom::fill(&mut key);
    let digests = Fingerprinter::fixed(key);
    let mut copies = Vec::new();
    let steps = prepared.iter().enumerate().map(|(index, step)| {
        step.record(
            index,
            |bytes| digests.of_bytes(bytes),
            |name, bytes| copies.push((name, bytes.to_vec())),
        )
    });
    let record = RunRecord {
        v: record::VERSION,
        run,
        group,
        round,
        at: Timestamp::now(),
        roots: planned.roots.clone(),
        fixes: planned.fixes.clone(),
        title: planned.title.clone(),
        safety: planned.safety,
        digest_key: hex(&key),
        steps: steps.collect(),
    };
    (record, copies)
}

/// How a run begins.
enum Start<'p> {
    Begun(Box<Begun<'p>>),
    Finished(Box<Run>),
}

fn document(look: &Look) -> Vec<u8> {
    serde_json::to_vec_pretty(&Document::from(&look.report)).unwrap_or_default()
}
