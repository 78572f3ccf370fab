//! The children of this process, where it is the first one of a container: what services leave
//! behind becomes its child too, and stays a zombie until somebody takes its status.
//!
//! The status of a service is for whoever watches it. So every pid that is watched stands in one
//! list, from before anybody else could see its end; whatever else has ended is nobody's.
//!
//! Elsewhere the init of the system does this, and `run` does not step in its way: what a service
//! left behind stays a child of init, so that nobody takes it for something that flowgate started.

use std::collections::BTreeSet;
use std::io;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::platform;

static WATCHED: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

fn watched() -> MutexGuard<'static, BTreeSet<u32>> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether orphans become children of this process.
pub fn are_adopted() -> bool {
    std::process::id() == 1
}

/// Starts a process that is watched from its first moment on.
///
/// # Errors
/// As the system gives them.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    // Under the lock, so that nobody takes the status of one that ends at once.
    let mut watched = watched();
    let child = command.spawn()?;
    watched.insert(child.id());
    Ok(child)
}

/// Notes that somebody watches a process.
pub fn watch(pid: u32) {
    watched().insert(pid);
}

/// Notes that the status of a process was taken, or that nobody wants it any more.
pub fn forget(pid: u32) {
    watched().remove(&pid);
}

/// Takes the status of every child that has ended and that nobody watches. Says whether one is left
/// for whoever watches it: when nobody takes that either, it is nobody's in a moment.
pub fn reap() -> bool {
    let own = std::process::id();
    let ended = platform::process_ids()
        .into_iter()
        .filter_map(platform::process_stat)
        .filter(|stat| stat.parent == own && stat.is_dead());
    let mut is_one_left = false;
    for stat in ended {
        let watched = watched();
        if watched.contains(&stat.pid) {
            is_one_left = true;
        } else if let Some(pid) = i32::try_from(stat.pid).ok().and_then(Pid::from_raw) {
            // It has ended, and nobody else takes its status.
            let _ = waitid(
                WaitId::Pid(pid),
                WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
            );
        }
    }
    is_one_left
}
