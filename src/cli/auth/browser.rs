//! Opens the login page where a person sees it, and says what to do where none can be opened.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::sys::read;

/// Whether this session belongs to another machine.
pub fn is_remote() -> bool {
    ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"]
        .iter()
        .any(|name| is_set(name))
}

/// Whether a browser that is opened here is seen by the person.
pub fn is_there() -> bool {
    !is_remote() && (cfg!(target_os = "macos") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY"))
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// Opens an address; whether somebody took it.
#[expect(
    clippy::disallowed_methods,
    reason = "the browser is the person's own, and nothing of it is waited for"
)]
pub fn open(url: &str) -> bool {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let child = Command::new(opener)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        return false;
    };
    // Its status is read, so that it does not stay a zombie; nobody waits for it.
    thread::spawn(move || child.wait());
    true
}

/// The tunnel through which a browser on another machine reaches the login: to the port to which it
/// comes back, and to the service to which that one sends it (`facts/cliproxyapi.md` 4.2).
pub fn tunnel(callback: u16, service: Option<u16>) -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| "USER".into());
    // `SSH_CONNECTION`: client address and port, then the address and port of this machine.
    let here = std::env::var("SSH_CONNECTION")
        .ok()
        .and_then(|connection| connection.split(' ').nth(2).map(str::to_owned))
        .unwrap_or_else(host_name);
    let second = service.map_or_else(String::new, |port| format!(" -L {port}:127.0.0.1:{port}"));
    format!("ssh -L {callback}:127.0.0.1:{callback}{second} {user}@{here}")
}

/// The name of this machine, where the system has it in a file.
fn host_name() -> String {
    ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .filter_map(|path| read::head(Path::new(path), 256).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "HOST".into())
}
