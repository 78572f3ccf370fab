//! Where the doctor keeps what it did: `doctor/` below the runtime dir, closed to others.

use std::path::{Path, PathBuf};

use crate::sys::write::{self, WriteError};

/// The files of the doctor below a runtime dir.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(PathBuf);

impl Place {
    /// The place below a runtime dir, an absolute path.
    pub fn below(runtime_dir: &Path) -> Self {
        Self(runtime_dir.join("doctor"))
    }

    /// The folder of all runs.
    pub fn runs(&self) -> PathBuf {
        self.0.join("runs")
    }

    /// The folder of a run.
    pub fn run(&self, id: u64) -> PathBuf {
        self.runs().join(id.to_string())
    }

    /// Who holds a lock on it repairs.
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// Makes the folders that are not there: the runtime dir for all to enter, the others for this
    /// user alone.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn make(&self) -> Result<(), WriteError> {
        if let Some(runtime) = self.0.parent() {
            write::create_folder(runtime, 0o755)?;
        }
        write::create_folder(&self.runs(), 0o700)
    }

    /// The ids of all runs, oldest first.
    pub fn ids(&self) -> Vec<u64> {
        let entries = std::fs::read_dir(self.runs()).into_iter().flatten();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut ids: Vec<u64> = names.filter_map(|name| name.parse().ok()).collect();
        ids.sort_unstable();
        ids
    }
}
