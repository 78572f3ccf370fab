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
use super::records::{LastExit, ServiceRecord};
use super::session::Session;
use super::state::{self, Change};
use super::store::Store;

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
    /// Whether its main process lives.
    pub(super) is_alive: bool,
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
            is_alive: false,
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
        let run = self.record.run.as_ref().filter(|_| self.is_alive);
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
