//! The state machine of a service: where it stands, and what follows from what happens.
//!
//! It is pure: an [`Input`] goes in, at most one [`Action`] comes out, and whoever carries that out
//! tells what it came to with the next input. [`after`] is the table of the states; docs/architecture.md
//! draws it. A property test drives it with every order of inputs: never do two main processes live,
//! nothing is started after a stop, and of a wanted service that does not live somebody always does
//! something.

use std::time::Duration;

use super::policy::{Decision, Failure, Tries};
use super::records::ServiceState::{
    self, Backoff, CrashLoop, Ready, Starting, Stopped, Stopping, Unready,
};

/// What can happen to a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Its process was made.
    Spawned,
    /// It proved ready.
    Answered,
    /// It does not answer any more.
    WentSilent,
    /// It is to end, and all of its session.
    ToldToStop,
    /// Nobody of its session lives any more, and nobody wants it.
    Ended,
    /// It outlived every signal.
    Survived,
    /// It ended and is tried again later.
    PutOff,
    /// It ended the same way again.
    GivenUp,
}

/// The state after a change; none where the change means nothing.
pub fn after(state: ServiceState, change: Change) -> Option<ServiceState> {
    match (state, change) {
        (Stopped | Backoff | CrashLoop, Change::Spawned) => Some(Starting),
        (Starting | Unready, Change::Answered) => Some(Ready),
        (Ready, Change::WentSilent) => Some(Unready),
        // Of one that has ended workers may live.
        (Stopping, Change::ToldToStop) => None,
        (_, Change::ToldToStop) => Some(Stopping),
        (_, Change::Ended) => Some(Stopped),
        (Stopping, Change::Survived) => Some(Unready),
        (_, Change::PutOff) => Some(Backoff),
        (_, Change::GivenUp) => Some(CrashLoop),
        _ => None,
    }
}

/// What happens to a service. `leftovers` says that processes of its last session live, although
/// the main one does not.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A person wants it to run.
    AskedToStart {
        /// Whether some of its last session live.
        leftovers: bool,
    },
    /// A person wants it stopped and started.
    AskedToRestart {
        /// Whether some of its last session live.
        leftovers: bool,
    },
    /// A person wants it not to run.
    AskedToStop {
        /// Whether some of its last session live.
        leftovers: bool,
    },
    /// Its process was made.
    Spawned,
    /// No process was made.
    NotSpawned(Failure),
    /// It proved ready.
    Answered,
    /// It does not answer any more.
    WentSilent,
    /// It listens elsewhere than configured.
    Moved(Failure),
    /// Its main process ended.
    Exited {
        /// How.
        failure: Failure,
        /// Whether others of its session live.
        leftovers: bool,
    },
    /// Nobody of its session lives any more.
    Cleared,
    /// Some of its session outlived every signal.
    Survived,
    /// What was waited for has come.
    Due {
        /// Whether some of its last session live.
        leftovers: bool,
    },
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Make a process; answered by `Spawned` or `NotSpawned`.
    Spawn,
    /// End its session; answered by `Cleared` or `Survived`, after `Exited` when the main process
    /// lived.
    End,
    /// Wait; answered by `Due`, unless it is told to do something else before that.
    Wait(Wait),
}

/// What a service waits for that is not to be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// This time.
    Time(Duration),
    /// A port that can be bound, after this time at the earliest.
    Port(Duration),
    /// A file that changes.
    Files,
}

/// What follows when a session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Rest,
    Start,
    Decided(Decision),
}

/// The pause before another try to end what outlived every signal.
const STUBBORN: Duration = Duration::from_secs(30);

/// Where a service stands.
#[derive(Debug, Clone)]
pub struct Machine {
    state: ServiceState,
    wanted: bool,
    lives: bool,
    then: Then,
    tries: Tries,
    restarts: u32,
    /// Whether the next process is made because a person asked.
    by_person: bool,
    /// Whether a person waits for what this run comes to.
    is_told: bool,
}

impl Machine {
    /// A service that stands where a record says; `lives` tells of its main process.
    pub fn new(
        state: ServiceState,
        wanted: bool,
        lives: bool,
        tries: Tries,
        restarts: u32,
    ) -> Self {
        // A state that this flowgate does not know is one that a newer one made.
        let state = match state {
            ServiceState::Unknown => Stopped,
            known => known,
        };
        Self {
            state,
            wanted,
            lives,
            then: Then::Rest,
            tries,
            restarts,
            by_person: false,
            is_told: false,
        }
    }

    /// Where it stands.
    pub fn state(&self) -> ServiceState {
        self.state
    }

    /// Whether it should run.
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Whether its main process lives.
    pub fn lives(&self) -> bool {
        self.lives
    }

    /// Restarts since a person started it.
    pub fn restarts(&self) -> u32 {
        self.restarts
    }

    /// What follows from an input. `jitter` is between 0 and 1.
    pub fn on(&mut self, input: Input, jitter: f64) -> Option<Action> {
        match input {
            Input::AskedToStart { leftovers } => self.asked_to_start(leftovers),
            Input::AskedToRestart { leftovers } => self.asked_to_restart(leftovers),
            Input::AskedToStop { leftovers } => self.asked_to_stop(leftovers),
            Input::Spawned => self.spawned(),
            Input::NotSpawned(failure) => {
                let is_told = std::mem::take(&mut self.by_person);
                let decision = self.tries.judge(failure, is_told, jitter);
                // Another try at once would find the same.
                self.decided(match decision {
                    Decision::Now => Decision::Later(Duration::from_millis(100)),
                    other => other,
                })
            }
            Input::Answered => {
                if self.change(Change::Answered) {
                    self.is_told = false;
                    self.tries.is_up();
                }
                None
            }
            Input::WentSilent => {
                self.change(Change::WentSilent);
                None
            }
            Input::Moved(failure) => self.moved(failure, jitter),
            Input::Exited { failure, leftovers } => self.exited(failure, leftovers, jitter),
            Input::Cleared => self.cleared(),
            Input::Survived => self.survived(),
            Input::Due { leftovers } => match self.state {
                Backoff | CrashLoop if self.wanted => self.begin(leftovers),
                _ => None,
            },
        }
    }

    fn change(&mut self, change: Change) -> bool {
        match after(self.state, change) {
            Some(state) => {
                self.state = state;
                true
            }
            None => false,
        }
    }

    fn asked_to_start(&mut self, leftovers: bool) -> Option<Action> {
        self.wanted = true;
        match self.state {
            Starting | Ready | Unready => None,
            Stopping => {
                self.begin_anew();
                self.then = Then::Start;
                None
            }
            _ => {
                self.begin_anew();
                self.begin(leftovers)
            }
        }
    }

    fn asked_to_restart(&mut self, leftovers: bool) -> Option<Action> {
        if !matches!(self.state, Starting | Ready | Unready) {
            return self.asked_to_start(leftovers);
        }
        self.wanted = true;
        self.begin_anew();
        self.end(Then::Start)
    }

    fn asked_to_stop(&mut self, leftovers: bool) -> Option<Action> {
        self.wanted = false;
        self.by_person = false;
        match self.state {
            Stopping => {
                // The last word counts.
                self.then = Then::Rest;
                None
            }
            Starting | Ready | Unready => self.end(Then::Rest),
            _ if leftovers => self.end(Then::Rest),
            _ => {
                self.change(Change::Ended);
                None
            }
        }
    }

    fn begin_anew(&mut self) {
        self.tries = Tries::default();
        self.by_person = true;
    }

    /// Makes a process, once nobody of the last session lives.
    fn begin(&mut self, leftovers: bool) -> Option<Action> {
        if leftovers {
            return self.end(Then::Start);
        }
        Some(Action::Spawn)
    }

    fn end(&mut self, then: Then) -> Option<Action> {
        self.then = then;
        self.change(Change::ToldToStop).then_some(Action::End)
    }

    fn spawned(&mut self) -> Option<Action> {
        self.change(Change::Spawned);
        self.lives = true;
        self.is_told = std::mem::take(&mut self.by_person);
        self.restarts = match self.is_told {
            true => 0,
            false => self.restarts.saturating_add(1),
        };
        None
    }

    fn moved(&mut self, failure: Failure, jitter: f64) -> Option<Action> {
        if self.state != Starting {
            return None;
        }
        let is_told = std::mem::take(&mut self.is_told);
        let decision = self.tries.judge(failure, is_told, jitter);
        self.end(Then::Decided(decision))
    }

    fn exited(&mut self, failure: Failure, leftovers: bool, jitter: f64) -> Option<Action> {
        self.lives = false;
        if self.state == Stopping {
            // Others of its session may live; `Cleared` tells when they do not.
            return None;
        }
        let is_told = std::mem::take(&mut self.is_told);
        let then = match self.wanted {
            true => Then::Decided(self.tries.judge(failure, is_told, jitter)),
            false => Then::Rest,
        };
        if leftovers {
            return self.end(then);
        }
        self.follow(then)
    }

    fn cleared(&mut self) -> Option<Action> {
        if self.state != Stopping || self.lives {
            return None;
        }
        let then = std::mem::replace(&mut self.then, Then::Rest);
        self.follow(then)
    }

    fn follow(&mut self, then: Then) -> Option<Action> {
        match then {
            _ if !self.wanted => {
                self.change(Change::Ended);
                None
            }
            Then::Decided(decision) => self.decided(decision),
            Then::Start => {
                self.change(Change::Ended);
                Some(Action::Spawn)
            }
            // It was asked for after all.
            Then::Rest => self.decided(Decision::Now),
        }
    }

    fn decided(&mut self, decision: Decision) -> Option<Action> {
        let (change, action) = match decision {
            Decision::Now => (Change::PutOff, Action::Spawn),
            Decision::Later(pause) => (Change::PutOff, Action::Wait(Wait::Time(pause))),
            Decision::WhenFree(pause) => (Change::PutOff, Action::Wait(Wait::Port(pause))),
            Decision::WhenChanged => (Change::GivenUp, Action::Wait(Wait::Files)),
        };
        self.change(change);
        Some(action)
    }

    fn survived(&mut self) -> Option<Action> {
        if self.state != Stopping {
            return None;
        }
        self.then = Then::Rest;
        self.by_person = false;
        if self.lives {
            self.change(Change::Survived);
            return None;
        }
        if !self.wanted {
            // Another stop finds who is left.
            self.change(Change::Ended);
            return None;
        }
        self.decided(Decision::Later(STUBBORN))
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
