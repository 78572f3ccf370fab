//! Whether a file can be reached and executed by this user.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD};

use super::links::last_target;
use crate::platform::Mount;

/// What is in the way to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// It is not there.
    Missing,
    /// It is a link, and what it leads to in the end is not there.
    Dangling(PathBuf),
    /// It is a link that leads to itself.
    Loop,
    /// This folder cannot be entered.
    Closed(PathBuf),
    /// Something else, as a fragment.
    Other(String),
}

impl Obstacle {
    /// As a fragment: `no such file`, `link to /opt/python3.10, which is gone`.
    pub fn describe(&self) -> String {
        match self {
            Self::Missing => "no such file".into(),
            Self::Dangling(target) => format!("link to {}, which is gone", target.display()),
            Self::Loop => "link that leads to itself".into(),
            Self::Closed(folder) => format!("{} cannot be entered", folder.display()),
            Self::Other(why) => why.clone(),
        }
    }
}

/// The facts of what a path leads to, or what is in the way.
///
/// # Errors
/// The [`Obstacle`].
pub fn reach(path: &Path) -> Result<fs::Metadata, Obstacle> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata),
        Err(error) => Err(match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => match last_target(path) {
                Some(target) => Obstacle::Dangling(target),
                None => Obstacle::Missing,
            },
            ErrorKind::PermissionDenied => Obstacle::Closed(closed_folder(path)),
            _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                Obstacle::Loop
            }
            _ => Obstacle::Other(error.to_string()),
        }),
    }
}

/// The nearest folder of a path that this user may not enter.
fn closed_folder(path: &Path) -> PathBuf {
    path.ancestors()
        .skip(1)
        .find(|folder| {
            !folder.as_os_str().is_empty()
                && fs::metadata(folder).is_ok()
                && rustix::fs::accessat(CWD, *folder, Access::EXEC_OK, AtFlags::EACCESS).is_err()
        })
        .unwrap_or(Path::new("/"))
        .to_owned()
}

/// Whether this user may execute a file that can be reached: by its bits and those of the folders.
///
/// A `noexec` mount makes the kernel refuse whatever the bits are; then the bits alone are judged,
/// because the mount is told apart.
pub fn can_execute(path: &Path, metadata: &fs::Metadata, is_noexec: bool) -> bool {
    let asked = rustix::fs::accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS);
    asked.is_ok() || (is_noexec && allows_execution(metadata))
}

fn allows_execution(metadata: &fs::Metadata) -> bool {
    let uid = rustix::process::geteuid().as_raw();
    let mode = metadata.mode();
    if uid == 0 {
        return mode & 0o111 != 0;
    }
    if metadata.uid() == uid {
        return mode & 0o100 != 0;
    }
    let groups = rustix::process::getgroups().unwrap_or_default();
    let is_member = rustix::process::getegid().as_raw() == metadata.gid()
        || groups.iter().any(|group| group.as_raw() == metadata.gid());
    mode & if is_member { 0o010 } else { 0o001 } != 0
}

/// The mount that holds a path, links followed.
pub fn mount_of<'a>(path: &Path, mounts: &'a [Mount]) -> Option<&'a Mount> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    mounts
        .iter()
        .filter(|mount| real.starts_with(&mount.point))
        // Of two mounts at one point the later one is on top.
        .max_by_key(|mount| mount.point.components().count())
}
