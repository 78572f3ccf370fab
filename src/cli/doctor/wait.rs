//! `doctor --wait`: looks again until nothing is wrong, or the time is over.

use std::thread;
use std::time::{Duration, Instant};

use flowgate_checks::words::count;

use crate::doctor::DoctorError;
use crate::report::Report;

/// The shortest pause between two looks; a look that takes longer is followed by as long a pause,
/// so that waiting never takes more than half of a core.
const PAUSE: Duration = Duration::from_millis(300);

/// The last report: the second in a row with exit code 0, so that a service which comes and goes
/// is not taken for a good one; or the one at the end of the time. A good look at the end is
/// followed by one more. `say` is told what is waited for.
///
/// # Errors
/// When there is no report to give.
pub fn until_well(
    wait: Duration,
    mut look: impl FnMut() -> Result<Report, DoctorError>,
    say: impl Fn(String),
) -> Result<Report, DoctorError> {
    let end = Instant::now() + wait;
    let mut was_well = false;
    loop {
        let begun = Instant::now();
        let report = look()?;
        let is_well = report.exit_code == 0;
        let left = end.saturating_duration_since(Instant::now());
        if (is_well && was_well) || (!is_well && left.is_zero()) {
            return Ok(report);
        }
        if is_well {
            say("nothing wrong; looking once more".into());
            thread::sleep(PAUSE);
        } else {
            say(phase(&report));
            thread::sleep(PAUSE.max(begun.elapsed()).min(left));
        }
        was_well = is_well;
    }
}

/// What is waited for: the first problem, and how many more there are.
fn phase(report: &Report) -> String {
    let mut roots = report
        .heard_roots()
        .filter(|root| report.fail_on.includes(root.severity));
    let Some(first) = roots.next() else {
        return "for a verdict".into();
    };
    match roots.count() {
        0 => first.symptom.clone(),
        more => format!("{} and {}", first.symptom, count(more, "more problem")),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use flowgate_checks::model::Snapshot;

    use super::*;
    use crate::doctor::report_on;
    use crate::report::{FailOn, Selection};

    /// What waiting gives when the looks give these exit codes, how many looks it took, and what
    /// was said.
    fn wait(wait: Duration, codes: &[u8]) -> (u8, usize, Vec<String>) {
        let looks = Cell::new(0);
        let said = RefCell::new(Vec::new());
        let look = || {
            let snapshot = Snapshot::new("2026-11-24T10:00:00Z".parse().unwrap());
            let mut report = report_on(
                &snapshot,
                Selection::default(),
                FailOn::Error,
                Vec::new(),
                Duration::ZERO,
            );
            report.exit_code = codes[looks.get()];
            looks.set(looks.get() + 1);
            Ok(report)
        };
        let last = until_well(wait, look, |phase| said.borrow_mut().push(phase)).unwrap();
        (last.exit_code, looks.get(), said.into_inner())
    }

    #[test]
    fn a_gateway_that_comes_and_goes_is_not_well_until_it_stays() {
        let (code, looks, said) = wait(Duration::from_secs(60), &[1, 0, 1, 0, 0]);
        assert_eq!((code, looks), (0, 5));
        assert_eq!(said.len(), 4);
        assert_eq!(said[1], "nothing wrong; looking once more");
    }

    #[test]
    fn the_time_ends_the_wait_and_a_good_look_at_its_end_is_confirmed() {
        assert_eq!(wait(Duration::ZERO, &[1]).0, 1);
        let (code, looks, _) = wait(Duration::ZERO, &[0, 1]);
        assert_eq!((code, looks), (1, 2));
        let (code, looks, _) = wait(Duration::ZERO, &[0, 0]);
        assert_eq!((code, looks), (0, 2));
    }
}
