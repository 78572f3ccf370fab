//! No repair harms: on every fault nothing outside of the plan changes, whoever it does not name
//! lives on, and undo restores every byte and mode.

use std::collections::BTreeSet;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use crate::gateway::{Gateway, UPSTREAM_KEY, token};
use crate::process::{Process, read, set_mode, wait_for, write};
use crate::state::{differences, state};
use crate::stranger::Stranger;
use crate::supervised::{Supervised, is_alive, send};

/// One fault, and how it is made.
struct Fault {
    name: &'static str,
    /// Whether a safe repair ends it.
    is_safe: bool,
    make: fn(&Supervised) -> Option<Stranger>,
}

const NOTHING: &str = "nothing is wrong";

const FAULTS: &[Fault] = &[
    Fault {
        name: NOTHING,
        is_safe: false,
        make: |_| None,
    },
    Fault {
        name: "a token that others can read",
        is_safe: true,
        make: |gateway| {
            set_mode(&gateway.path(".router/auths"), 0o755);
            let expires = token("2099-01-01T00:00:00Z");
            gateway.write_token("codex-ana@example.com.json", &expires, 0o644);
            None
        },
    },
    Fault {
        name: "a config with keys that others can read",
        is_safe: true,
        make: |gateway| {
            set_mode(&gateway.path("config/cliproxyapi.yaml"), 0o644);
            None
        },
    },
    Fault {
        name: "a key that the proxy refuses",
        is_safe: false,
        make: |gateway| {
            let wrong = "sk-another-key-00000000";
            gateway.edit(".router/runtime/litellm.active.yaml", UPSTREAM_KEY, wrong);
            gateway.flowgate(&["service", "restart", "litellm"]);
            None
        },
    },
    Fault {
        name: "a stranger on the port of litellm",
        is_safe: false,
        make: |gateway| {
            gateway.flowgate(&["service", "stop", "litellm"]);
            let stranger = Stranger::on(gateway.litellm);
            gateway.flowgate(&["service", "start", "litellm"]);
            Some(stranger)
        },
    },
    Fault {
        name: "a service that is suspended",
        is_safe: true,
        make: |gateway| {
            send(gateway.pid("litellm").unwrap(), Signal::STOP);
            None
        },
    },
    Fault {
        name: "both services dead and nobody watches",
        is_safe: true,
        make: |gateway| {
            let pids = ["litellm", "cliproxyapi_plus"].map(|name| gateway.pid(name).unwrap());
            gateway.kill_supervisor();
            for pid in pids {
                send(pid, Signal::KILL);
                wait_for("the service to end", || !is_alive(pid));
            }
            None
        },
    },
    Fault {
        name: "nobody watches",
        is_safe: true,
        make: |gateway| {
            gateway.kill_supervisor();
            None
        },
    },
    Fault {
        name: "a record of a run that is over",
        is_safe: true,
        make: |gateway| {
            gateway.flowgate(&["service", "stop", "all"]);
            gateway.kill_supervisor();
            let pid_file = gateway.path(".router/runtime/pids/litellm.pid");
            write(
                &pid_file,
                "{\"pid\": 999999, \"cmd\": [\"litellm\"]}",
                0o644,
            );
            None
        },
    },
];

/// A second manager of the same programs, in another folder, which flowgate must not touch.
fn second_manager(gateway: &Gateway) -> Process {
    let folder = gateway.path("elsewhere");
    std::fs::create_dir_all(&folder).unwrap();
    let log = folder.join("manager.log");
    Process::start(Path::new("/bin/sleep"), &["600"], &folder, &log, &[])
}

/// Files that steps of the document name.
fn planned_files(document: &Value) -> BTreeSet<String> {
    let rounds = document["repair"]["rounds"].as_array().unwrap();
    let runs = rounds
        .iter()
        .flat_map(|round| round["runs"].as_array().unwrap());
    let mut files = BTreeSet::new();
    for step in runs.flat_map(|run| run["steps"].as_array().unwrap()) {
        let target = step["target"].as_str().unwrap();
        files.insert(target.split(": ").next().unwrap().to_owned());
        let diff = step["diff"].as_str().unwrap_or_default();
        files.extend(
            diff.lines()
                .filter_map(|line| line.strip_prefix("+++ b/"))
                .map(str::to_owned),
        );
    }
    files
}

/// Whether something was repaired, and all of it was kept.
fn is_kept(document: &Value) -> bool {
    let rounds = document["repair"]["rounds"].as_array().unwrap();
    let mut runs = rounds
        .iter()
        .flat_map(|round| round["runs"].as_array().unwrap())
        .peekable();
    runs.peek().is_some() && runs.all(|run| run["state"] == "kept")
}

fn check(fault: &Fault, args: &[&str]) {
    let gateway = Supervised::new(&[]);
    let started = gateway.flowgate(&["service", "start", "all"]);
    assert_eq!(started.code, 0, "{}", started.err);
    let mut manager = second_manager(&gateway);
    let mut stranger = (fault.make)(&gateway);
    let before = state(&gateway.path("."));

    let document = gateway.doctor(args);

    let name = format!("{} with {args:?}", fault.name);
    let planned = planned_files(&document);
    let changed = differences(&before, &state(&gateway.path(".")));
    let outside: Vec<&String> = changed
        .iter()
        .filter(|path| !planned.contains(*path))
        .collect();
    assert!(
        outside.is_empty(),
        "{name}: {outside:?} changed, planned {planned:?}"
    );
    assert!(manager.is_alive(), "{name}");
    if let Some(stranger) = &mut stranger {
        assert!(stranger.is_well(), "{name}");
    }
    let journals = gateway.path(".router/runtime/doctor");
    no_secret_outside_of_copies(&journals, &name);

    let is_repaired = is_kept(&document);
    let is_ended = args.contains(&"--fix=all") || fault.is_safe;
    assert_eq!(
        is_repaired,
        is_ended && fault.name != NOTHING,
        "{name}: {document:#}"
    );
    let is_mended = document["exitCode"] == 0;
    assert_eq!(
        is_mended,
        is_ended || fault.name == NOTHING,
        "{name}: {document:#}"
    );
    if !is_repaired {
        assert_eq!(changed, Vec::<String>::new(), "{name}");
        return;
    }
    gateway.flowgate(&["doctor", "undo"]);
    let left = differences(&before, &state(&gateway.path(".")));
    assert_eq!(left, Vec::<String>::new(), "{name}: after undo");
    assert!(manager.is_alive(), "{name}");
    if let Some(stranger) = &mut stranger {
        assert!(stranger.is_well(), "{name}");
    }
}

/// Plans, journals and reports hold no secret; copies of files are for this user alone.
fn no_secret_outside_of_copies(folder: &Path, name: &str) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{name}: {}", path.display());
        if path.is_dir() {
            no_secret_outside_of_copies(&path, name);
            continue;
        }
        let is_copy = path
            .extension()
            .is_some_and(|ending| ending == "before" || ending == "after");
        let text = read(&path);
        for secret in crate::gateway::PLANTED {
            assert!(
                is_copy || !text.contains(secret),
                "{name}: {}",
                path.display()
            );
        }
    }
}

#[test]
fn safe_repairs_do_no_harm_on_any_fault() {
    for fault in FAULTS {
        check(fault, &["--fix=safe"]);
    }
}

#[test]
fn all_repairs_do_no_harm_on_any_fault() {
    for fault in FAULTS {
        check(fault, &["--fix=all", "--yes"]);
    }
}
