//! What a new supervisor makes of the records of an earlier one: living runs are taken up, wanted ones
//! that have died meanwhile are tried again, stops that were begun are ended.

use std::path::Path;
use std::time::Duration;

use flowgate_checks::model::{ExitClass, RunLife};
use jiff::Timestamp;

use super::exit::{self, Awaited, Ending};
use super::places::Places;
use super::plan::Current;
use super::planner::{Origin, Planner};
use super::policy::{self, Decision, Inputs, Tries};
use super::records::{
    self, HistoryLine, LifeSign, RECORD_VERSION, RunRecord, ServiceRecord, ServiceState,
};
use super::rotate;
use super::service::{Handle, Service};
use super::state::{Input, Machine, Wait};
use super::store::Store;
use crate::platform::{self, ProcessHandle};
use crate::sys::place::Root;

/// Before a new supervisor starts anything itself, whoever started it may say what it wants, and with
/// which variables.
const HEARING: Duration = Duration::from_millis(250);

/// A service that was taken up may end soon; what its next start needs is there after this time.
const SETTLED: Duration = Duration::from_millis(100);

/// Begins a service: with its record when it has one that can be read, and with its run when that
/// lives. `current` is the config, when it loads.
pub fn begin(planner: &Planner, name: &str, current: Option<&Current>) -> Handle {
    let record = read_record(&planner.places, name);
    let history = Store::new(planner.places.clone(), name).history();
    let inputs = record.run.as_ref().map(Inputs::of).unwrap_or_default();
    let tries = Tries::of_history(&history, &inputs);
    let (wanted, restarts) = (record.wanted, record.restarts);
    let machine = Machine::new(record.state, wanted, false, tries.clone(), restarts);
    let (mut service, messages) = Service::new(name, planner.clone(), record, machine);
    if let Some(current) = current {
        service
            .store
            .set_log_file(current.config.paths.log_file.clone());
        if let Some(config) = current.config.service(name) {
            service.reach = Some(current.reach(config, current.folder()));
            service.stop_timeout = config.stop_timeout;
        }
    }
    service.take_up(&history, tries);
    tokio::task::spawn_local(rotate::keep_small(service.store.log()));
    let handle = service.handle();
    tokio::task::spawn_local(service.live(messages));
    handle
}

/// The names of the services that have a record.
pub fn recorded(places: &Places) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(places.supervisor()) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            name.strip_suffix(".json").map(str::to_owned)
        })
        .filter(|name| !name.is_empty() && !name.starts_with('.'))
        .collect()
}

fn read_record(places: &Places, name: &str) -> ServiceRecord {
    let root = Root::new(Path::new("/"));
    let read = records::read_current(places.runtime(), name, &root, platform::pid_limit());
    match read.record {
        Some((_, Ok(record))) => record,
        _ => ServiceRecord {
            v: RECORD_VERSION,
            wanted: false,
            state: ServiceState::Stopped,
            run: None,
            restarts: 0,
            next_try_at: None,
            last_exit: None,
            last_ready: None,
        },
    }
}

/// What became of the main process of a run.
fn life(run: &RunRecord) -> RunLife {
    let sign = platform::process_stat(run.pid).map(|stat| LifeSign {
        start_time: stat.start_time,
        started_at_seconds: None,
        is_zombie: stat.is_dead(),
        is_configured_program: false,
    });
    let recorded = Some((run.start_time, run.boot_id.as_str()));
    records::life_of(recorded, &platform::boot_id(), sign.as_ref())
}

impl Service {
    fn take_up(&mut self, history: &[HistoryLine], tries: Tries) {
        let Some(run) = self.record.run.clone() else {
            return self.go_on_waiting(tries, None);
        };
        let life = life(&run);
        if life == RunLife::Alive
            && let Ok(handle) = ProcessHandle::of(run.pid, run.start_time)
        {
            return self.adopt(&run, handle, history, tries);
        }
        let was_alive = !matches!(
            self.record.state,
            ServiceState::Stopped | ServiceState::Backoff | ServiceState::CrashLoop
        );
        if !was_alive {
            return self.go_on_waiting(tries, Some(life));
        }
        self.store
            .decide("lost", Some(format!("pid {} {}", run.pid, what(life))));
        self.after_its_end(&run, life, history, tries);
    }

    /// Takes up a run that lives.
    fn adopt(
        &mut self,
        run: &RunRecord,
        handle: ProcessHandle,
        history: &[HistoryLine],
        tries: Tries,
    ) {
        let recorded = self.record.state;
        let state = match recorded {
            ServiceState::Ready | ServiceState::Starting => recorded,
            // Half stopped, or of a state that this flowgate does not know.
            _ => ServiceState::Unready,
        };
        let restarts = self.record.restarts;
        self.machine = Machine::new(state, self.record.wanted, true, tries, restarts);
        self.record.state = state;
        self.origin = Origin::of_process(run.pid);
        if state == ServiceState::Ready {
            self.ready_at = last_ready(history);
            self.well_since = self.ready_at;
        }
        let is_stopped = self.session().is_some_and(|session| session.is_stopped());
        let more = if is_stopped {
            ", stopped by a signal"
        } else {
            ""
        };
        self.store
            .decide("adopt", Some(format!("pid {} lives{more}", run.pid)));
        let awaited = Awaited::Adopted {
            pid: run.pid,
            start_time: run.start_time,
        };
        self.attend(handle, awaited, None);
        self.settle_after(SETTLED);
        if recorded == ServiceState::Stopping {
            // The stop that was begun goes on.
            self.drive(match self.record.wanted {
                true => Input::AskedToRestart { leftovers: false },
                false => Input::AskedToStop { leftovers: false },
            });
        }
    }

    /// A run of which the record says that it lives has ended: notes how, unless that is on record.
    fn after_its_end(
        &mut self,
        run: &RunRecord,
        life: RunLife,
        history: &[HistoryLine],
        mut tries: Tries,
    ) {
        let noted = history
            .iter()
            .rev()
            .take_while(|line| !matches!(line, HistoryLine::Spawn { .. }))
            .find_map(|line| match line {
                HistoryLine::Exit { exit } => Some(exit.clone()),
                _ => None,
            });
        let was_stopping = self.record.state == ServiceState::Stopping;
        self.ready_at = last_ready(history);
        self.well_since = self.ready_at;
        let decision = if let Some(exit) = noted {
            self.record.last_exit = Some(exit);
            self.store.drop_pid();
            Decision::Now
        } else {
            let ending = match life {
                RunLife::Zombie => exit::of_adopted(run.pid, run.start_time),
                _ => Ending::default(),
            };
            let mut signature = self.signature(&ending);
            if life == RunLife::OtherBoot {
                signature.class = ExitClass::Killed;
                tries = Tries::default();
            }
            self.note_exit(&ending, was_stopping, Some(signature.clone()));
            let failure = self.failure(signature);
            match was_stopping {
                true => Decision::Now,
                false => tries.judge(failure, false, policy::jitter()),
            }
        };
        self.ready_at = None;
        self.well_since = None;
        let state = match (self.record.wanted, decision) {
            (false, _) => ServiceState::Stopped,
            (true, Decision::WhenChanged) => ServiceState::CrashLoop,
            (true, _) => ServiceState::Backoff,
        };
        self.settle_in(state, tries);
        if !self.record.wanted {
            let leftovers = self.has_leftovers();
            return self.drive(Input::AskedToStop { leftovers });
        }
        self.wait(match decision {
            Decision::Now => Wait::Time(HEARING),
            Decision::Later(pause) => Wait::Time(pause.max(HEARING)),
            Decision::WhenFree(pause) => Wait::Port(pause),
            Decision::WhenChanged => Wait::Files,
        });
        self.keep_soon();
    }

    /// Goes on with what an earlier supervisor had decided of a service that does not live.
    fn go_on_waiting(&mut self, tries: Tries, life: Option<RunLife>) {
        if !self.record.wanted {
            return self.settle_in(ServiceState::Stopped, tries);
        }
        if self.record.state == ServiceState::CrashLoop {
            self.settle_in(ServiceState::CrashLoop, tries);
            if !self.has_changed() {
                return self.await_it(Wait::Files);
            }
            return self.await_it(Wait::Time(HEARING));
        }
        self.settle_in(ServiceState::Backoff, tries);
        let left = self.record.next_try_at.map(|at| {
            let left = at.duration_since(Timestamp::now());
            Duration::try_from(left).unwrap_or_default()
        });
        match left.filter(|_| life != Some(RunLife::OtherBoot)) {
            Some(left) => self.await_it(Wait::Time(left.max(HEARING))),
            None => self.await_it(Wait::Port(HEARING)),
        }
    }

    fn settle_in(&mut self, state: ServiceState, tries: Tries) {
        let (wanted, restarts) = (self.record.wanted, self.record.restarts);
        self.machine = Machine::new(state, wanted, false, tries, restarts);
        self.record.state = state;
    }

    /// Whether something that the recorded run had read is another now; also when nobody can tell.
    fn has_changed(&mut self) -> bool {
        let Ok(plan) = self.planner.plan_again(&self.name, &self.origin) else {
            return false;
        };
        let has_changed = self.record.run.as_ref().is_none_or(|run| {
            let program = run.exe.as_deref().map(Path::new);
            let identity = program.and_then(super::watched::identity);
            run.digests != plan.digests || run.binary_digest != identity
        });
        self.plan = Some(plan);
        has_changed
    }
}

/// When it became ready, by its history.
fn last_ready(history: &[HistoryLine]) -> Option<Timestamp> {
    let lines = history.iter().rev();
    lines
        .take_while(|line| {
            !matches!(
                line,
                HistoryLine::Spawn { .. } | HistoryLine::Unready { .. }
            )
        })
        .find_map(|line| match line {
            HistoryLine::Ready { at } => Some(*at),
            _ => None,
        })
}

fn what(life: RunLife) -> &'static str {
    match life {
        RunLife::Alive => "lives and cannot be watched",
        RunLife::Zombie => "has ended, and its parent has not asked how",
        RunLife::Gone => "has gone",
        RunLife::Reused => "is another process now",
        RunLife::OtherBoot => "ended with the machine, which was started anew since",
    }
}
