//! Named remedies and the changes that they consist of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Mode;

/// A named remedy of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fix {
    /// Stable id: `stop-holder`, `move-port`, `by-hand`.
    pub id: String,
    /// What it does, as an instruction: `stop python3 (pid 4312), then start litellm`.
    pub title: String,
    /// Who may apply it.
    pub safety: Safety,
    /// Whether it can be taken back.
    pub reversible: bool,
    /// What to type, in order; each can be pasted. Empty when the title is a text to write into a file.
    pub commands: Vec<String>,
    /// The same as data, for `doctor --fix`.
    pub steps: Vec<Step>,
}

/// Who may apply a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Safety {
    /// It can be applied without asking.
    Safe,
    /// It is asked for.
    Unsafe,
    /// It is only shown.
    Manual,
}

/// One change as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Step {
    /// Change the permission bits of a file or directory.
    SetMode {
        /// The file.
        path: String,
        /// The bits it has now.
        from: Mode,
        /// The bits it gets.
        to: Mode,
    },
}

impl Fix {
    /// A remedy that is only shown: what to type, or the text to write and where.
    pub fn manual(id: &str, title: impl Into<String>, commands: Vec<String>) -> Self {
        Self::new(id, Safety::Manual, title, commands)
    }

    /// A remedy with its safety, not reversible and without steps.
    pub fn new(id: &str, safety: Safety, title: impl Into<String>, commands: Vec<String>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            safety,
            reversible: false,
            commands,
            steps: Vec::new(),
        }
    }

    /// The same remedy, with its changes as data, which can be taken back.
    pub fn with_steps(mut self, steps: Vec<Step>) -> Self {
        self.reversible = true;
        self.steps = steps;
        self
    }
}
