//! The one file writer: a file is there whole, with its mode and owner, or as it was before.
//!
//! Source of the rules: a temporary file beside the target, `fsync`, rename, `fsync` of the
//! folder; mode and owner of the old file are kept; a symlink stays one.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FlockOperation, OFlags, RenameFlags, flock};

use super::hex::hex;
use super::read;
pub use super::write_error::WriteError;
use super::write_error::sentence;

/// The modes of a written file and of the folders made for it, whatever the umask says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modes {
    /// Mode of a new file.
    pub file: u32,
    /// Mode of folders that are made for it.
    pub folder: u32,
    /// Whether an existing file that everybody may use is closed to `file`; one that is open to a
    /// group alone stays so, since a umask does not make that.
    pub closes: bool,
}

impl Modes {
    /// A file that everybody may read.
    pub const PLAIN: Self = Self {
        file: 0o644,
        folder: 0o755,
        closes: false,
    };
    /// A file for this user alone, in a folder that others may enter.
    pub const PRIVATE: Self = Self {
        file: 0o600,
        folder: 0o755,
        closes: true,
    };
    /// A secret in a folder of secrets.
    pub const SECRET: Self = Self {
        file: 0o600,
        folder: 0o700,
        closes: true,
    };
}

/// What became of a file that is only written when it is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It was written.
    Written,
    /// Something is there; it was left alone.
    Kept,
}

/// A new text that lies beside its target, whole and on the disk, and waits for [`Prepared::commit`].
/// Dropped before that, it leaves nothing behind.
#[derive(Debug)]
pub struct Prepared {
    temp: Temp,
    target: PathBuf,
    expected: Option<Vec<u8>>,
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

/// Whether a text must be on the disk before anything else happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lasting {
    Now,
    Soon,
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
        sync_folder(&target)
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

/// Makes a secret, mode 0600, in a folder of mode 0700 when that is made too.
///
/// # Errors
/// [`WriteError`]; nothing is left behind.
pub fn create_new_secret(path: &Path, bytes: &[u8]) -> Result<Created, WriteError> {
    create(path, bytes, Modes::SECRET)
}

/// Makes a file, whole from its first moment on. Whatever is there already, a dangling symlink
/// too, is left alone.
///
/// # Errors
/// [`WriteError`]; nothing is left behind.
pub fn create(path: &Path, bytes: &[u8], modes: Modes) -> Result<Created, WriteError> {
    if std::fs::symlink_metadata(path).is_ok() {
        return Ok(Created::Kept);
    }
    let target = in_folder(path, modes.folder)?;
    let mut temp = Temp::write(&target, bytes, modes.file, None, Lasting::Now)?;
    match put_new(&temp.path, &target) {
        Ok(()) => {
            temp.is_gone = std::fs::symlink_metadata(&temp.path).is_err();
            sync_folder(&target)?;
            Ok(Created::Written)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Created::Kept),
        Err(error) => Err(WriteError::io(path, &error)),
    }
}

/// Gives a file its name, unless that is taken. Some file systems know the one way, some the other.
fn put_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => std::fs::hard_link(from, to),
        other => Ok(other?),
    }
}

/// Removes a file that holds exactly these bytes.
///
/// # Errors
/// [`WriteError::Changed`] when it holds others; the file is then as it was.
pub fn remove(path: &Path, expected: &[u8]) -> Result<(), WriteError> {
    let now = read::whole(path, expected.len() as u64);
    if !now.is_ok_and(|now| now == expected) {
        return Err(WriteError::Changed { path: path.into() });
    }
    std::fs::remove_file(path).map_err(|error| WriteError::io(path, &error))?;
    sync_folder(path)
}

/// Adds a line to a file with one write, so that lines of several writers do not mix; makes the
/// file when it is not there.
///
/// # Errors
/// [`WriteError`].
pub fn append_line(path: &Path, line: &str, modes: Modes) -> Result<(), WriteError> {
    let target = target_of(path, modes.folder)?;
    let said = |error: io::Error| WriteError::io(path, &error);
    let is_new = std::fs::metadata(&target).is_err();
    // Without this a FIFO that nobody reads would hang.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(modes.file)
        .custom_flags(flags)
        .open(&target)
        .map_err(said)?;
    if !file.metadata().map_err(said)?.is_file() {
        return Err(WriteError::NotRegular { path: path.into() });
    }
    if is_new {
        set_mode(&file, modes.file).map_err(said)?;
    }
    file.write_all(format!("{line}\n").as_bytes()).map_err(said)
}

/// Makes a folder and those above it, with a mode that no umask trims; one that is there keeps
/// its own.
///
/// # Errors
/// [`WriteError`].
pub fn create_folder(path: &Path, mode: u32) -> Result<(), WriteError> {
    match std::fs::metadata(path) {
        Ok(there) if there.is_dir() => return Ok(()),
        Ok(_) => return Err(WriteError::NotFolder { path: path.into() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(WriteError::io(path, &error)),
    }
    if let Some(above) = path.parent() {
        create_folder(above, mode)?;
    }
    let said = |error: io::Error| WriteError::io(path, &error);
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => {}
        // Made by somebody else a moment ago; a dangling symlink comes here too.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return match std::fs::metadata(path) {
                Ok(there) if there.is_dir() => Ok(()),
                _ => Err(WriteError::NotFolder { path: path.into() }),
            };
        }
        Err(error) => return Err(said(error)),
    }
    let flags = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits() as i32;
    let made = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(said)?;
    set_mode(&made, mode).map_err(said)
}

/// Where the bytes of a path really go: a symlink is followed, so that it stays one.
fn target_of(path: &Path, folder_mode: u32) -> Result<PathBuf, WriteError> {
    refuse_foreign_links(path)?;
    match path.canonicalize() {
        Ok(target) => Ok(target),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if std::fs::symlink_metadata(path).is_ok() {
                return Err(WriteError::Dangling { path: path.into() });
            }
            in_folder(path, folder_mode)
        }
        Err(error) => Err(WriteError::io(path, &error)),
    }
}

/// The place of a new file in its folder, which is made when it is not there.
fn in_folder(path: &Path, folder_mode: u32) -> Result<PathBuf, WriteError> {
    refuse_foreign_links(path)?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(WriteError::NotRegular { path: path.into() });
    };
    create_folder(folder, folder_mode)?;
    let folder = folder
        .canonicalize()
        .map_err(|error| WriteError::io(path, &error))?;
    Ok(folder.join(name))
}

/// A symlink on the way that somebody else made leads where that one wants.
fn refuse_foreign_links(path: &Path) -> Result<(), WriteError> {
    let me = rustix::process::geteuid().as_raw();
    for step in path.ancestors() {
        let Ok(there) = std::fs::symlink_metadata(step) else {
            continue;
        };
        if there.is_symlink() && ![me, 0].contains(&there.uid()) {
            return Err(WriteError::ForeignLink {
                path: path.into(),
                link: step.into(),
                uid: there.uid(),
            });
        }
    }
    Ok(())
}

/// A temporary file; it goes when this is dropped, unless it got its name.
#[derive(Debug)]
struct Temp {
    path: PathBuf,
    is_gone: bool,
    /// Held under a lock, so that [`sweep`] knows the file of a writer that lives.
    _held: File,
}

/// How the name of a temporary file begins and ends.
const TEMP: (&str, &str) = (".flowgate-", ".tmp");

/// No writer takes so long from making its file to locking it.
const YOUNG: std::time::Duration = std::time::Duration::from_millis(200);

/// Most entries of a folder that are looked at.
const MOST_ENTRIES: usize = 20_000;

/// Removes what writers that were killed left in a folder: temporary files of this user that nobody
/// holds any more. They may hold secrets.
pub fn sweep(folder: &Path) {
    let me = rustix::process::geteuid().as_raw();
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    for entry in entries.take(MOST_ENTRIES).flatten() {
        let name = entry.file_name();
        let is_temp = name
            .to_str()
            .is_some_and(|name| name.starts_with(TEMP.0) && name.ends_with(TEMP.1));
        if !is_temp || !is_abandoned(&entry.path(), me) {
            continue;
        }
        // Whoever was faster did the same.
        let _ = std::fs::remove_file(entry.path());
    }
}

fn is_abandoned(path: &Path, me: u32) -> bool {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let Ok((file, facts)) = opened.and_then(|file| {
        let facts = file.metadata()?;
        Ok((file, facts))
    }) else {
        return false;
    };
    let is_old = facts
        .modified()
        .ok()
        .and_then(|at| at.elapsed().ok())
        .is_some_and(|age| age > YOUNG);
    facts.is_file()
        && facts.uid() == me
        && is_old
        && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
}

impl Temp {
    /// Writes a text beside its target and reads it back. It is closed to others until it is whole.
    fn write(
        target: &Path,
        bytes: &[u8],
        mode: u32,
        owner: Option<(u32, u32)>,
        lasting: Lasting,
    ) -> Result<Self, WriteError> {
        let said = |error: io::Error| WriteError::io(target, &error);
        let path = beside(target).map_err(said)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(said)?;
        // Where the file system knows no locks nothing is swept either.
        let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
        let temp = Self {
            path,
            is_gone: false,
            _held: file.try_clone().map_err(said)?,
        };
        file.write_all(bytes).map_err(said)?;
        if let Some((uid, gid)) = owner {
            keep_owner(&file, uid, gid).map_err(|_| WriteError::Owner {
                path: target.into(),
                uid,
                gid,
            })?;
        }
        // After the owner: a change of owner takes bits away.
        set_mode(&file, mode).map_err(said)?;
        if lasting == Lasting::Now {
            file.sync_all().map_err(said)?;
        }
        let again = read::whole(&temp.path, bytes.len() as u64);
        if again.as_deref().is_ok_and(|again| again == bytes) || mode & 0o400 == 0 {
            return Ok(temp);
        }
        Err(WriteError::NotReadBack {
            path: target.into(),
        })
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.is_gone {
            // It may be gone with its folder; there is nothing else to be done about it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn beside(target: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let ending = hex(&random);
    // A name of its own, not one made of the target's: that may be as long as names can be.
    Ok(target.with_file_name(format!("{}{ending}{}", TEMP.0, TEMP.1)))
}

fn keep_owner(file: &File, uid: u32, gid: u32) -> io::Result<()> {
    let now = file.metadata()?;
    if (now.uid(), now.gid()) == (uid, gid) {
        return Ok(());
    }
    fchown(file, Some(uid), Some(gid))
}

fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(mode))
}

/// Without this a crash could bring the old name back.
fn sync_folder(target: &Path) -> Result<(), WriteError> {
    let folder = target.parent().unwrap_or(Path::new("/"));
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // A folder that may be written and not read cannot be opened; some file systems know no
        // `fsync` of a folder. The file itself is whole either way.
        Err(error)
            if error.kind() != io::ErrorKind::PermissionDenied
                && error.raw_os_error() != Some(rustix::io::Errno::INVAL.raw_os_error()) =>
        {
            Err(WriteError::Io {
                path: target.into(),
                why: sentence(target, &error),
            })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
