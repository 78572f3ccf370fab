//! All records of one service, as they are read.

use std::path::{Component, Path};

use super::history::{HistoryLine, parse_history};
use super::pid_file::{PidFile, parse_pid_file};
use super::record::{RecordError, ServiceRecord, parse_record};
use crate::sys::place::Root;
use crate::sys::read::{self, ReadError};

/// A record is smaller by far; the digests of a large config are most of it.
const RECORD_LIMIT: u64 = 1024 * 1024;

/// The history is kept below this.
const HISTORY_LIMIT: u64 = 256 * 1024;

/// What the files say of one service.
#[derive(Debug, Default)]
pub struct ServiceRecords {
    /// `supervisor/<service>.json`, as shown and as read.
    pub record: Option<(String, Result<ServiceRecord, RecordError>)>,
    /// Its history, oldest first.
    pub history: Vec<HistoryLine>,
    /// `pids/<service>.pid`, as shown and as read.
    pub pid_file: Option<(String, Result<PidFile, RecordError>)>,
}

/// Reads the records of a service below the runtime dir. What is not there is left out; a name that
/// is no file name has no records.
pub fn read(runtime_dir: &Path, service: &str, root: &Root, pid_limit: u32) -> ServiceRecords {
    let mut records = read_current(runtime_dir, service, root, pid_limit);
    if is_file_name(service) {
        records.history = read_history(&runtime_dir.join("supervisor"), service);
    }
    records
}

/// The same without the history, which is long: what the service is doing now.
pub fn read_current(
    runtime_dir: &Path,
    service: &str,
    root: &Root,
    pid_limit: u32,
) -> ServiceRecords {
    if !is_file_name(service) {
        return ServiceRecords::default();
    }
    let record = runtime_dir
        .join("supervisor")
        .join(format!("{service}.json"));
    let pid_file = runtime_dir.join("pids").join(format!("{service}.pid"));
    ServiceRecords {
        record: read_one(&record, root, parse_record),
        history: Vec::new(),
        pid_file: read_one(&pid_file, root, |bytes| parse_pid_file(bytes, pid_limit)),
    }
}

fn is_file_name(service: &str) -> bool {
    let mut components = Path::new(service).components();
    let is_one = matches!(
        (components.next(), components.next()),
        (Some(Component::Normal(_)), None)
    );
    is_one && !service.contains('\0')
}

fn read_history(supervisor: &Path, service: &str) -> Vec<HistoryLine> {
    let history = |name: String| {
        read::tail(&supervisor.join(name), 0, HISTORY_LIMIT)
            .map(|(bytes, _)| parse_history(&bytes))
            .unwrap_or_default()
    };
    let mut lines = history(format!("{service}.history.jsonl.1"));
    lines.extend(history(format!("{service}.history.jsonl")));
    lines
}

type Read<T> = Option<(String, Result<T, RecordError>)>;

fn read_one<T>(
    path: &Path,
    root: &Root,
    parse: impl Fn(&[u8]) -> Result<T, RecordError>,
) -> Read<T> {
    let read = match read::whole(path, RECORD_LIMIT) {
        Ok(bytes) => parse(&bytes),
        Err(ReadError::Missing) => return None,
        Err(error) => Err(error.into()),
    };
    Some((root.show(path), read))
}
