//! What a new supervisor makes of the records of an earlier one: living runs are running.

use std::path::Path;

use flowgate_checks::model::ExitSource;
use jiff::Timestamp;

use super::exit;
use super::places::Places;
use super::plan::Current;
use super::records::{self, HistoryLine, LastExit, RECORD_VERSION, ServiceRecord, ServiceState};
use super::rotate;
use super::service::{Handle, Service};
use super::store::Store;
use crate::platform;
use crate::sys::place::Root;

/// Begins a service: with its record when it has one that can be read, and with its run when that
/// lives. `current` is the config, when it loads.
pub fn begin(places: &Places, name: &str, current: Option<&Current>) -> Handle {
    let record = read_record(places, name);
    let store = Store::new(places.clone(), name);
    let (mut service, messages) = Service::new(name, store, record);
    if let Some(current) = current {
        service
            .store
            .set_log_file(current.config.paths.log_file.clone());
        if let Some(config) = current.config.service(name) {
            service.reach = Some(current.reach(config, current.folder()));
            service.stop_timeout = config.stop_timeout;
        }
    }
    service.take_up();
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
    let read = records::read(places.runtime(), name, &root, platform::pid_limit());
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
        },
    }
}

impl Service {
    /// Takes up the recorded run when it lives; else notes that it ended, unless that is on record.
    /// How it ended nobody knows any more.
    fn take_up(&mut self) {
        let session = self.session().filter(|session| session.leader_lives());
        let was_running = self.record.state != ServiceState::Stopped;
        if session.is_some()
            && let Some(run) = &self.record.run
            && let Ok(handle) = exit::handle(run.pid)
        {
            self.record.state = match self.record.state {
                ServiceState::Ready => ServiceState::Ready,
                ServiceState::Starting => ServiceState::Starting,
                // Half stopped, or of a state that this flowgate does not know.
                _ => ServiceState::Unready,
            };
            self.ready_at = (self.record.state == ServiceState::Ready)
                .then(|| self.last_ready())
                .flatten();
            self.attend(handle, None, None);
        } else if was_running {
            let requested = self.record.state == ServiceState::Stopping;
            let exit = LastExit {
                at: Timestamp::now(),
                code: None,
                signal: None,
                requested,
                uptime_ms: None,
                source: Some(ExitSource::Unknown),
                signature: None,
            };
            self.store.note(&HistoryLine::Exit { exit: exit.clone() });
            self.store.drop_pid();
            self.record.last_exit = Some(exit);
            self.record.state = ServiceState::Stopped;
            self.keep();
        }
    }

    /// When it became ready, by its history.
    fn last_ready(&self) -> Option<Timestamp> {
        self.store
            .history()
            .iter()
            .rev()
            .find_map(|line| match line {
                HistoryLine::Ready { at } => Some(*at),
                _ => None,
            })
    }
}
