//! The step `restart-supervisor`: ends one that does not answer, and starts another, which takes
//! over the services.

use flowgate_checks::model::Step;

use super::error::StepError;
use super::ground::Ground;
use super::prepare::PreparedStep;
use super::record::{Facts, Undo};
use super::{end_process, start_supervisor};
use crate::platform;
use crate::supervisor::lock;
use crate::supervisor::places::Places;

/// A suspended one has to go on to hear the first signal.
const LADDER: [&str; 2] = ["TERM", "KILL"];

/// The process must live, and be the one that holds the lock.
pub fn prepare(
    step: &Step,
    (pid, start_time): (u32, u64),
    ground: &Ground,
) -> Result<PreparedStep, StepError> {
    check(pid, start_time, ground)?;
    let facts = Facts::Process { pid, start_time };
    Ok(PreparedStep::on(step, Undo::None, facts))
}

/// Ends it and starts another.
pub fn apply(pid: u32, start_time: u64, ground: &Ground) -> Result<(), StepError> {
    check(pid, start_time, ground)?;
    end_process::end(pid, start_time, &LADDER.map(str::to_owned))?;
    start_supervisor::apply(ground)
}

fn check(pid: u32, start_time: u64, ground: &Ground) -> Result<(), StepError> {
    let holder = lock::holder(&Places::new(&ground.runtime));
    let holds = holder.is_some_and(|holder| (holder.pid, holder.start_time) == (pid, start_time));
    if holds && platform::is_alive(pid, start_time) {
        return Ok(());
    }
    Err(StepError::Changed(format!(
        "pid {pid} is not the supervisor by now"
    )))
}
