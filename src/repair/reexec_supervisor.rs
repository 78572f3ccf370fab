//! The step `reexec-supervisor`: the supervisor becomes this flowgate; the services go on.

use flowgate_checks::model::Step;

use super::error::StepError;
use super::ground::Ground;
use super::prepare::PreparedStep;
use super::record::{Facts, Undo};
use crate::supervisor::client::Client;

/// One must run. An older flowgate does not replace a newer one, so there is no way back.
pub fn prepare(step: &Step, ground: &Ground) -> Result<PreparedStep, StepError> {
    if Client::connect(&ground.runtime).is_none() {
        return Err(StepError::Changed("no supervisor runs by now".into()));
    }
    let facts = Facts::Supervisor { was_running: true };
    Ok(PreparedStep::on(step, Undo::None, facts))
}

/// Has it become this program.
pub fn apply(ground: &Ground) -> Result<(), StepError> {
    let failed = |why: &dyn std::fmt::Display| {
        StepError::Failed(format!(
            "the supervisor did not become this flowgate: {why}"
        ))
    };
    let program = std::env::current_exe().map_err(|error| failed(&error))?;
    Client::reexec(&ground.runtime, &program).map_err(|error| failed(&error))?;
    Ok(())
}
