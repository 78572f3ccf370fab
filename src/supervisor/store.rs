//! What is kept of a service on disk: its record, its history, its pid file, its events.

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use super::places::Places;
use super::records::{HistoryLine, ServiceRecord, parse_history};
use crate::sys::event_log::{self, Event};
use crate::sys::read;
use crate::sys::write::{self, Modes, WriteError};

/// A history that would get longer is put aside, over the one before it.
const HISTORY: u64 = 256 * 1024;

/// No line of the history is longer.
const LINE: usize = 4096;

/// The files of one service.
#[derive(Debug, Clone)]
pub struct Store {
    places: Places,
    service: String,
    /// `paths.log_file`; none until a config was read.
    log_file: Option<PathBuf>,
}

impl Store {
    /// The files of a service.
    pub fn new(places: Places, service: &str) -> Self {
        Self {
            places,
            service: service.to_owned(),
            log_file: None,
        }
    }

    /// Where the events go from now on.
    pub fn set_log_file(&mut self, log_file: PathBuf) {
        self.log_file = Some(log_file);
    }

    /// The output of the service.
    pub fn log(&self) -> PathBuf {
        self.places.log(&self.service)
    }

    /// Writes the record; it is there whole or as it was.
    ///
    /// # Errors
    /// [`WriteError`], as for a full disk.
    pub fn save(&self, record: &ServiceRecord) -> Result<(), WriteError> {
        let path = self.places.record(&self.service);
        write::replace(&path, &json(record), Modes::SECRET, None)
    }

    /// The same without waiting for the disk: it outlives this process, and a cut of the power only
    /// when the disk was faster.
    ///
    /// # Errors
    /// [`WriteError`], as for a full disk.
    pub fn save_soon(&self, record: &ServiceRecord) -> Result<(), WriteError> {
        let path = self.places.record(&self.service);
        write::replace_soon(&path, &json(record), Modes::SECRET)
    }

    /// The newer of the two files of its history, oldest line first.
    pub fn history(&self) -> Vec<HistoryLine> {
        read::tail(&self.places.history(&self.service), 0, HISTORY)
            .map(|(bytes, _)| parse_history(&bytes))
            .unwrap_or_default()
    }

    /// Adds a line to the history. A history that cannot be written stops no service.
    pub fn note(&self, line: &HistoryLine) {
        let Some(text) = fitting(line) else {
            return;
        };
        let path = self.places.history(&self.service);
        let length = path.metadata().map_or(0, |facts| facts.len());
        if length + text.len() as u64 + 1 > HISTORY {
            let _ = put_aside(&path);
        }
        let _ = write::append_line(&path, &text, Modes::SECRET);
    }

    /// Notes a decision.
    pub fn decide(&self, decision: &str, reason: Option<String>) {
        self.note(&HistoryLine::Decision {
            at: Timestamp::now(),
            decision: decision.to_owned(),
            reason,
        });
    }

    /// Writes the pid file that others read, in the form of the later original. The command may
    /// hold a key, so it is for this user alone.
    pub fn keep_pid(&self, pid: u32, started_at: Timestamp, command: &[String], cwd: &str) {
        #[derive(Serialize)]
        struct PidFile<'a> {
            pid: u32,
            started_at: String,
            command: &'a [String],
            cwd: &'a str,
        }
        let text = json(&PidFile {
            pid,
            started_at: event_log::stamp(started_at),
            command,
            cwd,
        });
        let path = self.places.pid_file(&self.service);
        // The record is what flowgate itself believes.
        let _ = write::replace_soon(&path, &text, Modes::PRIVATE);
    }

    /// Removes the pid file.
    pub fn drop_pid(&self) {
        let _ = std::fs::remove_file(self.places.pid_file(&self.service));
    }

    /// Adds an event to the log of events; as in the original, a log that cannot be written is no
    /// reason to fail.
    pub fn event(&self, event: &str, result: &str, detail: Option<&str>) {
        let Some(log_file) = &self.log_file else {
            return;
        };
        let event = Event {
            event,
            service: Some(&self.service),
            profile: None,
            provider: None,
            result,
            detail,
        };
        let _ = event_log::append(log_file, Timestamp::now(), &event);
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Records are plain structs, which always serialise.
    let mut bytes = serde_json::to_vec(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// The line, its digests and variables left out when it would be too long for one write.
fn fitting(line: &HistoryLine) -> Option<String> {
    let text = serde_json::to_string(line).ok()?;
    if text.len() < LINE {
        return Some(text);
    }
    let HistoryLine::Spawn { at, run } = line else {
        return None;
    };
    let mut run = run.clone();
    run.digests.clear();
    run.variables.clear();
    let shorter = serde_json::to_string(&HistoryLine::Spawn { at: *at, run }).ok()?;
    (shorter.len() < LINE).then_some(shorter)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a history is put aside whole; nothing is written"
)]
fn put_aside(path: &std::path::Path) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".1");
    std::fs::rename(path, aside)
}

#[cfg(test)]
mod tests {
    use super::super::records;
    use super::*;
    use crate::sys::place::Root;

    fn store(dir: &tempfile::TempDir) -> Store {
        let places = Places::new(dir.path());
        places.make().unwrap();
        Store::new(places, "litellm")
    }

    #[test]
    fn a_history_stays_in_two_files_of_bounded_size() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir);
        let reason = "x".repeat(3000);
        for _ in 0..200 {
            store.decide("test", Some(reason.clone()));
        }
        let sizes: Vec<u64> = ["litellm.history.jsonl", "litellm.history.jsonl.1"]
            .iter()
            .map(|name| dir.path().join("supervisor").join(name))
            .map(|path| path.metadata().unwrap().len())
            .collect();
        assert!(
            sizes.iter().all(|size| *size > 3000 && *size <= HISTORY),
            "{sizes:?}"
        );
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir);
        store.decide("give-up", None);
        store.keep_pid(4242, Timestamp::UNIX_EPOCH, &["a".into()], "/");
        let root = Root::new(dir.path());
        let read = records::read(dir.path(), "litellm", &root, 4_194_304);
        assert_eq!(read.history.len(), 1);
        assert_eq!(read.pid_file.unwrap().1.unwrap().pid, 4242);
        store.drop_pid();
        let read = records::read(dir.path(), "litellm", &root, 4_194_304);
        assert!(read.pid_file.is_none());
    }
}
