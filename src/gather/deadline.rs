//! Probes with deadlines: what does not come back in time is unknown, and the run ends in time.

use std::future::Future;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use flowgate_checks::model::Observed;

use super::Timing;
use super::underway::Underway;

/// The clock of one look: its end, and how long each probe took.
pub struct Deadline {
    end: Instant,
    timings: Mutex<Vec<Timing>>,
    underway: Underway,
}

impl Deadline {
    /// A look that ends after `timeout`.
    pub fn after(timeout: Duration) -> Self {
        Self {
            end: Instant::now() + timeout,
            timings: Mutex::new(Vec::new()),
            underway: Underway::default(),
        }
    }

    /// The same look, whose probes are seen in `underway`.
    pub fn shown_in(self, underway: Underway) -> Self {
        Self { underway, ..self }
    }

    /// Where its probes are seen.
    pub fn underway(&self) -> &Underway {
        &self.underway
    }

    /// Time that is left.
    pub fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Runs a probe that may block, on a thread of its own; unknown when it does not come back.
    ///
    /// Such a thread cannot be stopped. It holds nothing that the report needs, and ends with the
    /// process.
    pub async fn blocking<T: Send + 'static>(
        &self,
        probe: &str,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> Observed<T> {
        let job = tokio::task::spawn_blocking(look);
        match self.awaited(probe, job).await {
            Some(Ok(value)) => Observed::Known(value),
            Some(Err(_)) => {
                Observed::unknown("the probe itself failed; this is a defect of flowgate")
            }
            None => Observed::unknown("did not come back in time"),
        }
    }

    /// Runs a probe; none when it does not come back in time.
    pub async fn awaited<T>(&self, probe: &str, job: impl Future<Output = T>) -> Option<T> {
        let begun = Instant::now();
        let _going = self.underway.begin(probe);
        let outcome = tokio::time::timeout(self.left(), job).await.ok();
        self.note(probe, begun.elapsed());
        outcome
    }

    /// Notes how long a probe took.
    pub fn note(&self, probe: &str, elapsed: Duration) {
        if let Ok(mut timings) = self.timings.lock() {
            timings.push(Timing {
                probe: probe.to_owned(),
                elapsed,
            });
        }
    }

    /// How long each probe took, in the order of their names.
    pub fn timings(&self) -> Vec<Timing> {
        let mut timings = self
            .timings
            .lock()
            .map(|timings| timings.clone())
            .unwrap_or_default();
        timings.sort_by(|a, b| a.probe.cmp(&b.probe));
        timings
    }
}
