//! One process held by itself: its pid may be given to another, the handle is not.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::process::process_stat;

/// A process by itself, not by its pid; alive, or dead with nobody having read its status.
#[derive(Debug)]
pub struct ProcessHandle(OwnedFd);

impl ProcessHandle {
    /// Takes hold of whoever has a pid now: for a child that nobody has waited for.
    ///
    /// # Errors
    /// As the system says; there may be no such process.
    pub fn of_pid(pid: u32) -> io::Result<Self> {
        let pid = i32::try_from(pid)
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(Self(pidfd_open(pid, PidfdFlags::empty())?))
    }

    /// Takes hold of exactly this process; `start_time` is in clock ticks after boot.
    ///
    /// # Errors
    /// As the system says; `NotFound` too when another process has the pid now.
    pub fn of(pid: u32, start_time: u64) -> io::Result<Self> {
        let handle = Self::of_pid(pid)?;
        // From here on the handle cannot become another process; whose it is has to be asked now.
        match process_stat(pid) {
            Some(stat) if stat.start_time == start_time => Ok(handle),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// As the system says.
    pub fn signal(&self, signal: Signal) -> rustix::io::Result<()> {
        pidfd_send_signal(&self.0, signal)
    }

    /// Whether it ends within this time; a wait that is interrupted ends early.
    pub fn ends_within(&self, patience: Duration) -> bool {
        let patience = Timespec::try_from(patience).ok();
        let mut ends = [PollFd::new(&self.0, PollFlags::IN)];
        poll(&mut ends, patience.as_ref()).is_ok_and(|ready| ready > 0)
    }
}

impl AsFd for ProcessHandle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<ProcessHandle> for OwnedFd {
    fn from(handle: ProcessHandle) -> Self {
        handle.0
    }
}

/// Whether exactly this process lives; a zombie does not.
pub fn is_alive(pid: u32, start_time: u64) -> bool {
    process_stat(pid).is_some_and(|stat| stat.start_time == start_time && !stat.is_dead())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_start_time_is_another_process() {
        let pid = std::process::id();
        let start = process_stat(pid).unwrap().start_time;
        assert!(is_alive(pid, start) && !is_alive(pid, start + 1));
        assert!(
            !ProcessHandle::of(pid, start)
                .unwrap()
                .ends_within(Duration::ZERO)
        );
        let other = ProcessHandle::of(pid, start + 1).unwrap_err();
        assert_eq!(other.kind(), io::ErrorKind::NotFound);
        assert!(ProcessHandle::of_pid(0).is_err());
    }
}
