//! How a person's wish for a start is met.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::asker::Asker;
use super::plan::Plan;
use super::planner::Origin;
use super::policy;
use super::protocol::{Answer, Event, Launch, Refusal};
use super::records::ServiceState;
use super::service::Service;
use super::state::Input;

/// A service that runs and does not answer has so long to answer one who starts it again.
const COME_BACK: Duration = Duration::from_secs(10);

impl Service {
    pub(super) fn asked_to_start(&mut self, plan: Rc<Plan>, launch: Launch, asker: Asker) {
        let pid = self.pid();
        match self.record.state {
            ServiceState::Ready => {
                self.drive(Input::AskedToStart { leftovers: false });
                self.keep();
                self.log("service_start", "already-running", &format!("pid={pid}"));
                asker.end(Ok(Answer::Started { pid, already: true }));
            }
            ServiceState::Starting | ServiceState::Unready => {
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
                self.drive(Input::AskedToStart { leftovers: false });
                self.keep();
            }
            _ => self.begin(plan, launch, asker),
        }
    }

    pub(super) fn asked_to_restart(&mut self, plan: Rc<Plan>, launch: Launch, asker: Asker) {
        self.is_restart = true;
        match self.record.state {
            ServiceState::Starting | ServiceState::Ready | ServiceState::Unready => {
                self.note_asked("restart");
                self.take_over(plan, launch);
                self.queued.push(asker);
                self.drive(Input::AskedToRestart { leftovers: false });
                self.keep();
            }
            _ => self.begin(plan, launch, asker),
        }
    }

    /// One that lives is looked after already; one that should run is started by the policy, with
    /// what whoever asks has.
    pub(super) fn asked_to_adopt(&mut self, plan: Rc<Plan>, launch: Launch, asker: Asker) {
        if self.machine.lives() {
            let pid = self.pid();
            return asker.end(Ok(Answer::Started { pid, already: true }));
        }
        if !self.machine.is_wanted() {
            let message = format!("{} is not wanted to run", self.name);
            return asker.end(Err(Refusal::new("not-wanted", message)));
        }
        self.begin(plan, launch, asker);
    }

    /// Starts it now, or when it has stopped.
    fn begin(&mut self, plan: Rc<Plan>, launch: Launch, asker: Asker) {
        self.note_asked("start");
        if self.record.state == ServiceState::Stopping {
            self.queued.push(asker);
        } else {
            self.starters.push(asker);
        }
        self.take_over(plan, launch);
        let leftovers = self.has_leftovers();
        if leftovers {
            self.queued.append(&mut self.starters);
        }
        self.drive(Input::AskedToStart { leftovers });
    }

    /// What was tried before counts no more.
    fn note_asked(&self, what: &str) {
        self.store.decide(policy::ASKED, Some(what.to_owned()));
    }

    fn take_over(&mut self, plan: Rc<Plan>, launch: Launch) {
        self.store.set_log_file(plan.log_file.clone());
        self.plan = Some(plan);
        self.origin = Origin::Asked(launch);
    }
}
