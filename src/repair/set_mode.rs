//! The step `set-mode`: the permission bits of one file or directory, held by its handle.

use flowgate_checks::model::{Mode, Step};
use std::path::Path;

use super::error::StepError;
use super::ground::Ground;
use super::prepare::PreparedStep;
use super::record::{Facts, Seal, Undo};
use crate::sys::handle::Handle;

/// No token and no config is larger, in bytes.
const LARGEST: u64 = 4 << 20;

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
    if opens(from, to) {
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
            seal: opens(to, from)
                .then(|| held.content(LARGEST))
                .flatten()
                .map(|content| Seal::of(&content)),
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
        return Err(another(path));
    }
    if held.mode != from {
        return Err(changed(&path.display().to_string(), held.mode));
    }
    set(&held, path, to)
}

/// Gives the old bits back, where the file still has those of the step and is the one that got them.
///
/// Which one that is: of bits that let others in, the file with the same content, since a token that
/// was renewed since was never open to anybody; a renewed config that a later step put back is the
/// same again, in another inode. Of a folder, and of bits that only the owner loses, the same inode.
pub fn reverse(
    path: &Path,
    identity: (u64, u64),
    (from, to): (u32, u32),
    seal: Option<&Seal>,
) -> Result<(), StepError> {
    let held = hold(path)?;
    let is_same = match seal {
        Some(seal) => held
            .content(LARGEST)
            .is_some_and(|content| seal.is_of(&content)),
        None => held.identity == identity && (held.is_folder || !opens(to, from)),
    };
    match held.mode {
        mode if mode == from => Ok(()),
        mode if mode != to => Err(changed(&path.display().to_string(), mode)),
        _ if !is_same => Err(another(path)),
        _ => set(&held, path, from),
    }
}

/// Whether the second bits let in whom the first keep out.
fn opens(from: u32, to: u32) -> bool {
    to & !from & 0o077 != 0
}

fn another(path: &Path) -> StepError {
    StepError::Changed(format!(
        "{} is another file than it was, or holds something else",
        path.display()
    ))
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
