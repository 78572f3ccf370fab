//! The step `signal`: ends a process that is proven ours.

use flowgate_checks::model::Step;

use super::error::StepError;
use super::prepare::PreparedStep;
use super::record::{Facts, Undo};
use crate::platform;

/// The process must live.
pub fn prepare(
    step: &Step,
    (pid, start_time): (u32, u64),
    command: &str,
) -> Result<PreparedStep, StepError> {
    if !platform::is_alive(pid, start_time) {
        return Err(StepError::Changed(format!(
            "pid {pid} ({command}) has ended by now"
        )));
    }
    let facts = Facts::Process { pid, start_time };
    Ok(PreparedStep::on(step, Undo::None, facts))
}
