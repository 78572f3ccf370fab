//! Records and logs as flowgate's supervisor would have left them, had it started the services.

use std::fs;
use std::path::{Path, PathBuf};

use flowgate::gather::logs;
use flowgate::supervisor::records::{
    self, HistoryLine, LastExit, LifeSign, RECORD_VERSION, RecordedService, RunRecord,
    ServiceRecord, ServiceState,
};
use flowgate_checks::model::{LogTail, Observed};

use crate::frame::BOOT;
use crate::recording::{ROOT, Started, Which, start_time};
use crate::stage::Stage;
use crate::write;

/// So many lines of a log are kept: the scenarios should stay readable.
const LINES: usize = 60;

/// Writes record, history and log of a service and reads them as a look does.
pub fn of(stage: &Stage<'_>, service: &str) -> (RecordedService, Observed<LogTail>) {
    let runtime = stage.inside(&Path::new(ROOT).join(".router/runtime"));
    fs::create_dir_all(runtime.join("supervisor")).unwrap();
    fs::create_dir_all(runtime.join("process-logs")).unwrap();
    let runs: Vec<&Started> = stage.recording.runs(service).collect();
    let Some((last, earlier)) = runs.split_last() else {
        return (RecordedService::default(), Observed::NotAsked);
    };
    let before: String = earlier.iter().map(|run| log_of(stage, run)).collect();
    let now = log_of(stage, last);
    let log = log_file(stage, service);
    if last.pid.is_some() {
        write(&log, &format!("{before}{now}"));
    }
    write_record(stage, &runtime, service, &runs, before.len() as u64);

    let recorded = records::interpret(
        &records::read(&runtime, service, &stage.root, 1 << 22),
        BOOT,
        |pid| life_sign(stage, pid),
    );
    let tail = logs::tail(&log, recorded.log_offset, &stage.root, &stage.redactor);
    (recorded, shortened(tail))
}

/// The log that takes the output of a service, in the temp dir.
pub fn log_file(stage: &Stage<'_>, service: &str) -> PathBuf {
    stage.inside(
        &Path::new(ROOT)
            .join(".router/runtime/process-logs")
            .join(format!("{service}.log")),
    )
}

fn write_record(
    stage: &Stage<'_>,
    runtime: &Path,
    service: &str,
    runs: &[&Started],
    log_offset: u64,
) {
    let mut history = Vec::new();
    let mut record = ServiceRecord {
        v: RECORD_VERSION,
        wanted: true,
        state: ServiceState::Unknown,
        run: None,
        restarts: 0,
        next_try_at: None,
        last_exit: None,
        last_ready: None,
    };
    for run in runs {
        if let Some(spawned) = run_record(stage, run, log_offset) {
            let at = spawned.started_at.unwrap();
            history.push(HistoryLine::Spawn {
                at,
                run: spawned.clone(),
            });
            record.run = Some(spawned);
        }
        record.last_exit = exit(stage, run);
        history.extend(
            record
                .last_exit
                .clone()
                .map(|exit| HistoryLine::Exit { exit }),
        );
    }
    let supervisor = runtime.join("supervisor");
    let text = serde_json::to_string(&record).unwrap();
    write(&supervisor.join(format!("{service}.json")), &text);
    let lines: String = history
        .iter()
        .map(|line| serde_json::to_string(line).unwrap() + "\n")
        .collect();
    write(&supervisor.join(format!("{service}.history.jsonl")), &lines);
}

/// Every service of the recordings was the leader of a session of its own.
fn run_record(stage: &Stage<'_>, run: &Started, log_offset: u64) -> Option<RunRecord> {
    Some(RunRecord {
        id: None,
        pid: run.pid?,
        start_time: start_time(run.started_t),
        boot_id: BOOT.into(),
        sid: run.pid,
        exe: Some(run.argv[0].clone()),
        digests: Default::default(),
        binary_digest: None,
        variables: Vec::new(),
        started_at: Some(stage.recording.time(run.started_t)),
        log_offset,
    })
}

fn exit(stage: &Stage<'_>, run: &Started) -> Option<LastExit> {
    let lived = run.seconds_till_exit?;
    run.has_ended_by(stage.recording.moment.t)
        .then(|| LastExit {
            at: stage.recording.time(run.started_t + lived),
            code: run.exit_code,
            signal: run
                .signal
                .as_ref()
                .map(|name| name.trim_start_matches("SIG").to_owned()),
            requested: run.stopped_by_lab.is_some(),
            uptime_ms: Some((lived * 1000.0) as u64),
            source: None,
            signature: None,
        })
}

fn life_sign(stage: &Stage<'_>, pid: u32) -> Option<LifeSign> {
    let recording = stage.recording;
    let running = recording
        .moment
        .processes
        .iter()
        .find(|one| one.stat.pid == pid)?;
    let run = recording.started.iter().find(|run| run.pid == Some(pid))?;
    Some(LifeSign {
        start_time: start_time(run.started_t),
        started_at_seconds: Some(recording.time(run.started_t).as_second()),
        is_zombie: running.stat.is_dead(),
        is_configured_program: true,
    })
}

/// What a run wrote until the moment. Both streams go into one file, which the recording kept apart:
/// standard output up to the first request, standard error, then the requests.
fn log_of(stage: &Stage<'_>, run: &Started) -> String {
    let part = |stream: &str| {
        let name = format!("logs/{}.{stream}.log", run.service);
        stage.recording.text(&name).unwrap_or_default()
    };
    let (out, err) = (part("stdout"), part("stderr"));
    let is_request = |line: &&str| line.contains("[GIN]") || line.contains(" HTTP/1.1\" ");
    let lines: Vec<&str> = out.lines().collect();
    let first = lines.iter().position(is_request).unwrap_or(lines.len());
    let (banner, requests) = lines.split_at(first);
    if stage.case.moment == Which::First {
        // The program that was ready by then had written its banner, the other one nothing yet.
        let is_ready = run.flowgate_name() == Some("cliproxyapi_plus");
        return if is_ready {
            together(&[banner])
        } else {
            String::new()
        };
    }
    let err: Vec<&str> = err.lines().collect();
    together(&[banner, &err, requests])
}

fn together(parts: &[&[&str]]) -> String {
    parts
        .concat()
        .iter()
        .map(|line| format!("{line}\n"))
        .collect()
}

fn shortened(tail: Observed<LogTail>) -> Observed<LogTail> {
    let Observed::Known(mut tail) = tail else {
        return tail;
    };
    let over = tail.lines.len().saturating_sub(LINES);
    tail.lines.drain(..over);
    tail.cut |= over > 0;
    Observed::Known(tail)
}
