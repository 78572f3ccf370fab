//! The step `stop-service`. Its opposite is a start.

use super::error::StepError;
use super::services::Services;

/// Starts a service that ran; says what it is now.
pub fn reverse(
    service: &str,
    was_running: bool,
    services: &Services<'_>,
) -> Result<Option<String>, StepError> {
    if !was_running {
        return Ok(None);
    }
    services.start(service)?;
    Ok(Some(format!("{service} runs, as before")))
}
