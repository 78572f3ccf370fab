//! The step `set-mode`: the permission bits of one file or directory, held by its handle.

use flowgate_checks::model::{Mode, Step};
use std::path::Path;

use super::error::StepError;
use super::ground::Ground;
use super::prepare::PreparedStep;
use super::record::{Facts, Undo};
use crate::sys::handle::Handle;

/// Takes down what the file is; its bits must be those of the plan.
pub fn prepare(
    step: &Step,
    shown: &str,
    from: Mode,
    to: Mode,
    ground: &Ground,
) -> Result<PreparedStep, StepError> {
    let path = ground.resolve(shown);
    let held = hold(&path)?;
    let me = rustix::process::geteuid().as_raw();
    if me != 0 && held.uid != me {
        return Err(StepError::Refused(format!(
            "{shown} belongs to uid {}",
            held.uid
        )));
    }
    let (from, to) = (from.0 & 0o7777, to.0 & 0o7777);
    if to & !from & 0o077 != 0 {
        return Err(StepError::Refused(format!(
            "{shown}: the mode {to:03o} gives others what they do not have"
        )));
    }
    if held.mode != from {
        return Err(changed(shown, held.mode));
    }
    let (device, inode) = held.identity;
    Ok(PreparedStep::on(
        step,
        Undo::Exact,
        Facts::Mode {
            path,
            device,
            inode,
            from,
            to,
        },
    ))
}

/// Sets the bits of the very file that was planned.
pub fn apply(path: &Path, identity: (u64, u64), from: u32, to: u32) -> Result<(), StepError> {
    let held = hold(path)?;
    if held.identity != identity {
        return Err(StepError::Changed(format!(
            "{} is another file than it was",
            path.display()
        )));
    }
    if held.mode != from {
        return Err(changed(&path.display().to_string(), held.mode));
    }
    set(&held, path, to)
}

/// Gives the old bits back, where the file still has those of the step.
pub fn reverse(path: &Path, from: u32, to: u32) -> Result<(), StepError> {
    let held = hold(path)?;
    match held.mode {
        mode if mode == from => Ok(()),
        mode if mode == to => set(&held, path, from),
        mode => Err(changed(&path.display().to_string(), mode)),
    }
}

fn hold(path: &Path) -> Result<Handle, StepError> {
    Handle::open(path).map_err(|error| {
        let shown = path.display();
        if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
            StepError::Refused(format!("{shown} is a symlink"))
        } else {
            StepError::Changed(format!("{shown} cannot be opened: {error}"))
        }
    })
}

fn set(held: &Handle, path: &Path, mode: u32) -> Result<(), StepError> {
    let failed = |why: &dyn std::fmt::Display| {
        StepError::Failed(format!(
            "failed to set the mode of {}: {why}",
            path.display()
        ))
    };
    held.set_mode(mode).map_err(|error| failed(&error))?;
    match held.mode_now() {
        Ok(now) if now == mode => Ok(()),
        Ok(now) => Err(failed(&format!("its file system keeps {now:03o}"))),
        Err(error) => Err(failed(&error)),
    }
}

fn changed(shown: &str, mode: u32) -> StepError {
    StepError::Changed(format!("{shown} has mode {mode:03o} by now"))
}
