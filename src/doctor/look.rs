//! One look: from the machine, or from a bundle, to the report.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use flowgate_checks::diagnose::diagnose;
use flowgate_checks::model::{Expectation, Snapshot};
use thiserror::Error;

use super::bundle::{self, BundleError};
use crate::gather::underway::Underway;
use crate::gather::{self, GatherError, Timing};
use crate::report::{self, Asked, FailOn, Report, Selection};

/// What is looked at.
pub enum Source {
    /// This machine.
    Machine(gather::Request),
    /// A bundle that somebody wrote.
    Bundle(PathBuf),
}

/// What the one who asked wants.
pub struct Wish {
    /// What is looked at.
    pub source: Source,
    /// The state in which the services should be; none leaves it as recorded.
    pub expect: Option<Expectation>,
    /// Which checks are shown and gated.
    pub selection: Selection,
    /// From which severity on the run fails.
    pub fail_on: FailOn,
    /// Where to write what was seen.
    pub bundle: Option<PathBuf>,
}

/// Why there is no report.
#[derive(Debug, Error)]
pub enum DoctorError {
    /// The machine could not be looked at.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// A bundle could not be read or written.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

/// Looks, diagnoses and reports. Nothing is written but the bundle that was asked for.
///
/// # Errors
/// [`DoctorError`], when there is nothing to report on.
pub fn look(wish: Wish) -> Result<Report, DoctorError> {
    look_seen(wish, &Underway::default())
}

/// The same, while `underway` shows what is waited for.
///
/// # Errors
/// [`DoctorError`], when there is nothing to report on.
pub fn look_seen(wish: Wish, underway: &Underway) -> Result<Report, DoctorError> {
    let begun = Instant::now();
    let (mut snapshot, timings) = match wish.source {
        Source::Machine(request) => gather::look(request, underway.clone())?,
        Source::Bundle(path) => (bundle::read(&path)?, Vec::new()),
    };
    if let Some(expect) = wish.expect {
        snapshot.policy.expect = expect;
    }
    if let Some(path) = &wish.bundle {
        bundle::write(path, &snapshot)?;
    }
    Ok(report_on(
        &snapshot,
        wish.selection,
        wish.fail_on,
        timings,
        begun.elapsed(),
    ))
}

/// The report on a snapshot.
pub fn report_on(
    snapshot: &Snapshot,
    selection: Selection,
    fail_on: FailOn,
    timings: Vec<Timing>,
    duration: Duration,
) -> Report {
    let asked = Asked {
        selection,
        fail_on,
        run_id: run_id(),
        duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        timings: timings
            .into_iter()
            .map(|timing| report::Timing {
                probe: timing.probe,
                ms: u64::try_from(timing.elapsed.as_millis()).unwrap_or(u64::MAX),
            })
            .collect(),
    };
    report::build(diagnose(snapshot), snapshot, asked)
}

fn run_id() -> String {
    let mut bytes = [0; 6];
    // Without randomness the id says less; the report does not.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
