//! The end of a process, seen at once.

use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};

use flowgate_checks::model::ExitSource;
use rustix::process::{Pid, WaitOptions};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::platform::{self, ProcessHandle};

/// How a process ended; nothing is invented where nobody saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ending {
    /// Its exit code, when it ended by itself.
    pub code: Option<i32>,
    /// The signal that ended it: `KILL`.
    pub signal: Option<String>,
    /// How that is known; none when it is not.
    pub source: Option<ExitSource>,
}

impl Ending {
    /// From the status of a process.
    fn of(status: ExitStatus, source: ExitSource) -> Self {
        Self {
            code: status.code(),
            signal: status.signal().map(signal_name),
            source: Some(source),
        }
    }

    /// How it is known, in the word of the record.
    pub fn source(&self) -> ExitSource {
        self.source.unwrap_or(ExitSource::Unknown)
    }
}

/// A process that is waited for.
pub enum Awaited {
    /// A child of this process.
    Child(Child),
    /// One that was started by an earlier supervisor.
    Adopted {
        /// Its pid.
        pid: u32,
        /// Its start time, without which a pid says nothing.
        start_time: u64,
    },
}

/// Waits for the end of a process, whose status is left to others; false where nobody can tell.
pub async fn over(handle: ProcessHandle) -> bool {
    #[expect(
        deprecated,
        reason = "sound for a handle that is owned; the new constructor is unsafe, which is forbidden here"
    )]
    let watched = AsyncFd::with_interest(OwnedFd::from(handle), Interest::READABLE);
    match &watched {
        // An error would be one of the kernel's bookkeeping; the status tells the truth.
        Ok(handle) => handle.readable().await.is_ok(),
        Err(_) => false,
    }
}

/// Waits for the end of a process, and gives its status.
pub async fn wait(handle: ProcessHandle, awaited: Awaited) -> Ending {
    let is_over = over(handle).await;
    match awaited {
        Awaited::Child(child) => of_child(child, is_over).await,
        Awaited::Adopted { pid, start_time } => of_adopted(pid, start_time),
    }
}

async fn of_child(mut child: Child, is_over: bool) -> Ending {
    let waited = if is_over {
        child.wait().ok()
    } else {
        // Nobody could watch it, so the end itself has to be waited for.
        let waiting = tokio::task::spawn_blocking(move || child.wait());
        waiting.await.ok().and_then(Result::ok)
    };
    waited.map_or_else(Ending::default, |status| {
        Ending::of(status, ExitSource::Waited)
    })
}

/// The status of a process that an earlier supervisor started. One that this process was, before it
/// became a newer flowgate, left its children to this one. Of others the kernel tells while nobody has
/// read it: where its parent was faster, it is unknown.
pub fn of_adopted(pid: u32, start_time: u64) -> Ending {
    let Some(ended) = platform::ended(pid).filter(|ended| ended.start_time == start_time) else {
        return Ending::default();
    };
    if ended.parent == std::process::id() {
        let waited = i32::try_from(pid)
            .ok()
            .and_then(Pid::from_raw)
            .and_then(|pid| rustix::process::waitpid(Some(pid), WaitOptions::NOHANG).ok()?);
        if let Some((_, status)) = waited {
            let status = ExitStatus::from_raw(status.as_raw());
            return Ending::of(status, ExitSource::Waited);
        }
    }
    match ended.status {
        Some(status) => Ending::of(ExitStatus::from_raw(status), ExitSource::Zombie),
        None => Ending::default(),
    }
}

/// `KILL` of 9.
fn signal_name(number: i32) -> String {
    let name = match number {
        1 => "HUP",
        2 => "INT",
        3 => "QUIT",
        4 => "ILL",
        5 => "TRAP",
        6 => "ABRT",
        7 => "BUS",
        8 => "FPE",
        9 => "KILL",
        10 => "USR1",
        11 => "SEGV",
        12 => "USR2",
        13 => "PIPE",
        14 => "ALRM",
        15 => "TERM",
        24 => "XCPU",
        25 => "XFSZ",
        31 => "SYS",
        other => return other.to_string(),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[expect(
        clippy::disallowed_methods,
        reason = "a test starts the processes that are looked at"
    )]
    fn ended(script: &str) -> (Child, u64) {
        let child = Command::new("sh")
            .args(["-c", script])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start_time = platform::process_stat(child.id()).unwrap().start_time;
        while platform::process_stat(child.id()).is_some_and(|stat| !stat.is_dead()) {
            std::thread::yield_now();
        }
        (child, start_time)
    }

    #[test]
    fn the_status_of_a_zombie_is_read_and_that_of_another_process_is_not() {
        for (script, code, signal) in [
            ("exit 0", Some(0), None),
            ("exit 3", Some(3), None),
            ("kill -9 $$", None, Some("KILL")),
        ] {
            let (mut child, start_time) = ended(script);
            let seen = platform::ended(child.id()).unwrap();
            assert_eq!(seen.start_time, start_time);
            let status = ExitStatus::from_raw(seen.status.unwrap());
            let ending = Ending::of(status, ExitSource::Zombie);
            assert_eq!((ending.code, ending.signal.as_deref()), (code, signal));
            assert_eq!(of_adopted(child.id(), start_time + 1), Ending::default());
            child.wait().unwrap();
            let gone = of_adopted(child.id(), start_time);
            assert_eq!(gone.source(), ExitSource::Unknown);
        }
    }

    #[test]
    fn children_that_were_left_by_a_former_self_are_waited_for() {
        let (child, start_time) = ended("exit 7");
        let ending = of_adopted(child.id(), start_time);
        assert_eq!(
            (ending.code, ending.source()),
            (Some(7), ExitSource::Waited)
        );
        assert!(platform::process_stat(child.id()).is_none());
    }
}
