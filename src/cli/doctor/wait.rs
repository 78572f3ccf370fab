//! `doctor --wait`: looks again until nothing is wrong, or the time is over.

use std::thread;
use std::time::{Duration, Instant};

use flowgate_checks::words::count;

use crate::cli::progress::Progress;
use crate::doctor::DoctorError;
use crate::report::Report;

/// The shortest pause between two looks; a look that takes longer is followed by as long a pause,
/// so that waiting never takes more than half of a core.
const PAUSE: Duration = Duration::from_millis(300);

/// The last report: the first one that gives exit code 0, or the one at the end of the time.
///
/// # Errors
/// When there is no report to give.
pub fn until_well(
    wait: Duration,
    look: impl Fn() -> Result<Report, DoctorError>,
) -> Result<Report, DoctorError> {
    let end = Instant::now() + wait;
    let progress = Progress::of("waiting", true);
    loop {
        let begun = Instant::now();
        let report = look()?;
        let pause = PAUSE.max(begun.elapsed());
        let left = end.saturating_duration_since(Instant::now());
        if report.exit_code == 0 || left.is_zero() {
            return Ok(report);
        }
        progress.note(phase(&report));
        thread::sleep(pause.min(left));
    }
}

/// What is waited for: the first problem, and how many more there are.
fn phase(report: &Report) -> String {
    let mut roots = report
        .roots()
        .filter(|root| report.fail_on.includes(root.severity));
    let Some(first) = roots.next() else {
        return "for a verdict".into();
    };
    match roots.count() {
        0 => first.symptom.clone(),
        more => format!("{} and {}", first.symptom, count(more, "more problem")),
    }
}
