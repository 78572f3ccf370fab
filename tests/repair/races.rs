//! What others do between the plan and the step: nothing of theirs is changed.

use std::io;
use std::sync::{Arc, Mutex};

use flowgate::report::Report;
use flowgate::report::repair::{Run, RunState};

use crate::crash::{FIX, with_stranger};
use crate::gateway::{Gateway, run_in, token};
use crate::inside::{self, AtLine};
use crate::process::{read, write};
use crate::state::{differences, state};

const TOKEN: &str = ".router/auths/codex-ana@example.com.json";

fn only_run(report: &Report) -> Run {
    let runs: Vec<&Run> = report.repair.as_ref().unwrap().runs().collect();
    assert_eq!(runs.len(), 1, "{runs:#?}");
    runs[0].clone()
}

/// Something that happens once, at the intent of the step of this number.
fn at_intent(step: usize, what: impl Fn() + Send + Sync + 'static) -> AtLine {
    let has_happened = Mutex::new(false);
    Arc::new(move |_, line| {
        let is_it = line.contains("\"intent\"") && line.contains(&format!("\"step\":{step}"));
        let mut has_happened = has_happened.lock().unwrap();
        if is_it && !*has_happened {
            *has_happened = true;
            what();
        }
        Ok(())
    })
}

#[test]
fn a_file_that_is_changed_meanwhile_is_left_to_its_owner() {
    let (gateway, _stranger) = with_stranger();
    let config = gateway.path("config/flowgate.yaml");
    let before = state(&gateway.path("."));
    let edited = config.clone();
    let edit = at_intent(2, move || {
        let text = read(&edited);
        write(&edited, &format!("{text}# by hand\n"), 0o644);
    });
    let report = inside::run(&config, FIX, edit).unwrap();
    let run = only_run(&report);
    assert_eq!(run.state, RunState::RolledBack, "{run:#?}");
    assert!(run.reason.unwrap().contains("was changed meanwhile"));
    // The steps before are on the very file that was edited: they cannot be taken back either, and
    // that is said.
    assert!(run.restored.unwrap().contains("left as it is"));
    assert!(read(&config).ends_with("# by hand\n"));
    let changed = differences(&before, &state(&gateway.path(".")));
    assert_eq!(changed, ["config/flowgate.yaml"]);
}

#[test]
fn a_symlink_that_is_swapped_in_is_not_followed() {
    let gateway = Gateway::running();
    gateway.expose_token();
    let victim = gateway.path("victim.json");
    write(&victim, &token("2099-01-01T00:00:00Z"), 0o644);
    let (path, target) = (gateway.path(TOKEN), victim.clone());
    let swap = at_intent(0, move || {
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
    });
    let config = gateway.path("config/flowgate.yaml");
    let report = inside::run(&config, &format!("set-mode:{TOKEN}"), swap).unwrap();
    let run = only_run(&report);
    assert_eq!(run.state, RunState::RolledBack, "{run:#?}");
    assert!(run.reason.unwrap().contains("symlink"));
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&victim).unwrap().permissions());
    assert_eq!(
        mode & 0o777,
        0o644,
        "the file of somebody else keeps its mode"
    );
}

#[test]
fn another_file_of_the_same_name_keeps_its_mode() {
    let gateway = Gateway::running();
    gateway.expose_token();
    let path = gateway.path(TOKEN);
    let other = gateway.path("other.json");
    write(&other, "{}", 0o644);
    let swap = at_intent(0, move || rustix::fs::rename(&other, &path).unwrap());
    let config = gateway.path("config/flowgate.yaml");
    let report = inside::run(&config, &format!("set-mode:{TOKEN}"), swap).unwrap();
    let run = only_run(&report);
    assert_eq!(run.state, RunState::RolledBack, "{run:#?}");
    assert!(run.reason.unwrap().contains("another file"));
}

#[test]
fn the_second_doctor_is_told_who_is_first() {
    let (gateway, _stranger) = with_stranger();
    let config = gateway.path("config/flowgate.yaml");
    let heard = Arc::new(Mutex::new(None));
    let (root, said) = (gateway.path("."), heard.clone());
    let second = at_intent(1, move || {
        let answer = run_in(&root, &["doctor", "--fix=all", "--yes"], &[]);
        let undo = run_in(&root, &["doctor", "undo"], &[]);
        let plain = run_in(&root, &["doctor", "--json"], &[]);
        *said.lock().unwrap() = Some((answer, undo, plain));
    });
    let report = inside::run(&config, FIX, second).unwrap();
    assert_eq!(only_run(&report).state, RunState::Kept);
    let (fix, undo, plain) = heard.lock().unwrap().take().unwrap();
    let me = format!("pid {}", std::process::id());
    for said in [&fix, &undo] {
        assert_eq!(said.code, 1, "{}{}", said.out, said.err);
        assert!(said.err.contains(&me), "{}", said.err);
    }
    assert!(!plain.out.contains("unfinished-repair"), "it goes on");
}

#[test]
fn a_journal_that_cannot_be_written_takes_everything_back() {
    let (gateway, _stranger) = with_stranger();
    let config = gateway.path("config/flowgate.yaml");
    let before = state(&gateway.path("."));
    for full in 0..11 {
        let no_space: AtLine = Arc::new(move |number, _| match number {
            // For good: the lines of taking back are not written either.
            number if number >= full => Err(io::Error::from_raw_os_error(28)),
            _ => Ok(()),
        });
        let report = inside::run(&config, FIX, no_space).unwrap();
        let run = only_run(&report);
        assert_ne!(run.state, RunState::Kept, "line {full}");
        let reason = run.reason.unwrap();
        assert!(reason.contains("no space is left"), "{reason}");
        let changed = differences(&before, &state(&gateway.path(".")));
        assert_eq!(changed, Vec::<String>::new(), "line {full}");
        // What stays is a journal without an end, of which nothing is left to do.
        gateway.flowgate(&["doctor", "--fix=finish-roll-back"]);
        let changed = differences(&before, &state(&gateway.path(".")));
        assert_eq!(changed, Vec::<String>::new(), "line {full}");
    }
}
