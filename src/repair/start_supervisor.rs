//! The step `start-supervisor`: one that takes over the services which run.

use flowgate_checks::model::Step;

use super::error::StepError;
use super::ground::Ground;
use super::prepare::PreparedStep;
use super::record::{Facts, Undo};
use crate::supervisor::client::Client;
use crate::supervisor::protocol::Command;

/// Takes down whether one runs.
pub fn prepare(step: &Step, ground: &Ground) -> PreparedStep {
    let facts = Facts::Supervisor {
        was_running: Client::connect(&ground.runtime).is_some(),
    };
    PreparedStep::on(step, Undo::Compensating, facts)
}

/// Starts it, and asks it for its services.
pub fn apply(ground: &Ground) -> Result<(), StepError> {
    let failed = |why: &dyn std::fmt::Display| StepError::Failed(format!("failed to {why}"));
    let mut client =
        Client::ensure(&ground.runtime, &ground.config).map_err(|error| failed(&error))?;
    client
        .request(Command::Status, |_| {})
        .map_err(|error| failed(&error))?;
    Ok(())
}

/// Ends a supervisor where none was; the services go on.
pub fn reverse(was_running: bool, ground: &Ground) -> Result<Option<String>, StepError> {
    let Some(mut client) = Client::connect(&ground.runtime).filter(|_| !was_running) else {
        return Ok(None);
    };
    client
        .request(Command::Shutdown, |_| {})
        .map_err(|error| StepError::Failed(format!("failed to {error}")))?;
    Ok(Some("no supervisor runs, as before".into()))
}
