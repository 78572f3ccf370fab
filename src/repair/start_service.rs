//! The step `start-service`. Its opposite is a stop.

use flowgate_checks::model::Step;

use super::error::StepError;
use super::prepare::PreparedStep;
use super::record::{Facts, Undo};
use super::services::Services;

/// Takes down whether the service runs.
pub fn prepare(step: &Step, service: &str, services: &Services<'_>) -> PreparedStep {
    let (was_running, was_wanted) = services.state(service);
    let facts = Facts::Service {
        was_running,
        was_wanted,
    };
    PreparedStep::on(step, Undo::Compensating, facts)
}

/// Stops a service that did not run; says what it is now.
pub fn reverse(
    service: &str,
    was_running: bool,
    services: &Services<'_>,
) -> Result<Option<String>, StepError> {
    if was_running {
        return Ok(None);
    }
    // One that did not come up is stopped too only where something of it runs: what should run
    // stays what should run.
    if services.state(service).0 {
        services.stop(service)?;
    }
    Ok(Some(format!("{service} is stopped, as before")))
}
