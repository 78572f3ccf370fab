//! Stopping a session: TERM, INT, KILL, then the port must be free and nobody alive.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::Signal;
use tokio::sync::Notify;

use super::listening::Listening;
use super::session::{Member, Session};
use crate::platform::{self, TcpState};
use crate::sys::bind;

/// INT ends a LiteLLM that hangs on a request in 0.2 s, an idle one in 2.7 s (facts/litellm.md
/// section 8).
const AFTER_INT: Duration = Duration::from_secs(3);

/// Nobody outlives KILL but a process that waits for a device.
const AFTER_KILL: Duration = Duration::from_secs(5);

/// A listener may outlive its process for a moment.
const PORT: Duration = Duration::from_secs(2);

/// The pauses between two looks at who is left.
const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(60);

/// What is to be stopped.
pub struct Ladder {
    /// Its session.
    pub session: Session,
    /// So long it has for a clean end.
    pub grace: Duration,
    /// The addresses that it binds.
    pub binds: Vec<SocketAddr>,
    /// Ends the waiting after a signal: the next one is sent at once.
    pub haste: Rc<Notify>,
}

impl Ladder {
    /// Stops the session; `tell` hears of each signal when it is first sent.
    ///
    /// # Errors
    /// Who lives on, or holds the port, as a fragment.
    pub async fn climb(self, mut tell: impl FnMut(&'static str)) -> Result<(), String> {
        let ports: HashSet<u16> = self.binds.iter().map(SocketAddr::port).collect();
        let inodes: HashSet<u64> = ports
            .into_iter()
            .flat_map(|port| Listening::look(&self.session, port, false).own_inodes(port))
            .collect();
        let rungs = [
            ("TERM", Signal::TERM, self.grace),
            ("INT", Signal::INT, AFTER_INT.min(self.grace)),
            ("KILL", Signal::KILL, AFTER_KILL),
        ];
        let mut left = self.session.members();
        for (name, signal, patience) in rungs {
            if left.is_empty() {
                break;
            }
            tell(name);
            left = self.step(signal, patience).await;
        }
        if let Some(member) = left.first() {
            return Err(format!("pid {} outlives every signal", member.pid));
        }
        self.prove_free(&inodes).await
    }

    /// Signals every member once, those too that appear meanwhile; gives who is left.
    async fn step(&self, signal: Signal, patience: Duration) -> Vec<Member> {
        let deadline = Instant::now() + patience;
        let mut signalled = HashSet::new();
        let mut pause = SHORTEST;
        loop {
            let left = self.session.members();
            for member in &left {
                if signalled.insert(*member) {
                    member.signal(signal);
                }
            }
            if left.is_empty() || Instant::now() >= deadline {
                return left;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // Nothing comes after KILL.
                () = self.haste.notified(), if signal != Signal::KILL => return left,
            }
            pause = (pause * 2).min(LONGEST);
        }
    }

    /// Waits until nobody holds what the session listened at. A stranger that took the port since is
    /// no failure of the stop.
    async fn prove_free(&self, inodes: &HashSet<u64>) -> Result<(), String> {
        let deadline = Instant::now() + PORT;
        loop {
            let Some(held) = self.binds.iter().find(|at| is_held(**at)) else {
                return Ok(());
            };
            let is_ours = platform::table_sockets()
                .sockets
                .iter()
                .any(|socket| socket.state == TcpState::Listen && inodes.contains(&socket.inode));
            if !is_ours {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(format!("{held} is still held by a process that it started"));
            }
            tokio::time::sleep(SHORTEST).await;
        }
    }
}

/// Whether somebody holds an address that the program would bind.
pub fn is_held(address: SocketAddr) -> bool {
    bind::bind_and_close(address) == Err(Errno::ADDRINUSE)
}
