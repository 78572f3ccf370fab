//! Takes a run back: after a failed verification, after a crash, or because a person asks. One code
//! for all three.

use std::collections::BTreeSet;
use std::path::Path;

use flowgate_checks::words::count;

use super::error::{RepairError, StepError};
use super::files::{FileChange, Image};
use super::ground::Ground;
use super::journal::{self, History, Journal, OpenLines};
use super::order::{Turn, turn};
use super::place::Place;
use super::prepare::PreparedStep;
use super::record::{Event, Facts, ImageRecord, RunRecord, RunState, Undo};
use super::services::Services;
use super::steps;
use crate::sys::{read, write};

/// No copy of a file is larger, in bytes.
const LARGEST: u64 = 4 << 20;

/// What taking a run back came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// What was put back, each as a fragment: `2 files restored byte for byte`.
    pub restored: Vec<String>,
    /// What was left as it is, because it was changed since, or could not be put back.
    pub refused: Vec<String>,
    /// The steps that were taken back.
    pub steps: BTreeSet<usize>,
}

impl TakenBack {
    /// What was put back, in one line.
    pub fn words(&self) -> String {
        let mut parts = self.restored.clone();
        if parts.is_empty() {
            parts.push("nothing had to be put back".into());
        }
        parts.extend(
            self.refused
                .iter()
                .map(|why| format!("left as it is: {why}")),
        );
        parts.join("; ")
    }
}

/// Takes back the steps that were begun. The journal says so before and behind each; where it cannot
/// be written (a full disk), they are taken back all the same, and the run stays unfinished.
pub fn take_back(
    prepared: &[PreparedStep],
    standing: &[usize],
    journal: &mut Journal,
    ground: &Ground,
    services: &Services<'_>,
) -> TakenBack {
    let with_old_files = standing
        .iter()
        .any(|step| !prepared[*step].files.is_empty());
    let mut order: Vec<usize> = standing.to_vec();
    order.reverse();
    order.sort_by_key(|step| turn_of(&prepared[*step]));
    let mut back = TakenBack::default();
    let (mut files, mut modes) = (BTreeSet::new(), BTreeSet::new());
    let mut said = Vec::new();
    for step in order {
        let one = &prepared[step];
        let _ = journal.note(Event::UndoIntent { step });
        match steps::reverse(one, with_old_files, ground, services) {
            Ok(words) => {
                files.extend(one.files.iter().map(|file| file.target.clone()));
                if let Facts::Mode { path, .. } = &one.facts {
                    modes.insert(path.clone());
                }
                said.extend(words);
                let _ = journal.note(Event::UndoDone { step });
                back.steps.insert(step);
            }
            Err(why) => {
                let why = why.to_string();
                let _ = journal.note(Event::UndoRefused {
                    step,
                    why: why.clone(),
                });
                back.refused.push(why);
            }
        }
    }
    if !files.is_empty() {
        back.restored.push(format!(
            "{} restored byte for byte",
            count(files.len(), "file")
        ));
    }
    if !modes.is_empty() {
        back.restored
            .push(format!("{} restored", count(modes.len(), "mode")));
    }
    for words in said {
        if !back.restored.contains(&words) {
            back.restored.push(words);
        }
    }
    back
}

fn turn_of(step: &PreparedStep) -> Turn {
    let was_running = matches!(
        step.facts,
        Facts::Service {
            was_running: true,
            ..
        }
    );
    turn(&step.step, was_running)
}

/// Takes back a run of the journal, whole, and closes it with `end`. Whoever calls holds the lock.
///
/// # Errors
/// [`RepairError`], when the run is not there or its journal cannot be written.
pub fn undo(
    place: &Place,
    id: u64,
    end: RunState,
    ground: &Ground,
    open: OpenLines<'_>,
) -> Result<(RunRecord, TakenBack), RepairError> {
    let history = journal::read(place, id).ok_or_else(|| RepairError::NoRun(id.to_string()))?;
    let standing = history.standing();
    let prepared = load(place, &history)?;
    let mut journal = Journal::resume(&place.run(id), open)?;
    let services = Services::of(ground);
    let back = take_back(&prepared, &standing, &mut journal, ground, &services);
    // A run that was killed in the middle of a write left its temporary file, with what it held.
    let folders: BTreeSet<&Path> = prepared
        .iter()
        .flat_map(|step| &step.files)
        .filter_map(|file| file.target.parent())
        .collect();
    folders.into_iter().for_each(write::sweep);
    let why = (!back.refused.is_empty()).then(|| back.refused.join("; "));
    journal.note(Event::End { state: end, why })?;
    Ok((history.record, back))
}

/// The steps of a journaled run, with the contents of their files.
fn load(place: &Place, history: &History) -> Result<Vec<PreparedStep>, RepairError> {
    let folder = place.run(history.record.run);
    let image = |record: &Option<ImageRecord>| -> Result<Option<Image>, RepairError> {
        let Some(record) = record else {
            return Ok(None);
        };
        // A name that leads elsewhere was not written by flowgate.
        let is_name = !record.copy.contains('/') && !record.copy.starts_with("..");
        let bytes = is_name.then(|| read::whole(&folder.join(&record.copy), LARGEST).ok());
        match bytes.flatten() {
            Some(bytes) => Ok(Some(Image {
                bytes,
                mode: record.mode,
            })),
            None => Err(RepairError::Journal(format!(
                "{} has lost {}",
                folder.display(),
                record.copy
            ))),
        }
    };
    history
        .record
        .steps
        .iter()
        .map(|step| {
            let files = match &step.facts {
                Facts::Files { files } => files.as_slice(),
                _ => &[],
            };
            let files = files
                .iter()
                .map(|file| {
                    Ok(FileChange {
                        path: file.path.clone(),
                        target: file.target.clone(),
                        in_place: file.in_place,
                        before: image(&file.before)?,
                        after: image(&file.after)?,
                    })
                })
                .collect::<Result<_, RepairError>>()?;
            Ok(PreparedStep {
                step: step.step.clone(),
                undo: step.undo,
                facts: step.facts.clone(),
                files,
            })
        })
        .collect()
}

/// The runs that `doctor undo` takes back: one, or those of the newest group that still stand, the
/// newest first.
///
/// # Errors
/// [`RepairError::NoRun`].
pub fn chosen(place: &Place, wanted: Option<u64>) -> Result<Vec<u64>, RepairError> {
    let stands = |id: &u64| {
        journal::read(place, *id).filter(|history| {
            history.is_unfinished()
                || (history.state() == Some(RunState::Kept) && !history.standing().is_empty())
        })
    };
    if let Some(id) = wanted {
        let known = journal::read(place, id).ok_or_else(|| RepairError::NoRun(id.to_string()))?;
        return match stands(&id) {
            Some(_) => Ok(vec![id]),
            None => Err(RepairError::Journal(format!(
                "run {id} is {} and has nothing to take back",
                known.state().map_or("not begun", RunState::words)
            ))),
        };
    }
    let standing: Vec<History> = place.ids().iter().rev().filter_map(stands).collect();
    let Some(newest) = standing.first() else {
        return Err(RepairError::NoRun("to take back".into()));
    };
    let group = newest.record.group;
    let of_group = standing
        .iter()
        .filter(|history| history.record.group == group);
    Ok(of_group.map(|history| history.record.run).collect())
}

/// What cannot be taken back of a run, in words; nothing when everything can.
pub fn lasting(record: &RunRecord) -> Vec<String> {
    record
        .steps
        .iter()
        .filter(|step| step.undo == Undo::None)
        .map(|step| format!("{} {}", steps::kind(&step.step), steps::target(&step.step)))
        .collect()
}

impl From<StepError> for RepairError {
    fn from(error: StepError) -> Self {
        Self::Journal(error.to_string())
    }
}
