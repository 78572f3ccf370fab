//! The report: what every renderer and the exit code are made from.

use std::collections::BTreeMap;

use clap::ValueEnum;
use flowgate_checks::chain::Hop;
use flowgate_checks::changes::Change;
use flowgate_checks::model::{Finding, Severity, UnknownDatum};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::mute::Mute;
use super::repair::Repair;

/// What one look found, judged by what was asked for.
#[derive(Debug)]
pub struct Report {
    /// Id of this run, 12 hex digits.
    pub run_id: String,
    /// When gathering began, UTC.
    pub generated_at: Timestamp,
    /// Milliseconds from the start of gathering to the report.
    pub duration_ms: u64,
    /// flowgate.yaml, relative to the root; the first path tried when there is none.
    pub config_path: String,
    /// The same for people: absolute, with `~`.
    pub config_shown: String,
    /// How to call this flowgate again.
    pub command: String,
    /// No error, and no check without a verdict.
    pub ok: bool,
    /// From which severity on a root fails the run.
    pub fail_on: FailOn,
    /// 0, 1 or 2, as `docs/json.md` says.
    pub exit_code: u8,
    /// Counts.
    pub summary: Summary,
    /// The hops.
    pub chain: Vec<Hop>,
    /// The seven checks, in runbook order.
    pub checks: Vec<CheckRow>,
    /// The findings of the checks that were asked for: roots first, in the order in which they are shown.
    pub findings: Vec<Finding>,
    /// What could not be looked at.
    pub unknowns: Vec<Unknown>,
    /// What changed since the services were last ready.
    pub changes: Vec<Change>,
    /// When the service of a finding was last ready and what changed since, by the key of the finding.
    pub since: BTreeMap<String, String>,
    /// How long each probe took.
    pub timings: Vec<Timing>,
    /// What a first run needs to know of the machine: `port 4000 free`. Empty when a config was found.
    pub machine: Vec<String>,
    /// What a person does not want to hear of.
    pub mutes: Vec<Mute>,
    /// What was repaired, or would be; none without `--fix`.
    pub repair: Option<Repair>,
    /// The starts and ends of the services that are recorded, oldest first.
    pub timeline: Vec<Moment>,
}

/// One moment in the life of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// When, UTC.
    pub at: Timestamp,
    /// The service.
    pub service: String,
    /// What kind of moment it is.
    pub kind: MomentKind,
    /// What happened, behind the name of the service: `ended with exit code 3 after 2 s`.
    pub text: String,
}

/// Kinds of moments; of two at one time the earlier kind stands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MomentKind {
    /// It ended by itself, or something else ended it.
    Ended,
    /// It ended because it was asked to.
    Stopped,
    /// It was started.
    Started,
    /// It was ready.
    Ready,
    /// It stopped answering.
    Silent,
    /// It will be tried again.
    NextTry,
}

/// Counts of a report. The first five count checks, the others findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Checks that found neither error nor warning and needed nothing they could not get.
    pub pass: usize,
    /// Checks with a warning and no error.
    pub warn: usize,
    /// Checks with an error, explained or not.
    pub fail: usize,
    /// Checks that have no verdict.
    pub unknown: usize,
    /// Checks that were not asked for.
    pub skipped: usize,
    /// Roots of severity error.
    pub error: usize,
    /// Roots of severity warning.
    pub warning: usize,
    /// Roots of severity info.
    pub info: usize,
    /// Effects: findings that another one explains.
    pub explained: usize,
    /// Findings that were muted.
    pub muted: usize,
}

/// One check of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRow {
    /// Its id.
    pub id: &'static str,
    /// Section of the runbook.
    pub section: Option<u8>,
    /// Its verdict.
    pub status: CheckStatus,
    /// Why it has none.
    pub reason: Option<String>,
}

/// The verdict of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CheckStatus {
    /// Neither error nor warning.
    Pass,
    /// A warning, no error.
    Warn,
    /// An error, explained or not.
    Fail,
    /// Nothing found, and something that the verdict needed could not be seen.
    Unknown,
    /// Not asked for.
    Skipped,
}

/// From which severity on a root fails the run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum FailOn {
    /// Errors alone.
    #[default]
    Error,
    /// Errors and warnings.
    Warning,
    /// Every root.
    Info,
    /// Nothing.
    Never,
}

impl FailOn {
    /// Whether a root of this severity fails the run.
    pub fn includes(self, severity: Severity) -> bool {
        match self {
            Self::Error => severity == Severity::Error,
            Self::Warning => severity >= Severity::Warning,
            Self::Info => true,
            Self::Never => false,
        }
    }
}

/// What could not be looked at, and the check that needed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The check.
    pub check: &'static str,
    /// The datum.
    pub datum: UnknownDatum,
}

/// How long one probe took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Timing {
    /// The probe.
    pub probe: String,
    /// Milliseconds.
    pub ms: u64,
}

impl Report {
    /// Whether a finding is a root of this report: nothing that is shown explains it.
    pub fn is_root(&self, finding: &Finding) -> bool {
        !finding
            .caused_by
            .iter()
            .any(|cause| self.findings.iter().any(|shown| shown.key() == *cause))
    }

    /// The roots, in the order in which they are shown.
    pub fn roots(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| self.is_root(finding))
    }

    /// Who muted a finding: it is muted itself, or all that explains it is.
    pub fn mute_of(&self, finding: &Finding) -> Option<&Mute> {
        let own = |finding: &Finding| self.mutes.iter().find(|mute| mute.means(finding));
        if let Some(mute) = own(finding) {
            return Some(mute);
        }
        let causes = || {
            let shown = self.findings.iter();
            shown.filter(|cause| finding.caused_by.contains(&cause.key()))
        };
        // There are no circles among causes.
        let mut muted = causes().map(|cause| self.mute_of(cause));
        let first = muted.next()??;
        muted.all(|mute| mute.is_some()).then_some(first)
    }

    /// The roots that nobody muted, in the order in which they are shown.
    pub fn heard_roots(&self) -> impl Iterator<Item = &Finding> {
        self.roots().filter(|root| self.mute_of(root).is_none())
    }

    /// The effects that nobody muted, in the order in which they are shown.
    pub fn heard_effects(&self) -> impl Iterator<Item = &Finding> {
        self.effects()
            .filter(|effect| self.mute_of(effect).is_none())
    }

    /// The roots of a check at or above `--fail-on`.
    pub fn failures(&self, check: &CheckRow) -> impl Iterator<Item = &Finding> {
        self.heard_roots().filter(|root| {
            root.spec.id.split('/').next() == Some(check.id) && self.fail_on.includes(root.severity)
        })
    }

    /// Whether a check has no verdict and that counts.
    pub fn is_open(&self, check: &CheckRow) -> bool {
        check.status == CheckStatus::Unknown && self.fail_on != FailOn::Never
    }

    /// The effects that a finding explains, in the order in which they are shown.
    pub fn effects_of(&self, root: &Finding) -> impl Iterator<Item = &Finding> {
        self.effects()
            .filter(|effect| root.explains.contains(&effect.key()))
    }

    /// The effects, in the order in which they are shown.
    pub fn effects(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| !self.is_root(finding))
    }
}
