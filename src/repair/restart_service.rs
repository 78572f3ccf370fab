//! The step `restart-service`. It is taken back by another restart, when files were put back.

use super::error::StepError;
use super::services::Services;

/// Lets a service that ran run again with what the files hold now; says what it is.
pub fn reverse(
    service: &str,
    with_old_files: bool,
    services: &Services<'_>,
) -> Result<Option<String>, StepError> {
    if !with_old_files && services.state(service).0 {
        return Ok(None);
    }
    services.restart(service)?;
    Ok(Some(format!("{service} runs as before")))
}
