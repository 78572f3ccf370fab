//! What surrounds a stand-in: variables, folder, streams.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::console::Console;
use super::journal::Journal;

/// The port that LiteLLM leaves silently when it is taken; another one for tests.
const SPECIAL_PORT: &str = "FLOWGATE_STANDIN_SPECIAL_PORT";

/// Milliseconds until it listens (LiteLLM), or until it ends of a failed bind (CLIProxyAPI).
const DELAY: &str = "FLOWGATE_STANDIN_DELAY_MS";

/// A file to which every request is appended as a JSON line.
const JOURNAL: &str = "FLOWGATE_STANDIN_JOURNAL";

/// `plus` (6.6.9-0, the default) or `mainline` (7.2.140).
const EDITION: &str = "FLOWGATE_STANDIN_EDITION";

/// Everything that a stand-in takes from its surroundings.
#[derive(Clone)]
pub struct Scene {
    /// The environment variables.
    pub variables: BTreeMap<String, String>,
    /// The working directory, absolute.
    pub folder: PathBuf,
    /// The output streams.
    pub console: Console,
}

impl Scene {
    /// The surroundings of this process.
    pub fn of_process() -> Self {
        Self {
            variables: env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            folder: env::current_dir().unwrap_or_default(),
            console: Console::standard(),
        }
    }

    /// A variable, when it is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// A path as the program would open it.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.join(Path::new(path))
    }

    /// The port that LiteLLM leaves silently, 4000 unless a test says otherwise.
    pub fn special_port(&self) -> u16 {
        self.variable(SPECIAL_PORT)
            .and_then(|port| port.parse().ok())
            .unwrap_or(4000)
    }

    /// How long a start or a failing start takes.
    pub fn delay(&self) -> Duration {
        let milliseconds = self.variable(DELAY).and_then(|delay| delay.parse().ok());
        Duration::from_millis(milliseconds.unwrap_or(0))
    }

    /// Whether the stand-in is a mainline build.
    pub fn is_mainline(&self) -> bool {
        self.variable(EDITION) == Some("mainline")
    }

    /// The journal, when one is asked for.
    pub fn journal(&self, program: &'static str) -> Journal {
        let file = self.variable(JOURNAL).map(|path| self.path(path));
        Journal::new(program, file)
    }
}
