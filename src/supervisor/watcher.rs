//! Which supervisor watches the services, without asking it.

use std::path::Path;

use serde::Serialize;

use super::lock;
use super::places::Places;
use crate::platform;

/// The supervisor of a runtime dir.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Watcher {
    /// Whether it lives.
    pub state: WatcherState,
    /// Its pid, while it lives.
    pub pid: Option<u32>,
    /// Version of its flowgate, while it lives.
    pub version: Option<String>,
}

/// Whether a supervisor lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WatcherState {
    /// It lives.
    Running,
    /// None lives; services that it started may go on without it.
    #[default]
    Stopped,
}

/// The supervisor that the lock file names, when the process with that pid and start time lives.
pub fn watcher(runtime_dir: &Path) -> Watcher {
    let live = lock::holder(&Places::new(runtime_dir))
        .filter(|holder| platform::is_alive(holder.pid, holder.start_time));
    match live {
        Some(holder) => Watcher {
            state: WatcherState::Running,
            pid: Some(holder.pid),
            version: Some(holder.version),
        },
        None => Watcher::default(),
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the file that is read"
)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_is_believed_while_its_process_lives() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(watcher(dir.path()), Watcher::default());
        std::fs::create_dir(dir.path().join("supervisor")).unwrap();
        let pid = std::process::id();
        let start_time = platform::process_stat(pid).unwrap().start_time;
        for (start_time, state) in [
            (start_time, WatcherState::Running),
            (start_time + 1, WatcherState::Stopped),
        ] {
            let text = format!(r#"{{"pid":{pid},"startTime":{start_time},"version":"0.1.0"}}"#);
            std::fs::write(Places::new(dir.path()).lock(), text).unwrap();
            assert_eq!(watcher(dir.path()).state, state);
        }
        std::fs::write(Places::new(dir.path()).lock(), "{").unwrap();
        assert_eq!(watcher(dir.path()).pid, None);
    }
}
