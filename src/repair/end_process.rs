//! Ends one process that is known by pid and start time, by a ladder of signals.

use std::time::Duration;

use rustix::process::Signal;

use super::error::StepError;
use crate::platform::{self, ProcessHandle};

/// So long a process may take to end after each signal.
const GRACE: Duration = Duration::from_secs(10);

/// Sends the signals one after the other until the process has ended.
///
/// # Errors
/// [`StepError::Changed`] when another process has the pid or it has gone, and then no signal was
/// sent; [`StepError::Failed`] when it lives on.
pub fn end(pid: u32, start_time: u64, ladder: &[String]) -> Result<(), StepError> {
    let gone = || StepError::Changed(format!("pid {pid} is another process by now, or has ended"));
    let handle = ProcessHandle::of(pid, start_time).map_err(|_| gone())?;
    if !platform::is_alive(pid, start_time) {
        return Err(gone());
    }
    for name in ladder {
        let signal = match name.as_str() {
            "TERM" => Signal::TERM,
            "INT" => Signal::INT,
            "KILL" => Signal::KILL,
            "CONT" => Signal::CONT,
            other => {
                return Err(StepError::Refused(format!(
                    "{other} is no signal of a ladder"
                )));
            }
        };
        if let Err(error) = handle.signal(signal)
            && error != rustix::io::Errno::SRCH
        {
            return Err(StepError::Failed(format!(
                "failed to send {name} to pid {pid}: {error}"
            )));
        }
        // A wait that is interrupted is followed by the next signal; that is no harm.
        if handle.ends_within(GRACE) {
            return Ok(());
        }
    }
    Err(StepError::Failed(format!(
        "pid {pid} lives on after {}",
        ladder.join(", ")
    )))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test starts what it ends")]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_named_process_is_ended() {
        let mut child = std::process::Command::new("sleep")
            .arg("600")
            .spawn()
            .unwrap();
        let pid = child.id();
        let start = platform::process_stat(pid).unwrap().start_time;
        let ladder = ["TERM".to_owned(), "KILL".to_owned()];
        assert!(matches!(
            end(pid, start + 1, &ladder),
            Err(StepError::Changed(_))
        ));
        assert!(platform::is_alive(pid, start));
        // A zombie has ended: its parent, which is this test, has not asked yet.
        end(pid, start, &ladder).unwrap();
        assert!(!platform::is_alive(pid, start));
        child.wait().unwrap();
        assert!(matches!(
            end(pid, start, &ladder),
            Err(StepError::Changed(_))
        ));
    }
}
