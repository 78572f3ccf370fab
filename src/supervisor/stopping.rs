//! How a service is stopped: also one that an earlier supervisor started.

use super::asker::{Asker, end_all};
use super::protocol::{Answer, Event, Refusal};
use super::records::ServiceState;
use super::service::{Message, Service, Stop};
use super::state::Change;
use super::stop::Ladder;

impl Service {
    pub(super) fn asked_to_stop(&mut self, asker: Asker) {
        match self.record.state {
            ServiceState::Stopping => {
                // The last word counts.
                self.stop.stays_wanted = false;
                self.stoppers.push(asker);
                let busy =
                    Refusal::new("busy", format!("{} was told to stop meanwhile", self.name));
                self.end_next(&Err(busy));
            }
            // Workers may outlive their main process.
            ServiceState::Stopped if !self.has_members() => {
                self.want(false);
                self.store.event("service_stop", "not-running", None);
                asker.end(Ok(Answer::Stopped { was_running: false }));
            }
            _ => {
                self.stoppers.push(asker);
                self.begin_stop(false);
            }
        }
    }

    fn has_members(&self) -> bool {
        self.session()
            .is_some_and(|session| !session.members().is_empty())
    }

    /// Begins to climb the ladder. Those who wait for a start hear how it ends.
    pub(super) fn begin_stop(&mut self, stays_wanted: bool) {
        if !self.change(Change::ToldToStop) {
            return;
        }
        self.stop = Stop {
            was_running: true,
            stays_wanted,
            ..Stop::default()
        };
        self.deadline = None;
        for task in self.tasks.drain(..) {
            task.abort();
        }
        self.record.wanted = stays_wanted;
        self.keep();
        let inbox = self.inbox.clone();
        let Some(session) = self.session() else {
            let _ = inbox.send(Message::Climbed(Ok(())));
            return;
        };
        let ladder = Ladder {
            session,
            grace: self.stop_timeout,
            binds: self
                .reach
                .as_ref()
                .map_or_else(Vec::new, |reach| reach.binds.clone()),
        };
        tokio::task::spawn_local(async move {
            let signals = inbox.clone();
            let climbed = ladder.climb(move |signal| {
                let _ = signals.send(Message::Signalled(signal));
            });
            let result = climbed.await;
            let _ = inbox.send(Message::Climbed(result));
        });
    }

    pub(super) fn signalled(&mut self, signal: &str) {
        self.stop.killed |= signal == "KILL";
        self.emit(&Event::Signalled {
            service: self.name.clone(),
            signal: signal.to_owned(),
        });
    }

    pub(super) fn climbed(&mut self, result: Result<(), String>) {
        self.stop.climbed = Some(result);
        self.finish_stop();
    }

    /// Ends the stop, once the ladder was climbed and the status of the main process is known.
    pub(super) fn finish_stop(&mut self) {
        let result = match self.stop.climbed.take() {
            Some(Ok(())) if self.is_alive => {
                self.stop.climbed = Some(Ok(()));
                return;
            }
            Some(result) => result,
            None => return,
        };
        let stop = std::mem::take(&mut self.stop);
        let detail = format!("pid={}", self.record.run.as_ref().map_or(0, |run| run.pid));
        match result {
            Ok(()) => {
                self.change(Change::Ended);
                self.keep();
                let how = if stop.killed {
                    "success-after-kill"
                } else {
                    "success"
                };
                self.log("service_stop", how, &detail);
                let was_running = stop.was_running;
                end_all(&mut self.stoppers, &Ok(Answer::Stopped { was_running }));
                let exit = self.record.last_exit.clone();
                self.fail_start("exited", exit, "it was told to stop");
                if let Some((plan, askers)) = self.next.take() {
                    self.start(plan, askers);
                }
            }
            Err(reason) => {
                if self.is_alive {
                    self.change(Change::Survived);
                    self.watch(None);
                } else {
                    // Its main process has gone; another stop finds who is left.
                    self.change(Change::Ended);
                }
                self.keep();
                self.log("service_stop", "timeout", &format!("{detail} {reason}"));
                if std::mem::take(&mut self.is_restart) {
                    self.log("service_restart", "failed", "stop-timeout");
                }
                let failed = Answer::StopFailed { reason };
                self.end_next(&Ok(failed.clone()));
                end_all(&mut self.stoppers, &Ok(failed.clone()));
                end_all(&mut self.starters, &Ok(failed));
            }
        }
    }
}
