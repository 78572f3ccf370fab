//! A network of its own, where port 4000 is free and from which nothing leaves.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::package;

/// Set for the process that runs inside.
const INSIDE: &str = "FLOWGATE_REAL_OWN_NETWORK";

/// Where the group runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// In one of its own, with nothing but loopback.
    Own,
    /// In that of the machine.
    Shared,
}

/// Starts this program again inside a network of its own, where the system lets us; otherwise says
/// that it stays in that of the machine.
pub fn enter() -> Network {
    if std::env::var_os(INSIDE).is_some() {
        return if raise_loopback() {
            Network::Own
        } else {
            panic!("the loopback of the own network cannot be raised");
        };
    }
    // As root a network is enough; others need a user namespace around it.
    for flags in [&["--net"][..], &["--map-root-user", "--net"][..]] {
        if can_unshare(flags) {
            let error = again(flags);
            eprintln!("failed to enter a network of its own: {error}");
        }
    }
    eprintln!("NOT ISOLATED: unshare gives no network of its own; the group runs in this one");
    Network::Shared
}

#[expect(clippy::disallowed_methods, reason = "a test starts what it needs")]
fn can_unshare(flags: &[&str]) -> bool {
    Command::new("unshare")
        .args(flags)
        .arg("true")
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this program becomes itself, in another network"
)]
fn again(flags: &[&str]) -> std::io::Error {
    Command::new("unshare")
        .args(flags)
        .arg(std::env::current_exe().unwrap())
        .args(std::env::args_os().skip(1))
        .env(INSIDE, "1")
        .exec()
}

/// By the Python that is there in any case: SIOCSIFFLAGS with IFF_UP and IFF_RUNNING.
#[expect(clippy::disallowed_methods, reason = "a test starts what it needs")]
fn raise_loopback() -> bool {
    const RAISE: &str = "import fcntl, socket, struct\n\
         fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sH14x', b'lo', 0x41))";
    let python = package::named().map(|package| package.python());
    let raised = python.is_some_and(|python| {
        Command::new(python)
            .args(["-c", RAISE])
            .status()
            .is_ok_and(|status| status.success())
    });
    raised && is_connected()
}

fn is_connected() -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| TcpStream::connect(listener.local_addr()?))
        .is_ok()
}
