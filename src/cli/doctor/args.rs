//! The arguments of the doctor.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use flowgate_checks::ALL;
use flowgate_checks::model::Expectation;

use crate::report::{FailOn, Format};

/// Arguments of `flowgate doctor`.
///
/// Without --fix it changes nothing. It looks at sockets, processes, files, logs and HTTP answers of
/// this machine, and never asks a model.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Exit codes: 0 nothing wrong, 1 something is, 2 bad usage or a check has no verdict.\n\
                  Read on: flowgate doctor list, flowgate doctor explain port-conflict"
)]
pub struct DoctorArgs {
    /// What to do instead of looking.
    #[command(subcommand)]
    pub command: Option<DoctorCommand>,
    /// Print one JSON document (same as --format json)
    #[arg(long)]
    json: bool,
    /// Form of the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Repair what is safe to repair, then offer the rest (safe: only the former, all: both,
    /// FIX[:SUBJECT]: that one; repeatable). Each repair is verified, and taken back when it does not
    /// help
    #[arg(
        long,
        value_name = "safe|all|FIX[:SUBJECT]",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        conflicts_with_all = ["from", "bundle", "wait"]
    )]
    pub fix: Vec<String>,
    /// Show what --fix would change, as a plan and a diff, and change nothing
    #[arg(long, conflicts_with_all = ["from", "bundle", "wait"])]
    pub dry_run: bool,
    /// Apply without asking what is not safe and was asked for
    #[arg(long)]
    pub yes: bool,
    /// Show and gate only these checks (repeatable)
    #[arg(long, value_name = "CHECK", value_parser = check_id, value_delimiter = ',')]
    pub check: Vec<String>,
    /// Leave these checks out (repeatable)
    #[arg(long, value_name = "CHECK", value_parser = check_id, value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Exit 1 from this severity on
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    pub fail_on: FailOn,
    /// State in which the services should be [default: as recorded]
    #[arg(long, value_enum)]
    pub expect: Option<Expect>,
    /// Look again until nothing is wrong, at most so long (implies --expect serving)
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "from")]
    pub wait: Option<Duration>,
    /// Bound of the whole look; what did not finish is unknown
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5s")]
    pub timeout: Duration,
    /// How far ahead an expiry is a warning
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "24h")]
    pub horizon: Duration,
    /// Propose nothing that needs a download
    #[arg(long)]
    pub offline: bool,
    /// Show the effects of each cause in full
    #[arg(long)]
    pub explained: bool,
    /// Also write what was seen to FILE (.json or .json.gz), without secrets
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    pub bundle: Option<PathBuf>,
    /// Diagnose a bundle instead of this machine
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
}

/// What the doctor does instead of looking.
#[derive(Debug, Subcommand)]
pub enum DoctorCommand {
    /// Prints the runbook page of a check or of a finding
    Explain {
        /// A check or a finding: port-conflict, port-conflict/foreign-listener
        id: String,
    },
    /// Lists every check and every finding
    List,
    /// Takes a repair back: that run, else all that still stands of the last --fix
    Undo {
        /// Its number, as `doctor runs` shows it
        run: Option<u64>,
    },
    /// Lists the repairs so far, or shows one
    Runs {
        /// Its number
        run: Option<u64>,
    },
    /// Hides a finding for some time; it counts no more
    Mute {
        /// ID[:SUBJECT], as the JSON report has it
        finding: String,
        /// For how long
        #[arg(long = "for", value_name = "DURATION", value_parser = days, default_value = "7d")]
        duration: Duration,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Shows a hidden finding again
    Unmute {
        /// ID[:SUBJECT], as it was muted
        finding: String,
    },
    /// Prints the JSON Schema of the report or of the snapshot
    Schema {
        /// Of what
        #[arg(value_enum, default_value_t = SchemaOf::Report)]
        of: SchemaOf,
    },
}

/// Of what a schema is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// What `doctor --json` prints.
    Report,
    /// What `doctor --bundle` writes.
    Snapshot,
}

/// States in which the services should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Expect {
    /// Every enabled service serves.
    Serving,
    /// No service runs.
    Stopped,
    /// It does not matter.
    Any,
}

impl From<Expect> for Expectation {
    fn from(expect: Expect) -> Self {
        match expect {
            Expect::Serving => Self::Serving,
            Expect::Stopped => Self::Stopped,
            Expect::Any => Self::Any,
        }
    }
}

impl DoctorArgs {
    /// Whether something is to be repaired, or the plan for it is asked for.
    pub fn is_repair(&self) -> bool {
        self.dry_run || !self.fix.is_empty()
    }

    /// The form of the report.
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

fn check_id(text: &str) -> Result<String, String> {
    if ALL.iter().any(|check| check.id == text) {
        return Ok(text.to_owned());
    }
    let ids: Vec<&str> = ALL.iter().map(|check| check.id).collect();
    Err(format!("no such check; there are {}", ids.join(", ")))
}

/// `7d`, `12h`: as [`duration`], and whole days or weeks.
fn days(text: &str) -> Result<Duration, String> {
    let whole = |unit: char, seconds: u64| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(seconds).filter(|seconds| *seconds > 0)
    };
    match whole('d', 86_400).or_else(|| whole('w', 604_800)) {
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => duration(text).map_err(|_| "expected a duration such as 12h, 7d or 2w".into()),
    }
}

/// `5s`, `500ms`, `24h`, `1h30m`; a bare number is refused, because its unit is a guess.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed: jiff::SignedDuration = text
        .parse()
        .map_err(|_| "expected a duration such as 500ms, 5s or 24h".to_owned())?;
    match Duration::try_from(parsed) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("expected a duration above zero, such as 5s".into()),
    }
}
