//! One file before and after a step: put in place, and put back.

use std::io;
use std::path::{Path, PathBuf};

use super::error::StepError;
use crate::sys::handle::Handle;
use crate::sys::in_place;
use crate::sys::read::{self, ReadError};
use crate::sys::write::{self, Created, Modes};

/// No file that flowgate changes is larger, in bytes.
const LARGEST: u64 = 4 << 20;

/// One file before and after a step. It may hold secrets, so it has no `Debug`.
#[derive(Clone)]
pub struct FileChange {
    /// The file, absolute, as it is named.
    pub path: PathBuf,
    /// The file that its symlinks lead to.
    pub target: PathBuf,
    /// Whether it is written into, because somebody watches its inode.
    pub in_place: bool,
    /// What it was; none when it was not there.
    pub before: Option<Image>,
    /// What it becomes; none when it is removed.
    pub after: Option<Image>,
}

/// One content of a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// The content.
    pub bytes: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
}

/// What a file is at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// As it was before the step.
    Before,
    /// As the step leaves it.
    After,
    /// Half of each: a write into it was cut short.
    Torn,
    /// Something else: somebody changed it.
    Other,
}

/// A file as it is, and the file that its symlinks lead to.
///
/// # Errors
/// [`StepError::Refused`], when it cannot be read or is no regular file.
pub fn look(path: &Path) -> Result<(PathBuf, Option<Image>), StepError> {
    let refused = |why: &dyn std::fmt::Display| {
        StepError::Refused(format!("{} cannot be read: {why}", path.display()))
    };
    let target = match path.canonicalize() {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if std::fs::symlink_metadata(path).is_ok() {
                return Err(refused(&"it is a symlink to a missing file"));
            }
            return Ok((path.to_owned(), None));
        }
        Err(error) => return Err(refused(&error)),
    };
    match read::whole(&target, LARGEST) {
        Ok(bytes) => {
            let mode = Handle::open(&target).map_err(|error| refused(&error))?.mode;
            Ok((target, Some(Image { bytes, mode })))
        }
        Err(ReadError::Missing) => Ok((target, None)),
        Err(error) => Err(refused(&error)),
    }
}

impl FileChange {
    /// What the file is now.
    ///
    /// # Errors
    /// As [`look`].
    pub fn stand(&self) -> Result<Stand, StepError> {
        let (target, now) = look(&self.path)?;
        if target != self.target {
            return Ok(Stand::Other);
        }
        let bytes = |image: &Option<Image>| image.as_ref().map(|image| image.bytes.clone());
        let now = bytes(&now);
        if now == bytes(&self.after) {
            return Ok(Stand::After);
        }
        if now == bytes(&self.before) {
            return Ok(Stand::Before);
        }
        let is_torn = match (&now, &self.before, &self.after) {
            (Some(now), Some(before), Some(after)) if self.in_place => {
                in_place::is_torn(now, &before.bytes, &after.bytes)
            }
            _ => false,
        };
        Ok(if is_torn { Stand::Torn } else { Stand::Other })
    }

    /// Puts the new content in place.
    ///
    /// # Errors
    /// [`StepError::Changed`] when the file is not what it was; others when it cannot be written.
    pub fn apply(&self) -> Result<(), StepError> {
        if self.stand()? != Stand::Before {
            return Err(self.changed());
        }
        self.put(self.before.as_ref(), self.after.as_ref())
    }

    /// Puts the old content back.
    ///
    /// # Errors
    /// [`StepError::Changed`] when the file is not what the step left; others when it cannot be
    /// written.
    pub fn reverse(&self) -> Result<(), StepError> {
        match self.stand()? {
            Stand::Before => Ok(()),
            Stand::After => self.put(self.after.as_ref(), self.before.as_ref()),
            Stand::Torn => {
                let (_, now) = look(&self.path)?;
                self.put(now.as_ref(), self.before.as_ref())
            }
            Stand::Other => Err(self.changed()),
        }
    }

    fn changed(&self) -> StepError {
        StepError::Changed(format!("{} was changed meanwhile", self.path.display()))
    }

    fn put(&self, from: Option<&Image>, to: Option<&Image>) -> Result<(), StepError> {
        match (from, to) {
            (Some(from), Some(to)) if self.in_place => {
                in_place::overwrite(&self.target, &to.bytes, &from.bytes)?;
                self.set_mode(to.mode)
            }
            (Some(from), Some(to)) => {
                let modes = Modes {
                    file: to.mode,
                    ..Modes::PLAIN
                };
                write::replace(&self.target, &to.bytes, modes, Some(&from.bytes))?;
                self.set_mode(to.mode)
            }
            (None, Some(to)) => {
                let folder = if to.mode & 0o077 == 0 { 0o700 } else { 0o755 };
                let modes = Modes {
                    file: to.mode,
                    folder,
                    closes: false,
                };
                match write::create(&self.target, &to.bytes, modes)? {
                    Created::Written => Ok(()),
                    Created::Kept => Err(self.changed()),
                }
            }
            (Some(from), None) => Ok(write::remove(&self.target, &from.bytes)?),
            (None, None) => Ok(()),
        }
    }

    fn set_mode(&self, mode: u32) -> Result<(), StepError> {
        let held = Handle::open(&self.target);
        held.and_then(|held| {
            if held.mode == mode {
                Ok(())
            } else {
                held.set_mode(mode)
            }
        })
        .map_err(|error| {
            let shown = self.target.display();
            StepError::Failed(format!("failed to set the mode of {shown}: {error}"))
        })
    }
}
