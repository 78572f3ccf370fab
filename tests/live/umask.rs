//! What flowgate writes has its mode whatever the umask says, and is never more open on its way there.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::gateway::{ACCESS_TOKEN, FLOWGATE, REFRESH_TOKEN};
use crate::process::{read, set_mode, write};
use crate::supervised::end_what_runs;

/// Commands that write, in an order in which each has something to do.
const COMMANDS: &[&str] = &[
    "init",
    "profile set cost",
    "auth import-headless codex --source codex.json",
    "doctor --fix=safe",
    "doctor mute oauth-login/no-credential --for 1h --reason none",
    "doctor --bundle seen.json",
    "key rotate upstream --yes",
    "key rotate litellm --yes",
    "key rotate management --yes",
    "doctor undo",
    "auth logout codex --yes",
    "service start all",
    "service stop all",
];

/// What may be read by others: what holds no secret.
fn may_be_open(below: &str) -> bool {
    let open = [
        "config/flowgate.yaml",
        ".gitignore",
        ".router/runtime/state.json",
        ".router/runtime/events.log",
        "config",
        ".router",
        ".router/runtime",
        ".router/runtime/pids",
        ".router/runtime/process-logs",
        "codex.json",
    ];
    open.contains(&below) || below.is_empty()
}

/// Whether a file on its way to its name is one of those that hold no secret, by what is in it.
fn is_plain_temp(path: &Path) -> bool {
    let is_temp = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(".flowgate-"));
    let text = read(path);
    is_temp
        && !["sk-", REFRESH_TOKEN, ACCESS_TOKEN]
            .iter()
            .any(|secret| text.contains(secret))
}

/// Each file and folder below with its mode; what goes meanwhile is left out.
fn modes(folder: &Path, root: &Path, seen: &mut BTreeMap<String, u32>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(facts) = path.symlink_metadata() else {
            continue;
        };
        let below = path.strip_prefix(root).unwrap().display().to_string();
        seen.insert(below, facts.permissions().mode() & 0o7777);
        if facts.is_dir() {
            modes(&path, root, seen);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test runs the program under test"
)]
fn run(folder: &Path, umask: &str, command: &str) -> String {
    let script = format!("umask {umask}; exec {FLOWGATE} {command}");
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder in which a supervisor may have been started.
struct House(tempfile::TempDir);

impl Drop for House {
    fn drop(&mut self) {
        end_what_runs(self.0.path());
    }
}

#[test]
fn no_command_leaves_or_passes_through_a_file_that_others_can_read() {
    let mut of_umasks = Vec::new();
    for umask in ["0", "077"] {
        let house = House(tempfile::tempdir().unwrap());
        let folder = &house.0;
        set_mode(folder.path(), 0o755);
        let login =
            json!({"tokens": {"access_token": ACCESS_TOKEN, "refresh_token": REFRESH_TOKEN}});
        write(&folder.path().join("codex.json"), &login.to_string(), 0o600);
        let opened = watch(folder.path(), || {
            for command in COMMANDS {
                let said = run(folder.path(), umask, command);
                assert!(!said.contains("panicked"), "{command}: {said}");
            }
        });
        assert_eq!(
            opened,
            BTreeSet::new(),
            "seen open to others under umask {umask}"
        );
        let mut seen = BTreeMap::new();
        modes(folder.path(), folder.path(), &mut seen);
        assert!(seen.len() > 25, "{seen:#?}");
        for (below, mode) in &seen {
            let is_link = folder.path().join(below).is_symlink();
            assert!(
                is_link || mode & 0o022 == 0 && (may_be_open(below) || mode & 0o077 == 0),
                "{below} has mode {mode:o} under umask {umask}"
            );
        }
        // Ids and numbers of runs differ from one time to the next.
        seen.retain(|below, _| !below.contains("/supervisor/") && !below.contains("/runs/"));
        of_umasks.push(seen);
    }
    assert_eq!(of_umasks[0], of_umasks[1], "a umask changes nothing");
}

/// Looks at the folder over and over while something is done in it; gives what was open to others and
/// should not be.
fn watch(folder: &Path, act: impl FnOnce()) -> BTreeSet<String> {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut opened = BTreeSet::new();
            while !is_over.load(Ordering::Relaxed) {
                let mut seen = BTreeMap::new();
                modes(folder, folder, &mut seen);
                let open = seen.into_iter().filter(|(below, mode)| {
                    let path: PathBuf = folder.join(below);
                    let is_harmless = may_be_open(below) || is_plain_temp(&path);
                    // A socket is closed by its folder, and asks who comes.
                    let is_looked_at = path.is_file() || path.is_dir();
                    mode & 0o077 != 0 && !is_harmless && is_looked_at && !path.is_symlink()
                });
                opened.extend(open.map(|(below, mode)| format!("{below} {mode:o}")));
            }
            opened
        });
        act();
        is_over.store(true, Ordering::Relaxed);
        watcher.join().unwrap()
    })
}
