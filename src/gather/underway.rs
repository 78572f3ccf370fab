//! Which probes are under way, for whoever shows what a look waits for.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The probes of a look that have begun and not ended.
#[derive(Debug, Clone, Default)]
pub struct Underway(Arc<Mutex<Vec<Begun>>>);

#[derive(Debug)]
struct Begun {
    probe: String,
    at: Instant,
}

/// A probe that is under way until this is dropped.
pub struct Going {
    underway: Underway,
    at: Instant,
}

impl Underway {
    /// Notes that a probe has begun.
    pub fn begin(&self, probe: &str) -> Going {
        let at = Instant::now();
        if let Ok(mut begun) = self.0.lock() {
            begun.push(Begun {
                probe: probe.to_owned(),
                at,
            });
        }
        Going {
            underway: self.clone(),
            at,
        }
    }

    /// The probe that has been under way longest, when that is at least so long.
    pub fn slowest(&self, at_least: Duration) -> Option<String> {
        let begun = self.0.lock().ok()?;
        let first = begun.iter().min_by_key(|begun| begun.at)?;
        (first.at.elapsed() >= at_least).then(|| first.probe.clone())
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        if let Ok(mut begun) = self.underway.0.lock()
            && let Some(index) = begun.iter().position(|begun| begun.at == self.at)
        {
            begun.remove(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_that_began_first_is_named_until_it_ends() {
        let underway = Underway::default();
        assert_eq!(underway.slowest(Duration::ZERO), None);
        let first = underway.begin("files");
        let second = underway.begin("sockets");
        assert_eq!(underway.slowest(Duration::ZERO).as_deref(), Some("files"));
        assert_eq!(underway.slowest(Duration::from_secs(60)), None);
        drop(first);
        assert_eq!(underway.slowest(Duration::ZERO).as_deref(), Some("sockets"));
        drop(second);
        assert_eq!(underway.slowest(Duration::ZERO), None);
    }
}
