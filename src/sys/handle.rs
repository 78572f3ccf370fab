//! One file or directory, held fast: whoever has its name later, this is what is changed.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::read;

/// A file or directory by itself, not by its name. A symlink at the end of the path is refused.
#[derive(Debug)]
pub struct Handle {
    fd: OwnedFd,
    /// Device and inode: which one it is.
    pub identity: (u64, u64),
    /// Its permission bits when it was taken hold of.
    pub mode: u32,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
}

impl Handle {
    /// Takes hold of what a path names, whatever its mode.
    ///
    /// # Errors
    /// As the system says; a symlink too is one (`ELOOP`).
    pub fn open(path: &Path) -> io::Result<Self> {
        // Without a right to read, so that a mode of 000 is no hindrance; nothing is waited for.
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, rustix::fs::Mode::empty())?;
        let facts = File::from(fd.try_clone()?).metadata()?;
        if facts.is_symlink() {
            return Err(rustix::io::Errno::LOOP.into());
        }
        Ok(Self {
            fd,
            identity: (facts.dev(), facts.ino()),
            mode: facts.mode() & 0o7777,
            is_folder: facts.is_dir(),
            uid: facts.uid(),
            gid: facts.gid(),
        })
    }

    /// Its permission bits now.
    ///
    /// # Errors
    /// As the system says.
    pub fn mode_now(&self) -> io::Result<u32> {
        Ok(File::from(self.fd.try_clone()?).metadata()?.mode() & 0o7777)
    }

    /// Sets the permission bits of exactly this one.
    ///
    /// # Errors
    /// As the system says.
    pub fn set_mode(&self, mode: u32) -> io::Result<()> {
        // A handle without rights cannot be given to `fchmod`; its entry in `/proc` leads to the
        // same file and to no other.
        std::fs::set_permissions(self.way(), Permissions::from_mode(mode))
    }

    /// What it holds, when it is a regular file of at most `limit` bytes that may be read.
    pub fn content(&self, limit: u64) -> Option<Vec<u8>> {
        read::whole(Path::new(&self.way()), limit).ok()
    }

    /// Opens it for reading and writing.
    ///
    /// # Errors
    /// As the system says, and when it is no regular file.
    pub fn open_for_writing(&self) -> io::Result<File> {
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(flags)
            .open(self.way())?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        Ok(file)
    }

    fn way(&self) -> String {
        format!("/proc/self/fd/{}", self.fd.as_raw_fd())
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test makes what it looks at")]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_is_held_is_changed_and_a_symlink_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("one"), "1").unwrap();
        std::fs::write(at("two"), "2").unwrap();
        std::fs::set_permissions(at("one"), Permissions::from_mode(0o000)).unwrap();
        let held = Handle::open(&at("one")).unwrap();
        std::fs::rename(at("two"), at("one")).unwrap();
        held.set_mode(0o640).unwrap();
        assert_eq!(held.mode_now().unwrap(), 0o640);
        let other = std::fs::metadata(at("one")).unwrap().mode() & 0o7777;
        assert_ne!(other, 0o640);
        std::os::unix::fs::symlink("one", at("link")).unwrap();
        assert!(Handle::open(&at("link")).is_err());
    }
}
