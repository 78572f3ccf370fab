//! One service: everything that happens to it comes as a message, and one task works them off.
//!
//! What follows from a message is decided by the [`Machine`]; the files beside this one carry it out
//! and tell the machine what it came to.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use flowgate_checks::model::ExitSignature;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::AbortHandle;

use super::asker::{Asker, Outcome, end_all};
use super::exit::Ending;
use super::plan::Plan;
use super::planner::{Origin, Planner};
use super::policy;
use super::protocol::{Answer, Event, Launch, Refusal, ServiceStatus};
use super::reach::Reach;
use super::ready::Sight;
use super::records::{LastExit, ServiceRecord, ServiceState};
use super::session::Session;
use super::state::{Action, Input, Machine};
use super::store::Store;

/// What can happen to a service.
pub enum Message {
    /// Somebody wants it to run.
    Start(Rc<Plan>, Launch, Asker),
    /// Somebody wants it stopped and started.
    Restart(Rc<Plan>, Launch, Asker),
    /// Somebody wants to know that it is looked after; it is started when it should run.
    Adopt(Rc<Plan>, Launch, Asker),
    /// Somebody wants it not to run.
    Stop(Asker),
    /// Somebody does not want to wait for what a signal does.
    Hasten,
    /// Its watch saw something.
    Saw(u64, Sight),
    /// Its main process ended.
    Ended(u64, Ending),
    /// A signal was sent to its session.
    Signalled(&'static str),
    /// The ladder of its stop was climbed: it is gone, or why not.
    Climbed(Result<(), String>),
    /// What it waited for has come, and what that was.
    Due(u64, String),
    /// What nobody has to wait for is to be done.
    Settle,
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
    pub(super) machine: Machine,
    pub(super) planner: Planner,
    /// What its last start was made with.
    pub(super) origin: Origin,
    /// The plan of its last start, or of the one that was asked for.
    pub(super) plan: Option<Rc<Plan>>,
    /// Where its run is to be found; none of one whose config was not read.
    pub(super) reach: Option<Reach>,
    pub(super) stop_timeout: Duration,
    pub(super) inbox: UnboundedSender<Message>,
    /// Counts the runs, so that news of an earlier one is no news.
    pub(super) serial: u64,
    /// The tasks that look at the run.
    pub(super) tasks: Vec<AbortHandle>,
    /// The task that waits for what brings the next try.
    pub(super) waiting: Option<AbortHandle>,
    pub(super) ready_at: Option<Timestamp>,
    /// Since when it answers without a gap.
    pub(super) well_since: Option<Timestamp>,
    pub(super) starters: Vec<Asker>,
    /// Those who wait for a start that begins when the stop has ended.
    pub(super) queued: Vec<Asker>,
    pub(super) stoppers: Vec<Asker>,
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
    /// Why it was begun, when no person asked for it.
    pub cause: Option<ExitSignature>,
    /// What the ladder came to.
    pub climbed: Option<Result<(), String>>,
    /// Tells the ladder to wait no longer.
    pub haste: Rc<Notify>,
}

impl Service {
    /// A service with what its record says; nothing is looked at yet. Gives it, and what it reads
    /// its messages from.
    pub fn new(
        name: &str,
        planner: Planner,
        record: ServiceRecord,
        machine: Machine,
    ) -> (Self, UnboundedReceiver<Message>) {
        let (inbox, messages) = mpsc::unbounded_channel();
        let service = Self {
            name: name.to_owned(),
            store: Store::new(planner.places.clone(), name),
            status: Rc::new(RefCell::new(ServiceStatus {
                state: record.state,
                wanted: record.wanted,
                pid: None,
                since: None,
                ready_at: None,
                restarts: record.restarts,
                next_try_at: record.next_try_at,
                last_exit: record.last_exit.clone(),
            })),
            record,
            machine,
            planner,
            origin: Origin::Supervisor,
            plan: None,
            reach: None,
            stop_timeout: Duration::from_secs(10),
            inbox,
            serial: 0,
            tasks: Vec::new(),
            waiting: None,
            ready_at: None,
            well_since: None,
            starters: Vec::new(),
            queued: Vec::new(),
            stoppers: Vec::new(),
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
            Message::Start(plan, launch, asker) => self.asked_to_start(plan, launch, asker),
            Message::Restart(plan, launch, asker) => self.asked_to_restart(plan, launch, asker),
            Message::Adopt(plan, launch, asker) => self.asked_to_adopt(plan, launch, asker),
            Message::Stop(asker) => self.asked_to_stop(asker),
            // Kept for the ladder, should it be between two rungs.
            Message::Hasten => self.stop.haste.notify_one(),
            Message::Saw(run, sight) if run == self.serial => self.saw(sight),
            Message::Ended(run, ending) if run == self.serial => self.ended(&ending),
            Message::Signalled(signal) => self.signalled(signal),
            Message::Climbed(result) => self.climbed(result),
            Message::Due(run, why) if run == self.serial => self.due(&why),
            Message::Settle => self.settle(),
            // News of an earlier run.
            Message::Saw(..) | Message::Ended(..) | Message::Due(..) => {}
        }
    }

    /// Tells the machine what happened, and carries out what follows, until nothing does.
    pub(super) fn drive(&mut self, input: Input) {
        let mut input = Some(input);
        while let Some(next) = input.take() {
            let action = self.machine.on(next, policy::jitter());
            self.record.wanted = self.machine.is_wanted();
            self.record.state = self.machine.state();
            self.record.restarts = self.machine.restarts();
            if !self.is_waiting() {
                self.record.next_try_at = None;
                if let Some(task) = self.waiting.take() {
                    task.abort();
                }
            }
            input = match action {
                None => None,
                Some(Action::Spawn) => Some(self.spawn()),
                Some(Action::End) => {
                    self.begin_stop();
                    None
                }
                Some(Action::Wait(wait)) => {
                    self.wait(wait);
                    None
                }
            };
        }
        self.keep_soon();
    }

    fn is_waiting(&self) -> bool {
        matches!(
            self.record.state,
            ServiceState::Backoff | ServiceState::CrashLoop
        )
    }

    /// Ends the waiting for a start.
    pub(super) fn fail_start(&mut self, reason: &str, exit: Option<LastExit>, detail: &str) {
        if self.starters.is_empty() {
            return;
        }
        self.log("service_start", "failed", &format!("{reason}: {detail}"));
        self.is_restart = false;
        self.deadline = None;
        let failed = Answer::Failed {
            reason: reason.to_owned(),
            exit,
        };
        end_all(&mut self.starters, &Ok(failed));
    }

    /// Writes the record, so that it outlives this machine's power too. When that fails the service
    /// goes on; the next start by a person would be refused.
    pub(super) fn keep(&self) {
        let _ = self.store.save(&self.record);
    }

    /// Writes the record, so that it outlives this process.
    pub(super) fn keep_soon(&self) {
        let _ = self.store.save_soon(&self.record);
    }

    pub(super) fn log(&self, event: &str, result: &str, detail: &str) {
        self.store.event(event, result, Some(detail));
    }

    /// Tells everybody who waits.
    pub(super) fn emit(&self, event: &Event) {
        let starters = self.starters.iter().chain(&self.queued);
        for asker in starters.chain(&self.stoppers) {
            asker.tell(event);
        }
    }

    pub(super) fn end_queued(&mut self, outcome: &Outcome) {
        end_all(&mut self.queued, outcome);
    }

    /// The session of its current or last run.
    pub(super) fn session(&self) -> Option<Session> {
        Session::of(self.record.run.as_ref()?)
    }

    /// The pid of its current or last run.
    pub(super) fn pid(&self) -> u32 {
        self.record.run.as_ref().map_or(0, |run| run.pid)
    }

    pub(super) fn refuse_starters(&mut self, code: &str, message: String) {
        self.log("service_start", "failed", &message);
        self.is_restart = false;
        self.deadline = None;
        end_all(&mut self.starters, &Err(Refusal::new(code, message)));
    }

    fn publish(&self) {
        let run = self.record.run.as_ref().filter(|_| self.machine.lives());
        *self.status.borrow_mut() = ServiceStatus {
            state: self.record.state,
            wanted: self.record.wanted,
            pid: run.map(|run| run.pid),
            since: run.and_then(|run| run.started_at),
            ready_at: self.ready_at,
            restarts: self.record.restarts,
            next_try_at: self.record.next_try_at,
            last_exit: self.record.last_exit.clone(),
        };
    }
}
