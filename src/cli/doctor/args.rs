//! The arguments of the doctor.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use flowgate_checks::ALL;
use flowgate_checks::model::Expectation;

use crate::report::{FailOn, Format};

/// Arguments of `flowgate doctor`.
///
/// It changes nothing. It looks at sockets, processes, files, logs and HTTP answers of this
/// machine, and never asks a model.
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
