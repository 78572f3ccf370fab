//! How a service is stopped: also one that an earlier supervisor started.

use super::asker::{Asker, end_all};
use super::protocol::{Answer, Event, Refusal};
use super::records::ServiceState;
use super::service::{Message, Service, Stop};
use super::spawning::LEFTOVERS;
use super::state::Input;
use super::stop::Ladder;

impl Service {
    pub(super) fn asked_to_stop(&mut self, asker: Asker) {
        let leftovers = self.has_members();
        let was_waiting = matches!(
            self.record.state,
            ServiceState::Backoff | ServiceState::CrashLoop
        );
        if self.record.state == ServiceState::Stopping {
            let message = format!("{} was told to stop meanwhile", self.name);
            self.end_queued(&Err(Refusal::new("busy", message)));
        }
        self.stoppers.push(asker);
        self.drive(Input::AskedToStop { leftovers });
        self.keep();
        if self.record.state == ServiceState::Stopped {
            if was_waiting {
                self.store.decide("stopped", None);
            }
            self.store.event("service_stop", "not-running", None);
            let answer = Answer::Stopped { was_running: false };
            end_all(&mut self.stoppers, &Ok(answer));
        }
    }

    /// Workers may outlive their main process.
    fn has_members(&self) -> bool {
        !self.machine.lives()
            && self
                .session()
                .is_some_and(|session| !session.members().is_empty())
    }

    /// Begins to climb the ladder. Those who wait for a start hear how it ends.
    pub(super) fn begin_stop(&mut self) {
        self.stop = Stop {
            was_running: true,
            cause: self.stop.cause.take(),
            ..Stop::default()
        };
        self.deadline = None;
        for task in self.tasks.drain(..) {
            task.abort();
        }
        let inbox = self.inbox.clone();
        let Some(session) = self.session() else {
            let _ = inbox.send(Message::Climbed(Ok(())));
            return;
        };
        let grace = match self.machine.lives() {
            true => self.stop_timeout,
            false => self.stop_timeout.min(LEFTOVERS),
        };
        let ladder = Ladder {
            session,
            grace,
            binds: self
                .reach
                .as_ref()
                .map_or_else(Vec::new, |reach| reach.binds.clone()),
            haste: self.stop.haste.clone(),
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
            Some(Ok(())) if self.machine.lives() => {
                self.stop.climbed = Some(Ok(()));
                return;
            }
            Some(result) => result,
            None => return,
        };
        let stop = std::mem::take(&mut self.stop);
        let detail = format!("pid={}", self.pid());
        match result {
            Ok(()) => {
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
                self.drive(Input::Cleared);
            }
            Err(reason) => {
                self.log("service_stop", "timeout", &format!("{detail} {reason}"));
                if std::mem::take(&mut self.is_restart) {
                    self.log("service_restart", "failed", "stop-timeout");
                }
                let failed = Answer::StopFailed { reason };
                self.end_queued(&Ok(failed.clone()));
                end_all(&mut self.stoppers, &Ok(failed.clone()));
                end_all(&mut self.starters, &Ok(failed));
                self.drive(Input::Survived);
                if self.machine.lives() {
                    self.watch(None);
                }
            }
        }
        self.keep();
    }
}
