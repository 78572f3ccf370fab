//! One look: from the machine, or from a bundle, to the report.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use flowgate_checks::diagnose::diagnose;
use flowgate_checks::model::{Expectation, Snapshot};
use thiserror::Error;

use super::bundle::{self, BundleError};
use super::left_out::LeftOut;
use super::mutes;
use crate::gather::underway::Underway;
use crate::gather::{self, GatherError, Timing};
use crate::report::{self, Asked, FailOn, Mute, Report, Selection};
use crate::sys::hex::random_id;
use crate::sys::place::Root;

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

/// What one look saw, before it is judged.
pub struct Seen {
    /// What was seen.
    pub snapshot: Snapshot,
    /// How long each probe took.
    timings: Vec<Timing>,
    /// How long all of them took.
    duration: Duration,
    /// What a person does not want to hear of.
    mutes: Vec<Mute>,
}

/// Looks, while `underway` shows what is waited for. Nothing is written.
///
/// # Errors
/// [`DoctorError`], when there is nothing to go on.
pub fn see(
    source: Source,
    expect: Option<Expectation>,
    underway: &Underway,
) -> Result<Seen, DoctorError> {
    let begun = Instant::now();
    let (mut snapshot, timings, mutes) = match source {
        Source::Machine(request) => {
            let (snapshot, timings) = gather::look(request, underway.clone())?;
            let mutes = mutes_of(&snapshot);
            (snapshot, timings, mutes)
        }
        // A bundle was made elsewhere; who reads it did not mute anything in it.
        Source::Bundle(path) => (bundle::read(&path)?, Vec::new(), Vec::new()),
    };
    if let Some(expect) = expect {
        snapshot.policy.expect = expect;
    }
    Ok(Seen {
        snapshot,
        timings,
        duration: begun.elapsed(),
        mutes,
    })
}

fn mutes_of(snapshot: &Snapshot) -> Vec<Mute> {
    let runtime = &snapshot.paths.runtime_dir;
    if runtime.is_empty() {
        return Vec::new();
    }
    let runtime = Root::new(&snapshot.paths.root).resolve(runtime);
    mutes::current(&runtime, snapshot.clock.gathered_at)
}

impl Seen {
    /// The report on it.
    pub fn report(&self, selection: Selection, fail_on: FailOn) -> Report {
        let asked = Asked {
            mutes: self.mutes.clone(),
            ..asked(selection, fail_on, self.timings.clone(), self.duration)
        };
        report::build(diagnose(&self.snapshot), &self.snapshot, asked)
    }
}

/// What one look came to.
pub struct Looked {
    /// The report.
    pub report: Report,
    /// What the bundle does not hold, when one was written.
    pub left_out: Option<LeftOut>,
}

/// Looks, diagnoses and reports. Nothing is written but the bundle that was asked for.
///
/// # Errors
/// [`DoctorError`], when there is nothing to report on.
pub fn look(wish: Wish) -> Result<Report, DoctorError> {
    Ok(look_seen(wish, &Underway::default())?.report)
}

/// The same, while `underway` shows what is waited for.
///
/// # Errors
/// [`DoctorError`], when there is nothing to report on.
pub fn look_seen(wish: Wish, underway: &Underway) -> Result<Looked, DoctorError> {
    let seen = see(wish.source, wish.expect, underway)?;
    let bundle = wish.bundle.as_deref();
    let left_out = bundle
        .map(|path| bundle::write(path, &seen.snapshot))
        .transpose()?;
    Ok(Looked {
        report: seen.report(wish.selection, wish.fail_on),
        left_out,
    })
}

/// The report on a snapshot.
pub fn report_on(
    snapshot: &Snapshot,
    selection: Selection,
    fail_on: FailOn,
    timings: Vec<Timing>,
    duration: Duration,
) -> Report {
    let asked = asked(selection, fail_on, timings, duration);
    report::build(diagnose(snapshot), snapshot, asked)
}

fn asked(selection: Selection, fail_on: FailOn, timings: Vec<Timing>, duration: Duration) -> Asked {
    Asked {
        selection,
        fail_on,
        run_id: random_id(),
        duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        timings: timings
            .into_iter()
            .map(|timing| report::Timing {
                probe: timing.probe,
                ms: u64::try_from(timing.elapsed.as_millis()).unwrap_or(u64::MAX),
            })
            .collect(),
        mutes: Vec::new(),
    }
}
