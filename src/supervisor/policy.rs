//! When a service that ended by itself is tried again, or no more (DESIGN section 9).
//!
//! - The first time at once, then after 0.1 s, doubling to 30 s, give or take a fifth; 60 s of health
//!   begin the count anew.
//! - *config, program, usage*: the same signature twice, with nothing changed that the start reads: no
//!   more until a file changes or a person asks.
//! - *port*: when a bind succeeds; it is tested every second.
//! - *environment, killed, unknown*: for ever.
//! - A start that a person asked for and that fails is told at once, and the next try waits two
//!   seconds: whoever asked is looking at what went wrong, and a run that begins meanwhile would hide
//!   it.

use std::collections::BTreeMap;
use std::time::Duration;

use flowgate_checks::model::{ExitClass, ExitSignature};

use super::records::{HistoryLine, RunRecord};

/// The pause after the first failure that is not followed by a try at once.
const SHORTEST: Duration = Duration::from_millis(100);

/// No pause is longer, jitter aside.
const LONGEST: Duration = Duration::from_secs(30);

/// The pause after a failed start that a person asked for, at least.
const TOLD: Duration = Duration::from_secs(2);

/// How often a bind is tested, and the files of a crash loop are looked at.
pub const TICK: Duration = Duration::from_secs(1);

/// A service that was ready for so long is well.
pub const HEALTH: Duration = Duration::from_secs(60);

/// What a start reads that decides how it goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// The digests of the entries of its config.
    pub digests: BTreeMap<String, String>,
    /// The identity of its program.
    pub program: Option<String>,
}

impl Inputs {
    /// Those of a recorded run.
    pub fn of(run: &RunRecord) -> Self {
        Self {
            digests: run.digests.clone(),
            program: run.binary_digest.clone(),
        }
    }
}

/// A try that came to an end by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What tells it from others.
    pub signature: ExitSignature,
    /// What it had read.
    pub inputs: Inputs,
    /// Whether it had been well.
    pub was_healthy: bool,
}

/// What is done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Try again now.
    Now,
    /// Try again after this time.
    Later(Duration),
    /// Try again when the port is free, after this time at the earliest.
    WhenFree(Duration),
    /// Try again when a file changes.
    WhenChanged,
}

/// The failures since it was last well, or since a person asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tries {
    failures: u32,
    last: Option<(ExitSignature, Inputs)>,
    /// Whether a person was told of the first of them.
    was_told: bool,
}

impl Tries {
    /// What an earlier supervisor had seen, by its history. `inputs` are those of the recorded run,
    /// whose line may have been too long for its digests.
    pub fn of_history(lines: &[HistoryLine], inputs: &Inputs) -> Self {
        let mut tries = Self::default();
        let mut ready = None;
        for line in lines {
            match line {
                HistoryLine::Spawn { .. } | HistoryLine::Unready { .. } => ready = None,
                HistoryLine::Ready { at } => ready = ready.or(Some(*at)),
                HistoryLine::Exit { exit } if exit.requested => {}
                HistoryLine::Exit { exit } => {
                    let was_healthy = ready.is_some_and(|ready| {
                        exit.at.duration_since(ready).unsigned_abs() >= HEALTH
                    });
                    tries.count(was_healthy);
                    let signature = exit.signature.clone();
                    tries.last = signature.map(|signature| (signature, inputs.clone()));
                }
                HistoryLine::Decision { decision, .. } if decision == ASKED => {
                    tries = Self::default();
                }
                HistoryLine::Decision { decision, .. } if decision == NOT_STARTED => {
                    tries.count(false);
                }
                HistoryLine::Decision { .. } => {}
            }
        }
        tries
    }

    fn count(&mut self, was_healthy: bool) {
        if was_healthy {
            *self = Self::default();
        }
        self.failures = self.failures.saturating_add(1);
    }

    /// What is done about a failure. `is_told` says that a person is told of it, `jitter` is between
    /// 0 and 1.
    pub fn judge(&mut self, failure: Failure, is_told: bool, jitter: f64) -> Decision {
        let Failure {
            signature,
            inputs,
            was_healthy,
        } = failure;
        self.count(was_healthy);
        self.was_told |= is_told;
        let class = signature.class;
        let this = Some((signature, inputs));
        let is_same = self.last == this;
        self.last = this;
        match class {
            ExitClass::Config | ExitClass::Program | ExitClass::Usage if is_same => {
                Decision::WhenChanged
            }
            ExitClass::Port => Decision::WhenFree(self.pause(jitter).max(TICK)),
            _ if self.failures == 1 && !self.was_told => Decision::Now,
            _ => Decision::Later(self.pause(jitter)),
        }
    }

    fn pause(&self, jitter: f64) -> Duration {
        let doublings = self.failures.saturating_sub(2).min(16);
        let pause = (SHORTEST * 2u32.pow(doublings)).min(LONGEST);
        let pause = if self.was_told {
            pause.max(TOLD)
        } else {
            pause
        };
        pause.mul_f64(0.8 + 0.4 * jitter.clamp(0.0, 1.0))
    }

    /// It became ready: nobody looks at a failed start any more.
    pub fn is_up(&mut self) {
        self.was_told = false;
    }

    /// How often it failed.
    #[cfg(test)]
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// The decision of a person, after which everything is tried anew.
pub const ASKED: &str = "asked";

/// The decision not to make a process at all.
pub const NOT_STARTED: &str = "not-started";

/// A number between 0 and 1.
pub fn jitter() -> f64 {
    let mut byte = [128];
    // Without randomness all services of a machine are tried at once, which harms little.
    let _ = getrandom::fill(&mut byte);
    f64::from(byte[0]) / 255.0
}

#[cfg(test)]
#[path = "policy_tests.rs"]
pub(super) mod tests;
