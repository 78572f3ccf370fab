//! How a process of a service is made and looked at, whoever wanted it.

use std::rc::Rc;
use std::time::{Duration, Instant};

use flowgate_checks::model::{ExitSignature, ServiceKind};
use jiff::Timestamp;

use super::children;
use super::exit::{self, Awaited};
use super::news::SETTLED;
use super::phase::{self, PhaseLog};
use super::plan::Plan;
use super::policy::{self, Failure, Inputs};
use super::protocol::{Event, Refusal};
use super::ready::Watch;
use super::records::{HistoryLine, RunRecord, ServiceState};
use super::service::{Message, Service};
use super::session::{RUN_VARIABLE, Session};
use super::signature;
use super::spawn::{self, SpawnError, Spawned};
use super::state::Input;
use super::stop::{self, Ladder};
use crate::platform::{self, ProcessHandle};
use crate::sys::hex::random_id;

/// Members of a session that left its group hold no port, so they are ended a moment later.
const STRAYS: Duration = Duration::from_secs(1);

/// What is left of a run without its main process has so long for a clean end.
pub(super) const LEFTOVERS: Duration = Duration::from_secs(2);

impl Service {
    /// Makes a process, when nothing is in its way: the record must be writable, the port free.
    pub(super) fn spawn(&mut self) -> Input {
        self.starters.append(&mut self.queued);
        let plan = match self.current_plan() {
            Ok(plan) => plan,
            Err(refusal) => {
                let failure = signature::not_planned(&refusal.message);
                self.store
                    .decide(policy::NOT_STARTED, Some(refusal.message.clone()));
                self.refuse_starters(&refusal.code, refusal.message);
                return self.not_spawned(failure);
            }
        };
        self.stop_timeout = plan.service.stop_timeout;
        self.reach = Some(plan.reach.clone());
        // A run that no record tells of could never be stopped. Whoever asks hears of it.
        if !self.starters.is_empty()
            && let Err(error) = self.store.save_soon(&self.record)
        {
            self.refuse_starters("runtime-dir", error.to_string());
            return self.not_spawned(signature::not_possible(&error.to_string()));
        }
        if let Some(held) = plan.reach.binds.iter().find(|at| stop::is_held(**at)) {
            let reason = format!("{held} is in use");
            self.not_started("port-in-use", &reason);
            return self.not_spawned(signature::port_held(&reason));
        }
        // Without randomness orphans of this run are not recognised once its leader is gone.
        let id = random_id();
        match spawn::spawn(&plan, (RUN_VARIABLE, &id), &self.store.log()) {
            Ok(spawned) => self.spawned(plan, spawned, id),
            Err(error) => {
                let reason = error.to_string();
                self.not_started("spawn-failed", &reason);
                self.not_spawned(match error {
                    SpawnError::Program { .. } | SpawnError::Folder { .. } => {
                        signature::not_executed(&reason)
                    }
                    SpawnError::Log { .. } | SpawnError::System(_) => {
                        signature::not_possible(&reason)
                    }
                })
            }
        }
    }

    /// The plan that was made last, while the files are as they were; else a new one. When there can
    /// be none, as while somebody edits flowgate.yaml, what ran before is what runs.
    pub(super) fn current_plan(&mut self) -> Result<Rc<Plan>, Refusal> {
        if let Some(plan) = &self.plan
            && plan.files.changed().is_none()
        {
            return Ok(Rc::clone(plan));
        }
        match (
            self.planner.plan_again(&self.name, &self.origin),
            &self.plan,
        ) {
            (Ok(plan), _) => {
                self.store.set_log_file(plan.log_file.clone());
                self.plan = Some(Rc::clone(&plan));
                Ok(plan)
            }
            (Err(refusal), Some(plan)) if refusal.code == "config" => {
                self.store.decide("same-plan", Some(refusal.message));
                Ok(Rc::clone(plan))
            }
            (Err(refusal), _) => Err(refusal),
        }
    }

    fn not_started(&mut self, code: &str, reason: &str) {
        self.store
            .decide(policy::NOT_STARTED, Some(reason.to_owned()));
        self.fail_start(code, None, reason);
    }

    fn not_spawned(&self, signature: ExitSignature) -> Input {
        Input::NotSpawned(Failure {
            signature,
            inputs: self.inputs(),
            was_healthy: false,
        })
    }

    /// What its next start reads, as far as that is known.
    fn inputs(&self) -> Inputs {
        Inputs {
            digests: self
                .plan
                .as_ref()
                .map(|plan| plan.digests.clone())
                .unwrap_or_default(),
            program: None,
        }
    }

    fn spawned(&mut self, plan: Rc<Plan>, spawned: Spawned, id: String) -> Input {
        let Spawned {
            mut child,
            handle,
            gate,
            start_time,
            program,
            identity,
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
            digests: plan.digests.clone(),
            binary_digest: identity,
            variables: plan.env.keys().cloned().collect(),
            started_at: Some(now),
            log_offset,
        };
        let last = self.session();
        let before = self.record.clone();
        self.record.run = Some(run.clone());
        self.record.state = ServiceState::Starting;
        if let Err(error) = self.store.save_soon(&self.record) {
            self.record = before;
            // It is our child, so its pid is its own.
            let _ = child.kill();
            let _ = child.wait();
            children::forget(pid);
            self.refuse_starters("runtime-dir", error.to_string());
            return self.not_spawned(signature::not_possible(&error.to_string()));
        }
        gate.open();
        self.store.note(&HistoryLine::Spawn { at: now, run });
        let cwd = plan.cwd.display().to_string();
        self.store.keep_pid(pid, now, &plan.args, &cwd);
        self.deadline =
            (!self.starters.is_empty()).then(|| Instant::now() + plan.service.ready_timeout);
        self.ready_at = None;
        self.well_since = None;
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
        if let Some(last) = last {
            end_strays(last);
        }
        self.attend(handle, Awaited::Child(child), phases);
        self.settle_after(SETTLED);
        Input::Spawned
    }

    /// Whether processes of the last run live without their main process, and are in the way.
    pub(super) fn has_leftovers(&self) -> bool {
        !self.machine.lives() && self.leaves_workers()
    }

    /// Whether others of its session live, once its main process has ended.
    ///
    /// The group tells at once, and almost always that there are none; a search through every process
    /// is had when there are, or when somebody holds the port.
    pub(super) fn leaves_workers(&self) -> bool {
        let Some(session) = self.session() else {
            return false;
        };
        (session.group_lives() || self.is_port_held()) && !session.members().is_empty()
    }

    /// Waits for the end of the run, and watches whether it is ready.
    pub(super) fn attend(
        &mut self,
        handle: ProcessHandle,
        awaited: Awaited,
        phases: Option<PhaseLog>,
    ) {
        self.serial += 1;
        let (run, inbox) = (self.serial, self.inbox.clone());
        let pid = self.pid();
        children::watch(pid);
        tokio::task::spawn_local(async move {
            let ending = exit::wait(handle, awaited).await;
            children::forget(pid);
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
}

/// Ends what left the group of a run that has ended.
fn end_strays(session: Session) {
    tokio::task::spawn_local(async move {
        tokio::time::sleep(STRAYS).await;
        if session.members().is_empty() {
            return;
        }
        let ladder = Ladder {
            session,
            grace: LEFTOVERS,
            binds: Vec::new(),
            haste: Rc::default(),
        };
        // Whoever outlives every signal holds nothing that the new run needs.
        let _ = ladder.climb(|_| {}).await;
    });
}
