//! The end of a process, seen at once.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::Child;

use rustix::process::{Pid, PidfdFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// How a process ended; nothing is invented of one that is no child of ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ending {
    /// Its exit code, when it ended by itself.
    pub code: Option<i32>,
    /// The signal that ended it: `KILL`.
    pub signal: Option<String>,
}

/// A handle of a process, which tells of its end.
///
/// # Errors
/// When there is no such process.
pub fn handle(pid: u32) -> io::Result<OwnedFd> {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    Ok(rustix::process::pidfd_open(pid, PidfdFlags::empty())?)
}

/// Waits for the end of a process, and takes its status when it is a child of ours.
pub async fn wait(handle: OwnedFd, child: Option<Child>) -> Ending {
    #[expect(
        deprecated,
        reason = "sound for a handle that is owned; the new constructor is unsafe, which is forbidden here"
    )]
    let watched = AsyncFd::with_interest(handle, Interest::READABLE);
    if let Ok(handle) = watched {
        // An error would be one of the kernel's bookkeeping; the status below tells the truth.
        let _ = handle.readable().await;
    }
    let Some(mut child) = child else {
        return Ending::default();
    };
    // It has ended, so this is over at once; where no handle could be watched it is not.
    match tokio::task::spawn_blocking(move || child.wait()).await {
        Ok(Ok(status)) => Ending {
            code: status.code(),
            signal: status.signal().map(signal_name),
        },
        _ => Ending::default(),
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
