//! What a command changes by itself, in a run of its own: journaled before the first step, and taken
//! back by `doctor undo`. Nothing is looked at behind it.

use flowgate_checks::model::{Safety, Step};

use super::apply::apply;
use super::error::RepairError;
use super::ground::Ground;
use super::journal::{Journal, OpenLines};
use super::place::Place;
use super::plan::PlannedRun;
use super::prepare::prepare;
use super::record::{Event, RunState};
use super::services::Services;
use super::transaction::record_of;
use super::{lock, mask, owner, undo};

/// What steps would change in files, secrets hidden.
///
/// # Errors
/// [`RepairError::NotDone`].
pub fn diff(steps: &[Step], ground: &Ground) -> Result<String, RepairError> {
    let prepared = prepare(steps, ground, &Services::of(ground));
    let prepared = prepared.map_err(|(_, why)| RepairError::NotDone(why.to_string()))?;
    let files = prepared.iter().flat_map(|step| &step.files);
    Ok(files.filter_map(|file| mask::diff(file, ground)).collect())
}

/// Does steps that a command asks for; gives the id of the run. What was done is taken back when one
/// of them cannot be done.
///
/// # Errors
/// [`RepairError`]; everything is as it was then.
pub fn carry_out(
    title: &str,
    steps: &[Step],
    ground: &Ground,
    lines: OpenLines<'_>,
) -> Result<u64, RepairError> {
    let shown = ground.root.show(&ground.runtime);
    owner::check_dir(&ground.runtime, &shown)?;
    let services = Services::of(ground);
    let prepared = prepare(steps, ground, &services);
    let prepared = prepared.map_err(|(_, why)| RepairError::NotDone(why.to_string()))?;
    let place = Place::below(&ground.runtime);
    place
        .make()
        .map_err(|error| RepairError::Journal(error.to_string()))?;
    let _lock = lock::win(&place)?;
    let planned = PlannedRun {
        roots: Vec::new(),
        symptoms: Vec::new(),
        fixes: Vec::new(),
        names: Vec::new(),
        title: title.to_owned(),
        safety: Safety::Unsafe,
        steps: steps.to_vec(),
    };
    let (id, folder) = Journal::new_folder(&place)?;
    let (record, copies) = record_of(1, (id, id), &planned, &prepared);
    let mut journal = Journal::begin(&folder, &record, &copies, b"null", lines)?;
    if let Err(stopped) = apply(&prepared, &mut journal, ground, &services) {
        let done = stopped.step + usize::from(!stopped.why.is_without_effect());
        let standing: Vec<usize> = (0..done).collect();
        undo::take_back(&prepared, &standing, &mut journal, ground, &services);
        let why = stopped.why.to_string();
        journal.note(Event::End {
            state: RunState::RolledBack,
            why: Some(why.clone()),
        })?;
        return Err(RepairError::NotDone(why));
    }
    journal.note(Event::End {
        state: RunState::Kept,
        why: None,
    })?;
    Ok(id)
}
