//! What a service waits for that ended by itself: some time, its port, a file.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;

use super::policy::TICK;
use super::records::HistoryLine;
use super::service::{Message, Service};
use super::state::{Input, Wait};
use super::stop;
use super::watched::Watched;

/// A file that changed while the last try ran may be one that the program itself writes, so the next
/// try does not follow at once.
const SETTLED: Duration = Duration::from_secs(5);

impl Service {
    /// Begins to wait, and says so in the record.
    pub(super) fn wait(&mut self, wait: Wait) {
        if let Some(task) = self.waiting.take() {
            task.abort();
        }
        let (decision, reason) = match wait {
            Wait::Time(pause) => ("backoff", format!("next try in {} ms", pause.as_millis())),
            Wait::Port(_) => ("wait-for-port", "starts when its port is free".to_owned()),
            Wait::Files => (
                "give-up",
                "it ended the same way twice; tried again when a file changes".to_owned(),
            ),
        };
        self.record.next_try_at = match wait {
            Wait::Time(pause) => Timestamp::now().checked_add(pause).ok(),
            Wait::Port(_) | Wait::Files => None,
        };
        self.store.note(&HistoryLine::Decision {
            at: Timestamp::now(),
            decision: decision.to_owned(),
            reason: Some(reason),
        });
        self.await_it(wait);
    }

    /// Waits without a word: what an earlier supervisor had decided.
    pub(super) fn await_it(&mut self, wait: Wait) {
        let (run, inbox) = (self.serial, self.inbox.clone());
        let binds = self
            .reach
            .as_ref()
            .map_or_else(Vec::new, |reach| reach.binds.clone());
        let files = self.files();
        let task = tokio::task::spawn_local(async move {
            let why = match wait {
                Wait::Time(pause) => {
                    tokio::time::sleep(pause).await;
                    "its time has come".to_owned()
                }
                Wait::Port(pause) => free(&binds, pause).await,
                Wait::Files => changed(files).await,
            };
            let _ = inbox.send(Message::Due(run, why));
        });
        self.waiting = Some(task.abort_handle());
    }

    fn files(&self) -> Watched {
        match &self.plan {
            Some(plan) => plan.files.clone(),
            None => Watched::now([self.planner.config.clone()]),
        }
    }

    /// Tries it again.
    pub(super) fn due(&mut self, why: &str) {
        self.waiting = None;
        self.store.decide("restart", Some(why.to_owned()));
        let leftovers = self.has_leftovers();
        self.drive(Input::Due { leftovers });
    }
}

async fn free(binds: &[SocketAddr], pause: Duration) -> String {
    tokio::time::sleep(pause).await;
    while binds.iter().any(|at| stop::is_held(*at)) {
        tokio::time::sleep(TICK).await;
    }
    "its port is free".into()
}

async fn changed(files: Watched) -> String {
    if files.changed().is_some() {
        tokio::time::sleep(SETTLED).await;
    }
    loop {
        if let Some(path) = files.changed() {
            let why = format!("{} changed", path.display());
            let mut now = files.again();
            // Whoever writes it may not be done yet.
            loop {
                tokio::time::sleep(TICK / 4).await;
                if now.changed().is_none() {
                    return why;
                }
                now = now.again();
            }
        }
        tokio::time::sleep(TICK).await;
    }
}
