//! The socket's address, however long the path of the runtime dir is.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags};

use super::places::Places;

/// Name of the socket in the supervisor's folder.
const NAME: &str = "supervisor.sock";

/// A short path to the socket. It goes through an open descriptor of the supervisor's folder, since
/// the address of a Unix socket holds 107 bytes; it is good as long as this lives.
pub struct Door {
    folder: File,
}

impl Door {
    /// Opens the folder.
    ///
    /// # Errors
    /// When it is not there or may not be entered.
    pub fn open(places: &Places) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(places.supervisor(), flags, Mode::empty())?;
        Ok(Self {
            folder: File::from(folder),
        })
    }

    /// The path to bind, connect or remove.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{NAME}", self.folder.as_raw_fd()))
    }
}
