//! What was repaired, as every renderer shows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What `--fix` planned or did: rounds of runs under one group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Repair {
    /// Id of the group, which is that of its first run; null when nothing was begun.
    pub group_id: Option<String>,
    /// What was asked for: `offer`, `safe`, `all`, `named`.
    pub mode: String,
    /// Whether it is a plan only, and nothing was written.
    pub dry_run: bool,
    /// The rounds; each begins with a look at what the one before uncovered.
    pub rounds: Vec<Round>,
    /// Fixes that were not applied, and why.
    pub skipped: Vec<Skipped>,
    /// Keys of errors that could not be seen before.
    pub uncovered: Vec<String>,
}

/// The runs that one look led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Round {
    /// Its number, from 1.
    pub n: u32,
    /// Its runs.
    pub runs: Vec<Run>,
}

/// One run: kept or taken back as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Its id, for `doctor undo`; null when it is only planned, or was not begun.
    pub run_id: Option<String>,
    /// Key of the finding that it should end; the first of several.
    pub root: String,
    /// Keys of all findings that it should end: those that need the same step or file.
    pub roots: Vec<String>,
    /// Id of the fix; the first of several.
    pub fix: String,
    /// What it does, as an instruction.
    pub title: String,
    /// What became of it.
    pub state: RunState,
    /// Why it was taken back or refused.
    pub reason: Option<String>,
    /// The unified diff of the files that it changes, secrets hidden; null when it changes none.
    pub diff: Option<String>,
    /// What was put back, in one line.
    pub restored: Option<String>,
    /// Its steps, in the order in which they are done.
    pub steps: Vec<Step>,
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// It was shown and not done.
    Planned,
    /// Its finding is gone and nothing that was fine is worse.
    Kept,
    /// It harmed or did not help, and everything is as before.
    RolledBack,
    /// It was left unfinished earlier, and is taken back now.
    Recovered,
    /// It was not begun.
    Refused,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Its kind: `set-mode`.
    pub kind: String,
    /// What it acts upon.
    pub target: String,
    /// The unified diff of what it alone changes, secrets hidden; null when it changes no text.
    pub diff: Option<String>,
    /// What became of it.
    pub state: StepState,
    /// Why it failed.
    pub error: Option<String>,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// It was not done.
    Planned,
    /// It was done.
    Done,
    /// It did not work.
    Failed,
    /// It was done and taken back.
    TakenBack,
}

/// A fix that was not applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Skipped {
    /// The fix, with its subject: `move-port:litellm`.
    pub fix: String,
    /// Why.
    pub reason: String,
}

impl Run {
    /// Its title as it reads by now: `chmod 600 a (is 644)` is `(was 644)` when it was done.
    pub fn said(&self) -> String {
        match self.state {
            RunState::Kept => self.title.replace("(is ", "(was "),
            _ => self.title.clone(),
        }
    }
}

impl RunState {
    /// The state in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Kept => "kept",
            Self::RolledBack => "rolled back",
            Self::Recovered => "recovered",
            Self::Refused => "not begun",
        }
    }
}

impl StepState {
    /// The state in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Planned => "not done",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::TakenBack => "taken back",
        }
    }
}

impl Repair {
    /// The runs of all rounds, in order.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.rounds.iter().flat_map(|round| &round.runs)
    }
}
