//! What the records of a service mean, on files as they are written.

use std::fs;

use super::super::reading::read;
use super::*;
use crate::sys::place::Root;

struct Runtime(tempfile::TempDir);

impl Runtime {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("supervisor")).unwrap();
        fs::create_dir(dir.path().join("pids")).unwrap();
        Self(dir)
    }

    fn write(self, name: &str, text: &str) -> Self {
        fs::write(self.0.path().join(name), text).unwrap();
        self
    }

    fn look(&self, look: impl Fn(u32) -> Option<LifeSign>) -> RecordedService {
        let records = read(self.0.path(), "litellm", &Root::new(self.0.path()), 32768);
        interpret(&records, "boot", look)
    }
}

fn alive(start_time: u64) -> impl Fn(u32) -> Option<LifeSign> {
    move |_| {
        Some(LifeSign {
            start_time,
            started_at_seconds: Some(1_000),
            is_zombie: false,
            is_configured_program: false,
        })
    }
}

const RECORD: &str = r#"{"v":1,"wanted":"running","state":"ready","restarts":0,
    "run":{"pid":42,"startTime":10,"bootId":"boot","sid":42,"logOffset":7}}"#;

#[test]
fn nothing_on_record_is_not_wanted() {
    let read = Runtime::new().look(alive(1));
    assert_eq!(read, RecordedService::default());
}

#[test]
fn a_record_tells_run_offset_and_exits() {
    let history = concat!(
        r#"{"kind":"spawn","at":"2026-11-24T09:00:00Z","run":{"pid":40,"startTime":5,"bootId":"boot","sid":40}}"#,
        "\n",
        r#"{"kind":"exit","at":"2026-11-24T09:30:00Z","code":3,"uptimeMs":5}"#,
        "\n",
        r#"{"kind":"spawn","at":"2026-11-24T10:00:00Z","run":{"pid":42,"startTime":10,"bootId":"boot","sid":42}}"#,
        "\n",
    );
    let runtime = Runtime::new()
        .write("supervisor/litellm.json", RECORD)
        .write("supervisor/litellm.history.jsonl", history);
    let read = runtime.look(alive(10));
    assert!(read.wanted.running);
    assert_eq!(read.wanted.from.as_deref(), Some("supervisor/litellm.json"));
    let run = read.run.unwrap();
    assert_eq!((run.pid, run.life), (42, RunLife::Alive));
    assert_eq!(read.log_offset, 7);
    assert_eq!(read.exits[0].code, Some(3));
    let runs: Vec<_> = read
        .runs
        .iter()
        .map(|run| (run.pid, run.is_current, run.life))
        .collect();
    assert_eq!(
        runs,
        [(42, true, RunLife::Alive), (40, false, RunLife::Reused)]
    );
    let files: Vec<_> = read
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.claims, file.life))
        .collect();
    assert_eq!(
        files,
        [("supervisor/litellm.json", Some(42), Some(RunLife::Alive))]
    );
}

#[test]
fn readiness_and_silence_of_the_current_run_are_told_apart_from_those_before() {
    let history = concat!(
        r#"{"kind":"ready","at":"2026-11-24T09:00:06Z"}"#,
        "\n",
        r#"{"kind":"spawn","at":"2026-11-24T10:00:00Z","run":{"pid":42,"startTime":10,"bootId":"boot","sid":42}}"#,
        "\n",
    );
    let with = |state: &str, more: &str| {
        let runtime = Runtime::new()
            .write(
                "supervisor/litellm.json",
                &RECORD.replace("\"ready\"", state),
            )
            .write(
                "supervisor/litellm.history.jsonl",
                &format!("{history}{more}"),
            );
        let run = runtime.look(alive(10)).run.unwrap();
        let second = |at: Option<Timestamp>| at.map(|at| at.to_string());
        (second(run.ready_at), second(run.unready_since))
    };
    assert_eq!(with("\"starting\"", ""), (None, None));
    let more = concat!(
        r#"{"kind":"ready","at":"2026-11-24T10:00:06Z"}"#,
        "\n",
        r#"{"kind":"unready","at":"2026-11-24T11:00:00Z"}"#,
        "\n",
    );
    let ready = Some("2026-11-24T10:00:06Z".to_owned());
    assert_eq!(
        with("\"unready\"", more),
        (ready.clone(), Some("2026-11-24T11:00:00Z".to_owned()))
    );
    assert_eq!(with("\"ready\"", more), (ready, None));
}

#[test]
fn a_bare_pid_is_believed_when_its_start_time_fits() {
    let runtime = Runtime::new().write("pids/litellm.pid", "42");
    let read = runtime.look(alive(10));
    assert!(read.wanted.running);
    assert_eq!(read.run.unwrap().life, RunLife::Reused);
    assert_eq!(read.runs[0].session, None);
    let json = r#"{"pid":42,"started_at":"1970-01-01T00:16:41+00:00","command":[],"cwd":"/"}"#;
    let read = Runtime::new()
        .write("pids/litellm.pid", json)
        .look(alive(10));
    assert_eq!(read.run.unwrap().life, RunLife::Alive);
    assert_eq!(read.runs[0].session, Some(42));
}

#[test]
fn a_broken_record_is_told_and_takes_nothing_else_down() {
    let runtime = Runtime::new()
        .write("supervisor/litellm.json", "{\"v\":1,")
        .write("pids/litellm.pid", "-1");
    let read = runtime.look(alive(10));
    assert_eq!(read.run, None);
    assert!(read.wanted.running);
    assert_eq!(read.files.len(), 2);
    assert_eq!(read.files[0].path, "supervisor/litellm.json");
    let fault = read.files[0].fault.as_deref().unwrap();
    assert!(fault.starts_with("is no record"), "{fault}");
}

#[test]
fn a_name_that_is_no_file_name_reads_nothing() {
    let runtime = Runtime::new().write("pids/litellm.pid", "42");
    for name in [
        "../pids/litellm",
        "/etc/passwd",
        "",
        ".",
        "..",
        "a/b",
        "a\0b",
    ] {
        let records = read(runtime.0.path(), name, &Root::new("/"), 32768);
        assert!(records.pid_file.is_none() && records.record.is_none());
    }
}
