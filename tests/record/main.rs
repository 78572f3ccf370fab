//! Whole snapshots from recorded runs of the real programs.
//!
//! A recording is a folder per case: config files, tokens, logs, HTTP answers, `ss` and `ps`,
//! modes and owners, how each process was started and ended. The converter lays one out in a temp
//! dir and makes of it what the gatherer would have made, with the gatherer's own code wherever
//! that reads files or interprets bytes. What a recording does not tell is assumed in one place,
//! [`frame`]. The truth of each case is converted from the truth that was written beside the
//! recordings, never from what flowgate says of it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod binds;
mod cases;
mod credentials;
mod environment;
mod frame;
mod management;
mod permissions;
mod plan;
mod print;
mod probes;
mod programs;
mod recording;
mod records;
mod snapshot;
mod stage;
mod truth;
mod who;

use std::path::{Path, PathBuf};

use cases::CASES;
use recording::Recording;
use stage::Stage;

/// The dummy secrets of the recordings begin like this, and hashes and JSON web tokens do.
const SECRETS: [&str; 7] = [
    "sk-lab",
    "lab-mgmt",
    "lab-wrong",
    "at-lab",
    "rt-lab",
    "$2a$",
    "eyJ",
];

/// A scenario should stay readable.
const LARGEST: usize = 60 * 1024;

#[test]
#[ignore = "writes scenarios from recorded runs; set FLOWGATE_RECORDINGS to their folder"]
fn recorded_runs_become_scenarios() {
    let recordings = PathBuf::from(std::env::var_os("FLOWGATE_RECORDINGS").unwrap());
    let truths = truth::read_all(&recordings.join("truth.json"));
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    for case in CASES {
        let read = |name: &str| Recording::read(&recordings.join(name), case.moment);
        let mut recording = read(case.recording);
        if let Some(other) = case.answers_from {
            recording.borrow_answers(read(other));
        }
        let stage = Stage::of(&recording, case);
        let text = stage.in_the_words_of_the_recording(&print::json(&snapshot::of(&stage)));
        check(&case.name(), &text);
        let folder = scenarios.join(format!("recording-{}", case.name()));
        std::fs::create_dir_all(&folder).unwrap();
        write(&folder.join("scenario.json"), &text);
        let truth = truth::of(case, &truths[case.recording]);
        write(&folder.join("truth.json"), &print::json(&truth));
    }
}

#[test]
fn scenarios_from_recordings_hold_no_secret_and_are_all_made_here() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut names: Vec<String> = std::fs::read_dir(scenarios.clone())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_prefix("recording-")?.to_owned()))
        .collect();
    names.sort();
    let mut made: Vec<String> = CASES.iter().map(cases::Case::name).collect();
    made.sort();
    assert_eq!(names, made);
    for name in names {
        let file = scenarios.join(format!("recording-{name}/scenario.json"));
        check(&name, &read_text(&file));
    }
}

fn check(name: &str, text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{name}: {secret} is in it");
    }
    assert!(text.len() <= LARGEST, "{name}: {} bytes", text.len());
}

#[expect(clippy::disallowed_methods, reason = "the converter writes test data")]
fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a test reads its own data")]
fn read_text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
