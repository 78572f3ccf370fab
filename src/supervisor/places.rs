//! Where the supervisor keeps its files, and the making of these folders.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::sys::users::Users;
use crate::sys::write_error::sentence;

/// Why a runtime dir cannot be used.
#[derive(Debug, Error)]
pub enum PlaceError {
    /// It belongs to somebody else.
    #[error("use {}: it belongs to {owner}; run flowgate as {owner}", dir.display())]
    Foreign {
        /// The runtime dir.
        dir: PathBuf,
        /// Login name of its owner.
        owner: String,
    },
    /// It is no folder.
    #[error("use {}: it is no folder", .0.display())]
    NoFolder(PathBuf),
    /// A folder cannot be made.
    #[error("make {}: {}", path.display(), sentence(path, error))]
    Make {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file cannot be written.
    #[error("write {}: {}", path.display(), sentence(path, error))]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// The files below a runtime dir.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    runtime: PathBuf,
}

impl Places {
    /// The places below a runtime dir, an absolute path.
    pub fn new(runtime_dir: &Path) -> Self {
        Self {
            runtime: runtime_dir.to_owned(),
        }
    }

    /// The runtime dir.
    pub fn runtime(&self) -> &Path {
        &self.runtime
    }

    /// The supervisor's own folder, of mode 0700.
    pub fn supervisor(&self) -> PathBuf {
        self.runtime.join("supervisor")
    }

    /// Who holds a lock on it is the supervisor; it holds `{"pid":…,"startTime":…,"version":…}`.
    pub fn lock(&self) -> PathBuf {
        self.supervisor().join("supervisor.lock")
    }

    /// What the supervisor itself had to say.
    pub fn supervisor_log(&self) -> PathBuf {
        self.supervisor().join("supervisor.log")
    }

    /// The record of a service.
    pub fn record(&self, service: &str) -> PathBuf {
        self.supervisor().join(format!("{service}.json"))
    }

    /// The flight recorder of a service.
    pub fn history(&self, service: &str) -> PathBuf {
        self.supervisor().join(format!("{service}.history.jsonl"))
    }

    /// The pid file of a service, for others.
    pub fn pid_file(&self, service: &str) -> PathBuf {
        self.runtime.join("pids").join(format!("{service}.pid"))
    }

    /// The output of a service.
    pub fn log(&self, service: &str) -> PathBuf {
        self.runtime
            .join("process-logs")
            .join(format!("{service}.log"))
    }

    /// Makes the folders that are not there: the runtime dir and what others read with 0755, the
    /// supervisor's own with 0700.
    ///
    /// # Errors
    /// [`PlaceError`], with the folder that cannot be made. A runtime dir of another user is refused,
    /// for root too: files of root in it would lock its owner out.
    pub fn make(&self) -> Result<(), PlaceError> {
        make_dir(&self.runtime, 0o755)?;
        let facts = fs::metadata(&self.runtime).map_err(|error| PlaceError::Make {
            path: self.runtime.clone(),
            error,
        })?;
        if !facts.is_dir() {
            return Err(PlaceError::NoFolder(self.runtime.clone()));
        }
        if facts.uid() != rustix::process::geteuid().as_raw() {
            return Err(PlaceError::Foreign {
                dir: self.runtime.clone(),
                owner: Users::load().name(facts.uid()),
            });
        }
        make_dir(&self.supervisor(), 0o700)?;
        make_dir(&self.runtime.join("pids"), 0o755)?;
        make_dir(&self.runtime.join("process-logs"), 0o755)
    }
}

/// Makes a folder and those above it; one that is there is left as it is.
pub(super) fn make_dir(path: &Path, mode: u32) -> Result<(), PlaceError> {
    let missing: Vec<&Path> = path
        .ancestors()
        .take_while(|folder| !folder.exists())
        .collect();
    let made = DirBuilder::new().recursive(true).mode(mode).create(path);
    // Whatever the umask took away.
    let made = made.and_then(|()| {
        let mut made = missing.into_iter();
        made.try_for_each(|folder| fs::set_permissions(folder, Permissions::from_mode(mode)))
    });
    made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => PlaceError::NoFolder(path.to_owned()),
        _ => PlaceError::Make {
            path: path.to_owned(),
            error,
        },
    })
}
