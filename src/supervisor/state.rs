//! The state machine of a service, as a table.
//!
//! ```text
//!            spawned            answered
//! stopped ───────────> starting ────────> ready
//!   ^  ^                  │                │ ^
//!   │  │ ended            │     went silent│ │answered
//!   │  └──────────────────┤                v │
//!   │  ended              │              unready
//!   └──────── stopping <──┴── told to stop ─┘
//! ```
//!
//! Every state that lives goes to stopped when it ends; of a stopped one workers may live, so it can
//! be told to stop too; one that outlives every signal is unready again.

use super::records::ServiceState::{self, Ready, Starting, Stopped, Stopping, Unready};

/// What can happen to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Its process was made.
    Spawned,
    /// It proved ready.
    Answered,
    /// It does not answer any more.
    WentSilent,
    /// Somebody wants it stopped.
    ToldToStop,
    /// Nobody of its session lives any more.
    Ended,
    /// It outlived every signal.
    Survived,
}

/// The state after a change; none where the change means nothing.
pub fn after(state: ServiceState, change: Change) -> Option<ServiceState> {
    match (state, change) {
        (Stopped, Change::Spawned) => Some(Starting),
        (Starting | Unready, Change::Answered) => Some(Ready),
        (Ready, Change::WentSilent) => Some(Unready),
        // Of a stopped one workers may live.
        (Stopped | Starting | Ready | Unready, Change::ToldToStop) => Some(Stopping),
        (Starting | Ready | Unready | Stopping, Change::Ended) => Some(Stopped),
        (Stopping, Change::Survived) => Some(Unready),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CHANGES: [Change; 6] = [
        Change::Spawned,
        Change::Answered,
        Change::WentSilent,
        Change::ToldToStop,
        Change::Ended,
        Change::Survived,
    ];

    #[test]
    fn a_service_is_started_gets_ready_falters_and_is_stopped() {
        let mut state = Stopped;
        for (change, then) in [
            (Change::Spawned, Starting),
            (Change::Answered, Ready),
            (Change::WentSilent, Unready),
            (Change::Answered, Ready),
            (Change::ToldToStop, Stopping),
            (Change::Ended, Stopped),
        ] {
            state = after(state, change).unwrap();
            assert_eq!(state, then);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_spawned_beside_a_living_one(changes in prop::collection::vec(0usize..6, 0..40)) {
            let mut state = Stopped;
            let mut lives = false;
            for change in changes.into_iter().map(|index| CHANGES[index]) {
                let Some(next) = after(state, change) else { continue };
                if change == Change::Spawned {
                    prop_assert!(!lives);
                    lives = true;
                }
                if change == Change::Ended {
                    lives = false;
                }
                state = next;
            }
        }
    }
}
