//! One grid of moments for all that is looked at now and then, so that several looks are one wake-up.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

static BEGAN: OnceLock<Instant> = OnceLock::new();

/// Waits for the next moment of the grid with this period; it comes within one period.
pub async fn next(period: Duration) {
    let began = *BEGAN.get_or_init(Instant::now);
    tokio::time::sleep_until((began + after(began.elapsed(), period)).into()).await;
}

/// The first multiple of the period after a moment.
fn after(elapsed: Duration, period: Duration) -> Duration {
    let period = period.max(Duration::from_millis(1));
    let passed = elapsed.as_nanos() / period.as_nanos();
    let passed = u32::try_from(passed).unwrap_or(u32::MAX - 1);
    period.saturating_mul(passed + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_moment_is_ahead_and_within_a_period() {
        let ms = Duration::from_millis;
        for (elapsed, next) in [
            (0, 3000),
            (1, 3000),
            (2999, 3000),
            (3000, 6000),
            (7000, 9000),
        ] {
            assert_eq!(after(ms(elapsed), ms(3000)), ms(next));
        }
    }
}
