//! The step `continue-service`: lets a suspended process of a service go on.

use std::time::{Duration, Instant};

use flowgate_checks::model::Step;
use rustix::process::Signal;

use super::error::StepError;
use super::prepare::PreparedStep;
use super::record::{Facts, Undo};
use crate::platform::{self, ProcessHandle};

/// A process goes on within this time, or somebody stops it again.
const GRACE: Duration = Duration::from_secs(2);

/// The process must be suspended.
pub fn prepare(step: &Step, pid: u32, start_time: u64) -> Result<PreparedStep, StepError> {
    if !is_suspended(pid, start_time) {
        return Err(StepError::Changed(format!(
            "pid {pid} is not suspended by now"
        )));
    }
    let facts = Facts::Process { pid, start_time };
    Ok(PreparedStep::on(step, Undo::None, facts))
}

/// Lets it go on.
pub fn apply(pid: u32, start_time: u64) -> Result<(), StepError> {
    let gone = || StepError::Changed(format!("pid {pid} is another process by now, or has ended"));
    let handle = ProcessHandle::of(pid, start_time).map_err(|_| gone())?;
    if !is_suspended(pid, start_time) {
        return Err(StepError::Changed(format!(
            "pid {pid} is not suspended by now"
        )));
    }
    handle
        .signal(Signal::CONT)
        .map_err(|error| StepError::Failed(format!("failed to continue pid {pid}: {error}")))?;
    let deadline = Instant::now() + GRACE;
    while is_suspended(pid, start_time) {
        if Instant::now() >= deadline {
            return Err(StepError::Failed(format!("pid {pid} is suspended again")));
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    Ok(())
}

fn is_suspended(pid: u32, start_time: u64) -> bool {
    platform::process_stat(pid)
        .is_some_and(|stat| stat.start_time == start_time && stat.state == 'T')
}
