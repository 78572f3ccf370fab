//! Where the programs and what is known of them lie in a runtime dir.

use std::path::{Path, PathBuf};

/// The places of one runtime dir.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    runtime: PathBuf,
}

impl Places {
    /// Those of a runtime dir; absolute.
    pub fn of(runtime_dir: &Path) -> Self {
        Self {
            runtime: runtime_dir.to_owned(),
        }
    }

    /// The runtime dir.
    pub fn runtime(&self) -> &Path {
        &self.runtime
    }

    /// CLIProxyAPIPlus.
    pub fn program(&self) -> PathBuf {
        self.runtime.join("bin/CLIProxyAPIPlus")
    }

    /// The entry of LiteLLM: a link into its environment.
    pub fn entry(&self) -> PathBuf {
        self.runtime.join("bin/litellm")
    }

    /// The environment of LiteLLM: a link to the folder of one installation.
    pub fn venv(&self) -> PathBuf {
        self.runtime.join("venv")
    }

    /// What was installed.
    pub fn manifest(&self) -> PathBuf {
        self.runtime.join("manifest.json")
    }

    /// What only the installing needs.
    pub fn folder(&self) -> PathBuf {
        self.runtime.join("bootstrap")
    }

    /// Who installs at this moment.
    pub fn lock(&self) -> PathBuf {
        self.folder().join("lock")
    }

    /// Why the last try failed.
    pub fn failure(&self) -> PathBuf {
        self.folder().join("failure.json")
    }

    /// The program that another took the place of, until that one was ready once.
    pub fn previous_program(&self) -> PathBuf {
        self.folder().join("CLIProxyAPIPlus.previous")
    }

    /// What the manifest said of it.
    pub fn previous_entry(&self) -> PathBuf {
        self.folder().join("CLIProxyAPIPlus.previous.json")
    }
}
