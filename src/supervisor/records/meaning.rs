//! What the records of a service mean, in the words of the snapshot.

use std::collections::BTreeMap;

use flowgate_checks::model::{Exit, RecordFile, Run, RunLife, RunSource, Tries, Wanted};
use jiff::Timestamp;

use super::history::HistoryLine;
use super::last_ready::LastReady;
use super::life::{LifeSign, life_of};
use super::pid_file::PidFile;
use super::reading::ServiceRecords;
use super::record::{LastExit, RecordError, RunRecord, ServiceRecord, ServiceState};

/// So many exits are told.
const EXITS: usize = 5;

/// A start that a pid file names and the start of the process at its pid lie at most so far apart,
/// in seconds: one is written when the process was made, the other counts in whole seconds of the clock.
const START_SLACK: i64 = 3;

/// A process that flowgate made, with the session that is its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRun {
    /// Main process.
    pub pid: u32,
    /// Its start time; none from a bare pid file.
    pub start_time: Option<u64>,
    /// Boot in which it was started; none from a bare pid file.
    pub boot_id: Option<String>,
    /// Its session.
    pub session: Option<u32>,
    /// Whether it is the run that the record names as the current one.
    pub is_current: bool,
    /// What became of its main process.
    pub life: RunLife,
}

/// What the records of a service say, in the words of the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordedService {
    /// Whether it should run.
    pub wanted: Wanted,
    /// Its recorded run.
    pub run: Option<Run>,
    /// What its supervisor does about a service that ended by itself.
    pub tries: Option<Tries>,
    /// Its last exits, newest first.
    pub exits: Vec<Exit>,
    /// Where its log of this run begins.
    pub log_offset: u64,
    /// Every run that is on record, the current one first.
    pub runs: Vec<RecordedRun>,
    /// The files that record it.
    pub files: Vec<RecordFile>,
    /// The digests of its configs at the start of its recorded run (`config::entries::digests`);
    /// empty when none were recorded.
    pub digests: BTreeMap<String, String>,
    /// With what it was ready last.
    pub last_ready: Option<LastReady>,
    /// Digest of the program of its last run.
    pub binary_digest: Option<String>,
    /// The names of the variables of its last run.
    pub variables: Vec<String>,
}

/// What the records say; `look` tells of the process that has a pid now.
///
/// Wanted is what the record says; without one, that a pid file of the original is there (FINDINGS).
pub fn interpret(
    records: &ServiceRecords,
    boot_id: &str,
    look: impl Fn(u32) -> Option<LifeSign>,
) -> RecordedService {
    let mut out = RecordedService {
        exits: exits(records),
        ..RecordedService::default()
    };
    match (&records.record, &records.pid_file) {
        (Some((path, Ok(record))), _) => {
            out.wanted = Wanted {
                running: record.wanted,
                from: Some(path.clone()),
            };
            out.tries = tries(record);
            out.last_ready.clone_from(&record.last_ready);
            if let Some(run) = &record.run {
                out.log_offset = run.log_offset;
                out.digests.clone_from(&run.digests);
                out.binary_digest.clone_from(&run.binary_digest);
                out.variables.clone_from(&run.variables);
                let recorded = recorded_run(run, true, boot_id, &look);
                out.run = Some(Run {
                    pid: run.pid,
                    session: run.sid,
                    started_at: run.started_at,
                    ready_at: ready_at(records),
                    unready_since: unready_since(records, record),
                    source: RunSource::Record,
                    life: recorded.life,
                });
                out.runs.push(recorded);
            }
        }
        (_, Some((path, pid_file))) => {
            out.wanted = Wanted {
                running: true,
                from: Some(path.clone()),
            };
            if let Ok(pid_file) = pid_file {
                let recorded = bare_run(pid_file, boot_id, &look);
                out.run = Some(Run {
                    pid: pid_file.pid,
                    session: recorded.session,
                    started_at: pid_file.started_at,
                    ready_at: None,
                    unready_since: None,
                    source: RunSource::PidFile,
                    life: recorded.life,
                });
                out.runs.push(recorded);
            }
        }
        _ => {}
    }
    for line in records.history.iter().rev() {
        if let HistoryLine::Spawn { run, .. } = line {
            let earlier = recorded_run(run, false, boot_id, &look);
            let is_known = out
                .runs
                .iter()
                .any(|known| (known.pid, known.start_time) == (earlier.pid, earlier.start_time));
            if !is_known {
                out.runs.push(earlier);
            }
        }
    }
    out.files = files(records, boot_id, &look);
    out
}

/// The files that record a service, with the run that each says to be going on.
fn files(
    records: &ServiceRecords,
    boot_id: &str,
    look: &impl Fn(u32) -> Option<LifeSign>,
) -> Vec<RecordFile> {
    let record = records.record.iter().map(|(path, read)| match read {
        Ok(record) => {
            let run = record.run.as_ref().filter(|_| says_running(record));
            file(path, run.map(|run| recorded_run(run, true, boot_id, look)))
        }
        Err(error) => faulty(path, error),
    });
    let pid_file = records.pid_file.iter().map(|(path, read)| match read {
        Ok(pid_file) => file(path, Some(bare_run(pid_file, boot_id, look))),
        Err(error) => faulty(path, error),
    });
    record.chain(pid_file).collect()
}

/// Whether a record says that its run is going on.
fn says_running(record: &ServiceRecord) -> bool {
    use ServiceState::{Ready, Starting, Stopping, Unready};
    matches!(record.state, Starting | Ready | Unready | Stopping)
}

fn file(path: &str, run: Option<RecordedRun>) -> RecordFile {
    RecordFile {
        path: path.to_owned(),
        fault: None,
        claims: run.as_ref().map(|run| run.pid),
        life: run.map(|run| run.life),
    }
}

fn faulty(path: &str, error: &RecordError) -> RecordFile {
    RecordFile {
        path: path.to_owned(),
        fault: Some(error.to_string()),
        claims: None,
        life: None,
    }
}

fn recorded_run(
    run: &RunRecord,
    is_current: bool,
    boot_id: &str,
    look: &impl Fn(u32) -> Option<LifeSign>,
) -> RecordedRun {
    let recorded = Some((run.start_time, run.boot_id.as_str()));
    RecordedRun {
        pid: run.pid,
        start_time: Some(run.start_time),
        boot_id: Some(run.boot_id.clone()),
        session: run.sid,
        is_current,
        life: life_of(recorded, boot_id, look(run.pid).as_ref()),
    }
}

/// The original started each service in a session of its own, so the session is the pid.
fn bare_run(
    pid_file: &PidFile,
    boot_id: &str,
    look: &impl Fn(u32) -> Option<LifeSign>,
) -> RecordedRun {
    let now = look(pid_file.pid).map(|mut sign| {
        if let (Some(named), Some(real)) = (pid_file.started_at, sign.started_at_seconds) {
            sign.is_configured_program |= (named.as_second() - real).abs() <= START_SLACK;
        }
        sign
    });
    let life = life_of(None, boot_id, now.as_ref());
    let is_itself = matches!(life, RunLife::Alive | RunLife::Zombie);
    RecordedRun {
        pid: pid_file.pid,
        start_time: now.filter(|_| is_itself).map(|sign| sign.start_time),
        boot_id: None,
        session: is_itself.then_some(pid_file.pid),
        is_current: true,
        life,
    }
}

/// When the run that began last became ready.
fn ready_at(records: &ServiceRecords) -> Option<Timestamp> {
    let lines = records.history.iter().rev();
    lines
        .take_while(|line| !matches!(line, HistoryLine::Spawn { .. }))
        .filter_map(|line| match line {
            HistoryLine::Ready { at } => Some(*at),
            _ => None,
        })
        .last()
}

/// Since when a service that is recorded as unready gives no answer.
fn unready_since(records: &ServiceRecords, record: &ServiceRecord) -> Option<Timestamp> {
    if record.state != ServiceState::Unready {
        return None;
    }
    records.history.iter().rev().find_map(|line| match line {
        HistoryLine::Unready { at } => Some(*at),
        _ => None,
    })
}

fn tries(record: &ServiceRecord) -> Option<Tries> {
    let is_crash_loop = record.state == ServiceState::CrashLoop;
    (is_crash_loop || record.state == ServiceState::Backoff || record.restarts > 0).then_some(
        Tries {
            is_crash_loop,
            restarts: record.restarts,
            next_try_at: record.next_try_at,
        },
    )
}

fn exits(records: &ServiceRecords) -> Vec<Exit> {
    let mut exits: Vec<Exit> = records
        .history
        .iter()
        .filter_map(|line| match line {
            HistoryLine::Exit { exit } => Some(exit_of(exit)),
            _ => None,
        })
        .collect();
    if let Some((_, Ok(record))) = &records.record
        && let Some(last) = &record.last_exit
        && !exits.iter().any(|exit| exit.at == last.at)
    {
        exits.push(exit_of(last));
    }
    exits.sort_by_key(|exit| std::cmp::Reverse(exit.at));
    exits.truncate(EXITS);
    exits
}

fn exit_of(exit: &LastExit) -> Exit {
    Exit {
        at: exit.at,
        code: exit.code,
        signal: exit.signal.clone(),
        requested: exit.requested,
        uptime_ms: exit.uptime_ms,
        source: exit.source,
        signature: exit.signature.clone(),
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the files that are read"
)]
#[path = "meaning_tests.rs"]
mod tests;
