//! How a service is started, and looked at while it runs.

use std::os::fd::OwnedFd;
use std::process::Child;
use std::time::{Duration, Instant};

use flowgate_checks::model::ServiceKind;
use jiff::Timestamp;

use super::asker::Asker;
use super::phase::{self, PhaseLog};
use super::plan::Plan;
use super::protocol::{Answer, Event};
use super::ready::Watch;
use super::records::{HistoryLine, RunRecord, ServiceState};
use super::service::{Message, Service};
use super::session::RUN_VARIABLE;
use super::spawn::{self, NOT_EXECUTED, Spawned};
use super::state::Change;
use super::{exit, stop};
use crate::platform;
use crate::sys::rotated;
use crate::sys::write::WriteError;

/// A service that runs and does not answer has so long to answer one who starts it again.
const COME_BACK: Duration = Duration::from_secs(10);

impl Service {
    pub(super) fn asked_to_start(&mut self, plan: Box<Plan>, asker: Asker) {
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

    pub(super) fn asked_to_restart(&mut self, plan: Box<Plan>, asker: Asker) {
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

    /// Starts it: its port must be free, its record must be writable, then it is spawned.
    pub(super) fn start(&mut self, plan: Box<Plan>, askers: Vec<Asker>) {
        self.starters = askers;
        self.store.set_log_file(plan.log_file.clone());
        self.record.wanted = true;
        // A run that no record tells of could never be stopped.
        if let Err(error) = self.store.save(&self.record) {
            return self.refuse_starters("runtime-dir", error.to_string());
        }
        if let Some(held) = plan.reach.binds.iter().find(|at| stop::is_held(**at)) {
            let reason = format!("{held} is in use");
            self.store.decide("not-started", Some(reason.clone()));
            return self.fail_start("port-in-use", None, &reason);
        }
        let id = run_id();
        match spawn::spawn(&plan, (RUN_VARIABLE, &id), &self.store.log()) {
            Ok(spawned) => self.spawned(*plan, spawned, id),
            Err(error) => {
                let reason = error.to_string();
                self.store.decide("not-started", Some(reason.clone()));
                self.fail_start("spawn-failed", None, &reason);
            }
        }
    }

    fn spawned(&mut self, plan: Plan, spawned: Spawned, id: String) {
        let Spawned {
            mut child,
            handle,
            start_time,
            program,
            log_offset,
        } = spawned;
        let (pid, now) = (child.id(), Timestamp::now());
        let run = RunRecord {
            id: Some(id.into()),
            pid,
            start_time,
            boot_id: platform::boot_id(),
            sid: Some(pid),
            exe: Some(program.display().to_string()),
            digests: plan.digests,
            binary_digest: None,
            started_at: Some(now),
            log_offset,
        };
        if let Err(error) = self.record_run(run.clone()) {
            // It is our child, so its pid is its own.
            let _ = child.kill();
            let _ = child.wait();
            return self.refuse_starters("runtime-dir", error.to_string());
        }
        self.store.note(&HistoryLine::Spawn { at: now, run });
        let cwd = plan.cwd.display().to_string();
        self.store.keep_pid(pid, now, &plan.args, &cwd);
        self.stop_timeout = plan.service.stop_timeout;
        self.deadline = Some(Instant::now() + plan.service.ready_timeout);
        self.ready_at = None;
        self.reach = Some(plan.reach);
        self.emit(&Event::Spawned {
            service: self.name.clone(),
            pid,
        });
        let phases = (plan.service.kind == ServiceKind::Litellm)
            .then(|| PhaseLog::new(self.store.log(), log_offset));
        if phases.is_some() {
            self.emit(&Event::Phase {
                service: self.name.clone(),
                phase: phase::FIRST.to_owned(),
            });
        }
        self.attend(handle, Some(child), phases);
    }

    fn record_run(&mut self, run: RunRecord) -> Result<(), WriteError> {
        let before = self.record.clone();
        self.change(Change::Spawned);
        self.record.run = Some(run);
        let saved = self.store.save(&self.record);
        if saved.is_err() {
            self.record = before;
        }
        saved
    }

    /// Waits for the end of the run, and watches whether it is ready.
    pub(super) fn attend(
        &mut self,
        handle: OwnedFd,
        child: Option<Child>,
        phases: Option<PhaseLog>,
    ) {
        self.serial += 1;
        self.is_alive = true;
        let (run, inbox) = (self.serial, self.inbox.clone());
        tokio::task::spawn_local(async move {
            let ending = exit::wait(handle, child).await;
            let _ = inbox.send(Message::Ended(run, ending));
        });
        self.watch(phases);
    }

    /// Watches whether it is ready, where it is known how to ask.
    pub(super) fn watch(&mut self, phases: Option<PhaseLog>) {
        let (Some(reach), Some(session)) = (self.reach.clone(), self.session()) else {
            return;
        };
        let (run, inbox) = (self.serial, self.inbox.clone());
        let watch = Watch::new(reach, session, phases);
        let task = tokio::task::spawn_local(
            watch.run(move |sight| inbox.send(Message::Saw(run, sight)).is_ok()),
        );
        self.tasks.push(task.abort_handle());
    }

    /// Whether the run that ended never became its program.
    pub(super) fn was_not_executed(&self) -> bool {
        let offset = self.record.run.as_ref().map_or(0, |run| run.log_offset);
        rotated::tail(&self.store.log(), offset, 4096)
            .is_ok_and(|(bytes, _)| bytes.starts_with(NOT_EXECUTED.as_bytes()))
    }
}

fn run_id() -> String {
    let mut bytes = [0; 6];
    // Without randomness orphans of this run are not recognised once its leader is gone.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
