//! One service: everything that happens to it comes as a message, and one task works them off.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::AbortHandle;

use super::asker::{Asker, Outcome, end_all};
use super::exit::Ending;
use super::plan::Plan;
use super::protocol::{Answer, Event, Refusal, ServiceStatus};
use super::reach::Reach;
use super::ready::Sight;
use super::records::{HistoryLine, LastExit, ServiceRecord, ServiceState};
use super::session::Session;
use super::state::{self, Change};
use super::store::Store;

/// A service that runs and does not answer has so long to answer one who starts it again.
const COME_BACK: Duration = Duration::from_secs(10);

/// What can happen to a service.
pub enum Message {
    /// Somebody wants it to run.
    Start(Box<Plan>, Asker),
    /// Somebody wants it stopped and started.
    Restart(Box<Plan>, Asker),
    /// Somebody wants it not to run.
    Stop(Asker),
    /// Its watch saw something.
    Saw(u64, Sight),
    /// Its main process ended.
    Ended(u64, Ending),
    /// A signal was sent to its session.
    Signalled(&'static str),
    /// The ladder of its stop was climbed: it is gone, or why not.
    Climbed(Result<(), String>),
}

/// The way to one service.
pub struct Handle {
    inbox: UnboundedSender<Message>,
    status: Rc<RefCell<ServiceStatus>>,
}

impl Handle {
    /// Sends a message; whoever asked in it is answered.
    pub fn send(&self, message: Message) {
        // Its task ends only with the supervisor.
        let _ = self.inbox.send(message);
    }

    /// Where it stands.
    pub fn status(&self) -> ServiceStatus {
        self.status.borrow().clone()
    }
}

/// One service, as its task knows it.
pub struct Service {
    pub(super) name: String,
    pub(super) store: Store,
    pub(super) record: ServiceRecord,
    /// Where its run is to be found; none of one whose config was not read.
    pub(super) reach: Option<Reach>,
    pub(super) stop_timeout: Duration,
    pub(super) inbox: UnboundedSender<Message>,
    /// Counts the runs, so that news of an earlier one is no news.
    pub(super) serial: u64,
    /// The tasks that look at the run.
    pub(super) tasks: Vec<AbortHandle>,
    /// Whether its main process lives, and since when.
    pub(super) alive_since: Option<Instant>,
    pub(super) ready_at: Option<Timestamp>,
    pub(super) starters: Vec<Asker>,
    pub(super) stoppers: Vec<Asker>,
    /// What is started when it has stopped.
    pub(super) next: Option<(Box<Plan>, Vec<Asker>)>,
    /// When those who wait for a start are told that it is not ready.
    pub(super) deadline: Option<Instant>,
    pub(super) stop: Stop,
    pub(super) is_restart: bool,
    status: Rc<RefCell<ServiceStatus>>,
}

/// What is known of the stop that goes on.
#[derive(Default)]
pub struct Stop {
    /// Whether anybody lived when it began.
    pub was_running: bool,
    /// Whether KILL was needed.
    pub killed: bool,
    /// Whether it should run all the same: the stop was not asked for.
    pub stays_wanted: bool,
    /// What the ladder came to.
    pub climbed: Option<Result<(), String>>,
}

impl Service {
    /// A service with what its record says; nothing is looked at yet. Gives it, and what it reads
    /// its messages from.
    pub fn new(
        name: &str,
        store: Store,
        record: ServiceRecord,
    ) -> (Self, UnboundedReceiver<Message>) {
        let (inbox, messages) = mpsc::unbounded_channel();
        let service = Self {
            name: name.to_owned(),
            store,
            status: Rc::new(RefCell::new(ServiceStatus {
                state: record.state,
                wanted: record.wanted,
                pid: None,
                since: None,
                ready_at: None,
                last_exit: record.last_exit.clone(),
            })),
            record,
            reach: None,
            stop_timeout: Duration::from_secs(10),
            inbox,
            serial: 0,
            tasks: Vec::new(),
            alive_since: None,
            ready_at: None,
            starters: Vec::new(),
            stoppers: Vec::new(),
            next: None,
            deadline: None,
            stop: Stop::default(),
            is_restart: false,
        };
        (service, messages)
    }

    /// The way to it.
    pub fn handle(&self) -> Handle {
        Handle {
            inbox: self.inbox.clone(),
            status: Rc::clone(&self.status),
        }
    }

    /// Works off its messages, for as long as the supervisor lives.
    pub async fn live(mut self, mut messages: UnboundedReceiver<Message>) {
        self.publish();
        loop {
            let message = match self.deadline {
                None => messages.recv().await,
                Some(at) => match tokio::time::timeout_at(at.into(), messages.recv()).await {
                    Ok(message) => message,
                    Err(_) => {
                        self.time_is_up();
                        continue;
                    }
                },
            };
            let Some(message) = message else {
                return;
            };
            self.handle_message(message);
            self.publish();
        }
    }

    fn handle_message(&mut self, message: Message) {
        match message {
            Message::Start(plan, asker) => self.asked_to_start(plan, asker),
            Message::Restart(plan, asker) => self.asked_to_restart(plan, asker),
            Message::Stop(asker) => self.asked_to_stop(asker),
            Message::Saw(run, sight) if run == self.serial => self.saw(sight),
            Message::Ended(run, ending) if run == self.serial => self.ended(&ending),
            Message::Signalled(signal) => self.signalled(signal),
            Message::Climbed(result) => self.climbed(result),
            // News of an earlier run.
            Message::Saw(..) | Message::Ended(..) => {}
        }
    }

    fn asked_to_start(&mut self, plan: Box<Plan>, asker: Asker) {
        let pid = self.record.run.as_ref().map_or(0, |run| run.pid);
        match self.record.state {
            ServiceState::Ready => {
                self.want(true);
                self.log("service_start", "already-running", &format!("pid={pid}"));
                asker.end(Ok(Answer::Started { pid, already: true }));
            }
            ServiceState::Starting | ServiceState::Unready => {
                self.want(true);
                asker.tell(&Event::Spawned {
                    service: self.name.clone(),
                    pid,
                });
                if self.deadline.is_none() {
                    let patience = match self.record.state {
                        ServiceState::Starting => plan.service.ready_timeout,
                        _ => plan.service.ready_timeout.min(COME_BACK),
                    };
                    self.deadline = Some(Instant::now() + patience);
                }
                self.starters.push(asker);
            }
            // It is started when it has stopped.
            ServiceState::Stopping => match &mut self.next {
                Some((_, askers)) => askers.push(asker),
                None => self.next = Some((plan, vec![asker])),
            },
            _ => self.start(plan, vec![asker]),
        }
    }

    fn asked_to_restart(&mut self, plan: Box<Plan>, asker: Asker) {
        self.is_restart = true;
        match self.record.state {
            ServiceState::Starting | ServiceState::Ready | ServiceState::Unready => {
                self.next = Some((plan, vec![asker]));
                self.begin_stop(true);
            }
            ServiceState::Stopping => {
                let askers = self.next.take().map(|(_, askers)| askers);
                let mut askers = askers.unwrap_or_default();
                askers.push(asker);
                self.next = Some((plan, askers));
            }
            _ => self.start(plan, vec![asker]),
        }
    }

    fn saw(&mut self, sight: Sight) {
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
    fn time_is_up(&mut self) {
        self.deadline = None;
        let reason = "it is not ready in time";
        self.store.decide("wait", Some(reason.to_owned()));
        self.fail_start("not-ready", None, reason);
    }

    fn ended(&mut self, ending: &Ending) {
        self.tasks.clear();
        let uptime = self.alive_since.take().map(|since| since.elapsed());
        let exit = LastExit {
            at: Timestamp::now(),
            code: ending.code,
            signal: ending.signal.clone(),
            requested: self.record.state == ServiceState::Stopping,
            uptime_ms: uptime.and_then(|uptime| u64::try_from(uptime.as_millis()).ok()),
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

    /// Ends the waiting for a start.
    pub(super) fn fail_start(&mut self, reason: &str, exit: Option<LastExit>, detail: &str) {
        if self.starters.is_empty() {
            return;
        }
        self.log("service_start", "failed", &format!("{reason}: {detail}"));
        self.is_restart = false;
        let failed = Answer::Failed {
            reason: reason.to_owned(),
            exit,
        };
        end_all(&mut self.starters, &Ok(failed));
    }

    /// Follows the table of states; whether that was a change.
    pub(super) fn change(&mut self, change: Change) -> bool {
        match state::after(self.record.state, change) {
            Some(state) => {
                self.record.state = state;
                true
            }
            None => false,
        }
    }

    /// Writes the record. When that fails the service goes on; the next start would be refused.
    pub(super) fn keep(&self) {
        let _ = self.store.save(&self.record);
    }

    /// Notes whether it should run.
    pub(super) fn want(&mut self, wanted: bool) {
        if self.record.wanted != wanted {
            self.record.wanted = wanted;
            self.keep();
        }
    }

    pub(super) fn log(&self, event: &str, result: &str, detail: &str) {
        self.store.event(event, result, Some(detail));
    }

    /// Tells everybody who waits.
    pub(super) fn emit(&self, event: &Event) {
        let next = self.next.iter().flat_map(|(_, askers)| askers);
        for asker in self.starters.iter().chain(&self.stoppers).chain(next) {
            asker.tell(event);
        }
    }

    pub(super) fn end_next(&mut self, outcome: &Outcome) {
        if let Some((_, mut askers)) = self.next.take() {
            end_all(&mut askers, outcome);
        }
    }

    /// The session of its current or last run.
    pub(super) fn session(&self) -> Option<Session> {
        Session::of(self.record.run.as_ref()?)
    }

    pub(super) fn refuse_starters(&mut self, code: &str, message: String) {
        self.log("service_start", "failed", &message);
        self.is_restart = false;
        end_all(&mut self.starters, &Err(Refusal::new(code, message)));
    }

    fn publish(&self) {
        let lives = self.alive_since.is_some();
        let run = self.record.run.as_ref().filter(|_| lives);
        *self.status.borrow_mut() = ServiceStatus {
            state: self.record.state,
            wanted: self.record.wanted,
            pid: run.map(|run| run.pid),
            since: run.and_then(|run| run.started_at),
            ready_at: self.ready_at,
            last_exit: self.record.last_exit.clone(),
        };
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
