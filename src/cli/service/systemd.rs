//! What is asked of systemd, each time within a bound.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::sys::users::Users;

/// A manager that does not answer within this time does not answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pause between two looks whether a command has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// Whether this machine has systemd.
pub fn is_installed() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join("systemctl").is_file())
}

/// The runtime folder of the user whose manager runs; none when none runs.
pub fn manager() -> Option<PathBuf> {
    let uid = rustix::process::geteuid().as_raw();
    let folder = std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute())
        .unwrap_or_else(|| PathBuf::from(format!("/run/user/{uid}")));
    let socket = folder.join("systemd").join("private");
    let is_socket = |facts: std::fs::Metadata| facts.file_type().is_socket();
    socket.metadata().is_ok_and(is_socket).then_some(folder)
}

/// Tells the user's manager something.
///
/// # Errors
/// What it said, as a fragment.
pub fn systemctl(runtime: &Path, args: &[&str]) -> Result<(), String> {
    let args = [&["--user", "--no-ask-password", "--quiet"], args].concat();
    ask("systemctl", &args, Some(runtime))
}

/// Whether services of this user start with the machine, before a login.
pub fn lingers() -> bool {
    let uid = rustix::process::geteuid().as_raw();
    let name = Users::load().name(uid);
    Path::new("/var/lib/systemd/linger").join(name).exists()
}

/// Makes them start with the machine.
///
/// # Errors
/// What systemd said: a policy may keep this from a user.
pub fn enable_linger() -> Result<(), String> {
    ask("loginctl", &["--no-ask-password", "enable-linger"], None)
}

#[expect(
    clippy::disallowed_methods,
    reason = "systemd is asked through its own programs, only when a person asks flowgate to"
)]
fn ask(program: &str, args: &[&str], runtime: Option<&Path>) -> Result<(), String> {
    let mut command = Command::new(program);
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    if let Some(runtime) = runtime {
        command.env("XDG_RUNTIME_DIR", runtime);
    }
    let spawned = command.stderr(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| format!("{program}: {error}"))?;
    let deadline = Instant::now() + PATIENCE;
    while let Ok(None) = child.try_wait() {
        if Instant::now() >= deadline {
            // It is our child, and not yet waited for.
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("{program} did not answer"));
        }
        thread::sleep(PAUSE);
    }
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().next().unwrap_or("it failed").to_owned();
    Err(format!("{program}: {line}"))
}
