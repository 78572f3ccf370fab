//! kill -9 at every line of a journal: the old state, or a run that is found and taken back.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::{Signal, getpid, kill_process};
use serde_json::Value;

use crate::gateway::{Gateway, roots};
use crate::inside::{self, AtLine};
use crate::state::{differences, state};
use crate::stranger::Stranger;

/// Edits in three files, one of them written into in place.
pub const FIX: &str = "move-port:cliproxyapi_plus";

/// A gateway of which nothing runs, with a stranger on the port of its CLIProxyAPIPlus.
pub fn with_stranger() -> (Gateway, Stranger) {
    let gateway = Gateway::new();
    let stranger = Stranger::on(gateway.proxy);
    (gateway, stranger)
}

/// Not a test by itself: the repair that is killed, in a process of its own.
#[test]
#[ignore = "the other tests here run it as a process of its own"]
fn the_repair_that_is_killed() {
    let word = |name: &str| std::env::var(name).unwrap();
    let config = PathBuf::from(word("REPAIR_CONFIG"));
    let line: usize = word("REPAIR_LINE").parse().unwrap();
    let is_behind = word("REPAIR_WHEN") == "behind";
    let die: AtLine = Arc::new(move |number, _| {
        // Behind a line is before the next one: what it announces has happened by then.
        if number == line + usize::from(is_behind) {
            kill_process(getpid(), Signal::KILL)?;
            return Err(io::Error::other("a killed process goes on"));
        }
        Ok(())
    });
    inside::run(&config, FIX, die).unwrap();
}

/// Runs the repair in a process of its own; whether it was killed.
#[expect(clippy::disallowed_methods, reason = "a test runs itself as a process")]
pub fn is_killed(config: &Path, line: usize, when: &str) -> bool {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::the_repair_that_is_killed", "--ignored"])
        .env("REPAIR_CONFIG", config)
        .env("REPAIR_LINE", line.to_string())
        .env("REPAIR_WHEN", when)
        .output()
        .unwrap();
    let killed = output.status.signal() == Some(9);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(killed || output.status.success(), "{text}");
    killed
}

fn is_unfinished(document: &Value) -> bool {
    let key = "supervisor/unfinished-repair:supervisor";
    roots(document).iter().any(|root| root == key)
}

#[test]
fn a_repair_that_is_killed_at_any_line_leaves_the_old_state_or_is_taken_back() {
    let (gateway, mut stranger) = with_stranger();
    let config = gateway.path("config/flowgate.yaml");
    let before = state(&gateway.path("."));
    let (mut unfinished, mut line) = (0, 0);
    while is_killed(&config, line, "before") {
        let is_half_done = is_unfinished(&gateway.doctor(&[]));
        if is_half_done {
            unfinished += 1;
            // By both ways in turn: the same code.
            if line % 2 == 0 {
                let document = gateway.doctor(&["--fix=safe"]);
                let run = &document["repair"]["rounds"][0]["runs"][0];
                assert_eq!(run["state"], "recovered", "line {line}: {run:#}");
            } else {
                let said = gateway.flowgate(&["doctor", "undo"]);
                assert_eq!(said.code, 0, "line {line}: {}{}", said.out, said.err);
            }
            assert!(!is_unfinished(&gateway.doctor(&[])), "line {line}");
        }
        let changed = differences(&before, &state(&gateway.path(".")));
        assert_eq!(changed, Vec::<String>::new(), "line {line}");
        line += 1;
    }
    // One line before and one behind each of at least five steps, and one for the end.
    assert!(line >= 11, "{line} lines");
    assert_eq!(
        unfinished,
        line - 1,
        "only before its first line nothing was begun"
    );
    // The one that was not killed has a journal of as many lines as there were kills.
    let runs = gateway.path(".router/runtime/doctor/runs");
    let ids = std::fs::read_dir(&runs).unwrap();
    let newest: u64 = ids
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .max()
        .unwrap();
    let journal = crate::process::read(&runs.join(format!("{newest}/journal.jsonl")));
    assert_eq!(journal.lines().count(), line, "{journal}");
    // It was kept, and is taken back as a whole.
    assert_ne!(
        differences(&before, &state(&gateway.path("."))),
        Vec::<String>::new()
    );
    assert_eq!(gateway.flowgate(&["doctor", "undo"]).code, 0);
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        Vec::<String>::new()
    );
    assert!(stranger.is_well());
}

#[test]
fn taking_back_that_is_killed_is_taken_back_again() {
    let (gateway, _stranger) = with_stranger();
    let config = gateway.path("config/flowgate.yaml");
    let before = state(&gateway.path("."));
    // After the fourth line the disk is full for the journal: the run is taken back by itself, and
    // killed at each line of that.
    for line in 0..6 {
        assert!(is_killed(&config, 8, "before"));
        assert!(is_undo_killed(&config, line));
        assert!(is_unfinished(&gateway.doctor(&[])), "line {line}");
        let said = gateway.flowgate(&["doctor", "undo"]);
        assert_eq!(said.code, 0, "line {line}: {}{}", said.out, said.err);
        let changed = differences(&before, &state(&gateway.path(".")));
        assert_eq!(changed, Vec::<String>::new(), "line {line}");
    }
}

/// Not a test by itself: an undo that is killed.
#[test]
#[ignore = "the other tests here run it as a process of its own"]
fn the_undo_that_is_killed() {
    let config = PathBuf::from(std::env::var("REPAIR_CONFIG").unwrap());
    let line: usize = std::env::var("REPAIR_LINE").unwrap().parse().unwrap();
    let die: AtLine = Arc::new(move |number, _| {
        if number == line {
            kill_process(getpid(), Signal::KILL)?;
        }
        Ok(())
    });
    inside::run(&config, "finish-roll-back", die).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a test runs itself as a process")]
fn is_undo_killed(config: &Path, line: usize) -> bool {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::the_undo_that_is_killed", "--ignored"])
        .env("REPAIR_CONFIG", config)
        .env("REPAIR_LINE", line.to_string())
        .output()
        .unwrap();
    output.status.signal() == Some(9)
}
