//! The signals of the foreground.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::supervisor::children;

/// The signals that ask for an end: Ctrl-C, `kill`, the stop of a container, and a terminal that is
/// closed. A container has no terminal that could be closed, so there HUP asks for nothing.
///
/// USR1 and USR2 are not passed on: neither program knows them, so they would end it.
pub struct Ends {
    interrupt: Signal,
    terminate: Signal,
    quit: Signal,
    hangup: Signal,
    /// Listened for, so that they do not end this process.
    _ignored: [Signal; 2],
}

impl Ends {
    /// Listens from now on.
    ///
    /// # Errors
    /// As the system gives them.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            hangup: signal(SignalKind::hangup())?,
            _ignored: [
                signal(SignalKind::user_defined1())?,
                signal(SignalKind::user_defined2())?,
            ],
        })
    }

    /// Waits for the next of them.
    pub async fn next(&mut self) {
        let has_terminal = !children::are_adopted();
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                _ = self.quit.recv() => return,
                _ = self.hangup.recv() => if has_terminal { return },
            }
        }
    }
}
