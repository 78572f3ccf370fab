//! What a service does by itself: it gets ready, falters, moves, takes too long, ends.

use std::time::Duration;

use flowgate_checks::model::{ExitSignature, ExitStage, ServiceKind};
use jiff::Timestamp;

use super::asker::end_all;
use super::exit::Ending;
use super::policy::{Failure, HEALTH, Inputs};
use super::protocol::{Answer, Event};
use super::ready::Sight;
use super::records::{HistoryLine, LastExit, LastReady, ServiceState};
use super::service::{Message, Service};
use super::signature::{self, Ended};
use super::state::Input;
use super::stop;
use crate::sys::plain;
use crate::sys::redact::Redactor;
use crate::sys::rotated;

/// So much of the end of a log is searched for why its program ended; a start writes less.
const LOG: u64 = 64 * 1024;

/// A record is kept for good a moment after a service was spawned or is ready, when nobody waits for the
/// disk.
pub(super) const SETTLED: Duration = Duration::from_secs(1);

impl Service {
    pub(super) fn saw(&mut self, sight: Sight) {
        match sight {
            Sight::Phase(phase) => self.emit(&Event::Phase {
                service: self.name.clone(),
                phase: phase.to_owned(),
            }),
            Sight::Ready(note) => self.became_ready(note),
            Sight::Silent if self.record.state == ServiceState::Ready => {
                self.well_since = None;
                self.store.note(&HistoryLine::Unready {
                    at: Timestamp::now(),
                });
                self.drive(Input::WentSilent);
            }
            Sight::Silent => {}
            Sight::Elsewhere(port) if self.record.state == ServiceState::Starting => {
                self.moved_to(port);
            }
            Sight::Elsewhere(_) => {}
        }
    }

    fn became_ready(&mut self, note: Option<String>) {
        let was_starting = self.record.state == ServiceState::Starting;
        if !was_starting && self.record.state != ServiceState::Unready {
            return;
        }
        let now = Timestamp::now();
        if was_starting || self.ready_at.is_none() {
            self.ready_at = Some(now);
        }
        self.well_since = Some(now);
        self.deadline = None;
        let port = self.reach.as_ref().and_then(|reach| reach.port);
        let run = self.record.run.as_ref();
        self.record.last_ready = run.map(|run| LastReady::of(run, port, now));
        self.store.note(&HistoryLine::Ready { at: now });
        if note.is_some() {
            self.store.decide("ready", note);
        }
        self.drive(Input::Answered);
        let pid = self.pid();
        self.emit(&Event::Ready {
            service: self.name.clone(),
            pid,
        });
        if was_starting {
            self.log("service_start", "success", &format!("pid={pid}"));
        }
        if std::mem::take(&mut self.is_restart) {
            self.log("service_restart", "success", &format!("pid={pid}"));
        }
        let already = !was_starting;
        end_all(&mut self.starters, &Ok(Answer::Started { pid, already }));
        self.settle_after(SETTLED);
    }

    /// Does in a moment what nobody has to wait for.
    pub(super) fn settle_after(&self, pause: Duration) {
        let inbox = self.inbox.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep(pause).await;
            let _ = inbox.send(Message::Settle);
        });
    }

    /// Keeps the record for good, and makes the plan of the next start, so that a service that was
    /// taken up comes back as fast as one that was started here.
    pub(super) fn settle(&mut self) {
        self.keep();
        if self.machine.lives() && self.plan.is_none() {
            // Without one the next start reads the files, and says what is wrong with them.
            let _ = self.current_plan();
        }
    }

    /// It does not serve where clients look, so nothing half-started is left behind.
    fn moved_to(&mut self, port: u16) {
        let configured = self.reach.as_ref().and_then(|reach| reach.port);
        let configured = configured.unwrap_or_default();
        let reason = format!("it listens at port {port} instead of {configured}");
        self.store.decide("stop", Some(reason.clone()));
        self.fail_start("not-ready", None, &reason);
        let signature = signature::moved(configured, self.is_port_held());
        self.stop.cause = Some(signature.clone());
        let failure = self.failure(signature);
        self.drive(Input::Moved(failure));
    }

    /// Those who wait are told; the service goes on, since it may only be slow.
    pub(super) fn time_is_up(&mut self) {
        self.deadline = None;
        let reason = "it is not ready in time";
        self.store.decide("wait", Some(reason.to_owned()));
        self.fail_start("not-ready", None, reason);
    }

    pub(super) fn ended(&mut self, ending: &Ending) {
        for task in self.tasks.drain(..) {
            task.abort();
        }
        let state = self.record.state;
        let is_stopping = state == ServiceState::Stopping;
        let signature = match is_stopping {
            true => self.stop.cause.take(),
            false => Some(self.signature(ending)),
        };
        let exit = self.note_exit(ending, is_stopping, signature.clone());
        let was_not_executed = signature
            .as_ref()
            .is_some_and(|signature| signature.stage == ExitStage::Exec);
        let failure = self.failure(signature.unwrap_or_else(|| self.signature(ending)));
        self.ready_at = None;
        self.well_since = None;
        // Whoever waits for one that had been ready waits for the next one.
        let starters = match state {
            ServiceState::Starting => std::mem::take(&mut self.starters),
            _ => Vec::new(),
        };
        let exited = Event::Exited {
            service: self.name.clone(),
            exit: exit.clone(),
        };
        self.emit(&exited);
        for starter in &starters {
            starter.tell(&exited);
        }
        let leftovers = !is_stopping && self.leaves_workers();
        self.drive(Input::Exited { failure, leftovers });
        if is_stopping {
            return self.finish_stop();
        }
        let waiting = std::mem::replace(&mut self.starters, starters);
        let reason = if was_not_executed {
            "spawn-failed"
        } else {
            "exited"
        };
        let detail = describe(&exit);
        self.fail_start(reason, Some(exit), &detail);
        self.starters = waiting;
    }

    /// Writes an exit down, before anything is done about it.
    pub(super) fn note_exit(
        &mut self,
        ending: &Ending,
        requested: bool,
        signature: Option<ExitSignature>,
    ) -> LastExit {
        let now = Timestamp::now();
        let exit = LastExit {
            at: now,
            code: ending.code,
            signal: ending.signal.clone(),
            requested,
            uptime_ms: self.uptime_ms(now),
            source: Some(ending.source()),
            signature,
        };
        self.store.note(&HistoryLine::Exit { exit: exit.clone() });
        self.store.drop_pid();
        self.record.last_exit = Some(exit.clone());
        exit
    }

    /// What a try came to, with what it had read.
    pub(super) fn failure(&self, signature: ExitSignature) -> Failure {
        let was_healthy = self
            .well_since
            .is_some_and(|since| Timestamp::now().duration_since(since).unsigned_abs() >= HEALTH);
        Failure {
            signature,
            inputs: self.record.run.as_ref().map(Inputs::of).unwrap_or_default(),
            was_healthy,
        }
    }

    /// The signature of the end of the recorded run.
    pub(super) fn signature(&self, ending: &Ending) -> ExitSignature {
        let offset = self.record.run.as_ref().map_or(0, |run| run.log_offset);
        let (bytes, _) = rotated::tail(&self.store.log(), offset, LOG).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<String> = text.lines().map(plain::one_line).collect();
        let fallback = Redactor::default();
        let redactor = match &self.plan {
            Some(plan) => &plan.redactor,
            None => &fallback,
        };
        let ended = Ended {
            kind: self
                .reach
                .as_ref()
                .map_or(ServiceKind::Other, |reach| reach.kind),
            ending,
            was_ready: self.ready_at.is_some(),
            is_port_held: self.ready_at.is_none() && self.is_port_held(),
            lines: &lines,
        };
        signature::of(&ended, redactor)
    }

    /// Whether somebody holds an address that it wants to bind.
    pub(super) fn is_port_held(&self) -> bool {
        let binds = self.reach.iter().flat_map(|reach| &reach.binds);
        binds.into_iter().any(|at| stop::is_held(*at))
    }

    fn uptime_ms(&self, now: Timestamp) -> Option<u64> {
        let begun = self.record.run.as_ref()?.started_at?;
        u64::try_from(now.as_millisecond() - begun.as_millisecond()).ok()
    }
}

/// `code=3`, `signal=KILL`.
fn describe(exit: &LastExit) -> String {
    match (&exit.signal, exit.code) {
        (Some(signal), _) => format!("signal={signal}"),
        (None, Some(code)) => format!("code={code}"),
        (None, None) => "code=unknown".to_owned(),
    }
}
