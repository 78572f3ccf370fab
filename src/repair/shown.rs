//! Runs and steps as the report shows them.

use super::files::FileChange;
use super::ground::Ground;
use super::mask;
use super::plan::PlannedRun;
use super::prepare::PreparedStep;
use super::steps;
use crate::report::repair::{Run, RunState, Step, StepState};

/// A run that was not begun.
pub fn run(planned: &PlannedRun, state: RunState, reason: Option<String>) -> Run {
    Run {
        run_id: None,
        root: planned.roots.first().cloned().unwrap_or_default(),
        roots: planned.roots.clone(),
        fix: planned.fixes.first().cloned().unwrap_or_default(),
        title: planned.title.clone(),
        state,
        reason,
        diff: None,
        restored: None,
        steps: planned.steps.iter().map(step).collect(),
    }
}

/// A run with the diffs of its files.
pub fn prepared_run(planned: &PlannedRun, prepared: &[PreparedStep], ground: &Ground) -> Run {
    let mut shown = run(planned, RunState::Planned, None);
    for (step, one) in shown.steps.iter_mut().zip(prepared) {
        step.diff = joined(&one.files, ground);
    }
    shown.diff = joined(&whole(prepared), ground);
    shown
}

/// Each file of a run once, from before the first step on it to behind the last.
fn whole(prepared: &[PreparedStep]) -> Vec<FileChange> {
    let mut files: Vec<FileChange> = Vec::new();
    for change in prepared.iter().flat_map(|step| &step.files) {
        match files.iter_mut().find(|file| file.target == change.target) {
            Some(file) => file.after.clone_from(&change.after),
            None => files.push(change.clone()),
        }
    }
    files
}

fn step(step: &flowgate_checks::model::Step) -> Step {
    Step {
        kind: steps::kind(step),
        target: steps::target(step),
        diff: None,
        state: StepState::Planned,
        error: None,
    }
}

fn joined(files: &[FileChange], ground: &Ground) -> Option<String> {
    let diffs: Vec<String> = files
        .iter()
        .filter_map(|file| mask::diff(file, ground))
        .collect();
    (!diffs.is_empty()).then(|| diffs.concat())
}
