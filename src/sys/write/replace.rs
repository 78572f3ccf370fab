//! Another text in the place of a file, or the first one: whole, or not at all.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::folder::sync;
use super::target::target_of;
use super::temp::{Lasting, Temp};
use super::{Modes, WriteError};
use crate::sys::read;

/// A new text that lies beside its target, whole and on the disk, and waits for [`Prepared::commit`].
/// Dropped before that, it leaves nothing behind.
#[derive(Debug)]
pub struct Prepared {
    pub(super) temp: Temp,
    pub(super) target: PathBuf,
    pub(super) expected: Option<Vec<u8>>,
}

/// Puts `bytes` in the place of a file, or makes it.
///
/// With `expected` the file must still hold exactly those bytes, or somebody edited it meanwhile
/// and nothing is done.
///
/// # Errors
/// [`WriteError`]; the file is then as it was.
pub fn replace(
    path: &Path,
    bytes: &[u8],
    modes: Modes,
    expected: Option<&[u8]>,
) -> Result<(), WriteError> {
    prepare(path, bytes, modes, expected)?.commit()
}

/// The same without waiting for the disk, for records of what would be over with the power anyway.
///
/// # Errors
/// [`WriteError`]; the file is then as it was.
pub fn replace_soon(path: &Path, bytes: &[u8], modes: Modes) -> Result<(), WriteError> {
    prepare_with(path, bytes, modes, None, Lasting::Soon)?.put()
}

/// The first half of [`replace`], so that several files can change together: what may fail for
/// want of space or rights fails here.
///
/// # Errors
/// [`WriteError`]; nothing is left behind.
pub fn prepare(
    path: &Path,
    bytes: &[u8],
    modes: Modes,
    expected: Option<&[u8]>,
) -> Result<Prepared, WriteError> {
    prepare_with(path, bytes, modes, expected, Lasting::Now)
}

fn prepare_with(
    path: &Path,
    bytes: &[u8],
    modes: Modes,
    expected: Option<&[u8]>,
    lasting: Lasting,
) -> Result<Prepared, WriteError> {
    let target = target_of(path, modes.folder)?;
    let old = match std::fs::metadata(&target) {
        Ok(old) if old.is_file() => Some(old),
        Ok(_) => return Err(WriteError::NotRegular { path: path.into() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(WriteError::io(path, &error)),
    };
    let (mode, owner) = match &old {
        Some(old) => {
            let mode = old.mode() & 0o7777;
            let is_open = modes.closes && mode & 0o007 != 0;
            let kept = if is_open { modes.file } else { mode };
            (kept, Some((old.uid(), old.gid())))
        }
        None => (modes.file, None),
    };
    Ok(Prepared {
        temp: Temp::write(&target, bytes, mode, owner, lasting)?,
        expected: expected.map(<[u8]>::to_vec),
        target,
    })
}

impl Prepared {
    /// Puts the new text in its place.
    ///
    /// # Errors
    /// [`WriteError`]; the file is then as it was.
    pub fn commit(self) -> Result<(), WriteError> {
        let target = self.target.clone();
        self.put()?;
        sync(&target)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the file writer: the one rename that puts a text in its place"
    )]
    fn put(mut self) -> Result<(), WriteError> {
        if let Some(expected) = &self.expected {
            let now = read::whole(&self.target, expected.len() as u64);
            if !now.is_ok_and(|now| now == *expected) {
                return Err(WriteError::Changed { path: self.target });
            }
        }
        std::fs::rename(&self.temp.path, &self.target)
            .map_err(|error| WriteError::io(&self.target, &error))?;
        self.temp.is_gone = true;
        Ok(())
    }
}
