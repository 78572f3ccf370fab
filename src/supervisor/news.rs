//! What a service does by itself: it gets ready, falters, moves, takes too long, ends.

use jiff::Timestamp;

use super::asker::end_all;
use super::exit::Ending;
use super::protocol::{Answer, Event};
use super::ready::Sight;
use super::records::{HistoryLine, LastExit, LastReady, ServiceState};
use super::service::Service;
use super::state::Change;

impl Service {
    pub(super) fn saw(&mut self, sight: Sight) {
        match sight {
            Sight::Phase(phase) => self.emit(&Event::Phase {
                service: self.name.clone(),
                phase: phase.to_owned(),
            }),
            Sight::Ready(note) => self.became_ready(note),
            Sight::Silent => {
                if self.change(Change::WentSilent) {
                    self.store.note(&HistoryLine::Unready {
                        at: Timestamp::now(),
                    });
                    self.keep();
                }
            }
            Sight::Elsewhere(port) if self.record.state == ServiceState::Starting => {
                self.moved_to(port);
            }
            Sight::Elsewhere(_) => {}
        }
    }

    fn became_ready(&mut self, note: Option<String>) {
        let was_starting = self.record.state == ServiceState::Starting;
        if !self.change(Change::Answered) {
            return;
        }
        let now = Timestamp::now();
        if was_starting || self.ready_at.is_none() {
            self.ready_at = Some(now);
        }
        self.deadline = None;
        let port = self.reach.as_ref().and_then(|reach| reach.port);
        let run = self.record.run.as_ref();
        self.record.last_ready = run.map(|run| LastReady::of(run, port, now));
        self.store.note(&HistoryLine::Ready { at: now });
        if note.is_some() {
            self.store.decide("ready", note);
        }
        self.keep();
        let pid = self.record.run.as_ref().map_or(0, |run| run.pid);
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
    }

    /// It does not serve where clients look, so nothing half-started is left behind.
    fn moved_to(&mut self, port: u16) {
        let configured = self.reach.as_ref().and_then(|reach| reach.port);
        let reason = format!(
            "it listens at port {port} instead of {}",
            configured.unwrap_or_default()
        );
        self.store.decide("stop", Some(reason.clone()));
        self.fail_start("not-ready", None, &reason);
        self.begin_stop(true);
    }

    /// Those who wait are told; the service goes on, since it may only be slow.
    pub(super) fn time_is_up(&mut self) {
        self.deadline = None;
        let reason = "it is not ready in time";
        self.store.decide("wait", Some(reason.to_owned()));
        self.fail_start("not-ready", None, reason);
    }

    pub(super) fn ended(&mut self, ending: &Ending) {
        self.tasks.clear();
        self.is_alive = false;
        let now = Timestamp::now();
        let exit = LastExit {
            at: now,
            code: ending.code,
            signal: ending.signal.clone(),
            requested: self.record.state == ServiceState::Stopping,
            uptime_ms: self.uptime_ms(now),
            source: None,
            signature: None,
        };
        self.store.note(&HistoryLine::Exit { exit: exit.clone() });
        self.store.drop_pid();
        self.record.last_exit = Some(exit.clone());
        self.ready_at = None;
        self.emit(&Event::Exited {
            service: self.name.clone(),
            exit: exit.clone(),
        });
        if self.record.state == ServiceState::Stopping {
            self.keep();
            return self.finish_stop();
        }
        self.change(Change::Ended);
        self.deadline = None;
        self.keep();
        let reason = if self.was_not_executed() {
            "spawn-failed"
        } else {
            "exited"
        };
        let detail = describe(&exit);
        self.fail_start(reason, Some(exit), &detail);
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
