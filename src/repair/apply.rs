//! Does the steps of a run, one after the other, each with a line before and a line behind it.

use super::error::{RepairError, StepError};
use super::ground::Ground;
use super::journal::Journal;
use super::prepare::PreparedStep;
use super::record::Event;
use super::services::Services;
use super::steps;

/// Where a run stopped, and why.
#[derive(Debug)]
pub struct Stopped {
    /// The step.
    pub step: usize,
    /// Why it was not done.
    pub why: StepError,
}

/// Does the steps. On the first that cannot be done it stops; what was done so far has to be taken
/// back.
///
/// # Errors
/// [`Stopped`].
pub fn apply(
    prepared: &[PreparedStep],
    journal: &mut Journal,
    ground: &Ground,
    services: &Services<'_>,
) -> Result<(), Stopped> {
    for (step, one) in prepared.iter().enumerate() {
        let stopped = |why| Stopped { step, why };
        let noted = |error: RepairError| stopped(StepError::Failed(format!("failed to {error}")));
        journal.note(Event::Intent { step }).map_err(noted)?;
        if let Err(why) = steps::apply(one, ground, services) {
            // When the disk is full this line is missing; the line before says enough.
            let _ = journal.note(Event::Failed {
                step,
                why: why.to_string(),
            });
            if why.is_without_effect() {
                let _ = journal.note(Event::UndoDone { step });
            }
            return Err(stopped(why));
        }
        journal.note(Event::Done { step }).map_err(noted)?;
    }
    Ok(())
}
