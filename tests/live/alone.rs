//! A test in a network of its own, where the callback port of a login is free and nobody else's.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};

/// Set for the process that runs inside.
const INSIDE: &str = "FLOWGATE_LIVE_OWN_NETWORK";

/// Runs the body of a test, of this whole name, in a network of its own; says so where the system
/// gives none.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test starts itself again in another network, or says that it did not"
)]
pub fn alone(test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        raise_loopback();
        return body();
    }
    // As root a network is enough; others need a user namespace around it.
    for flags in [&["--net"][..], &["--map-root-user", "--net"][..]] {
        let tried = Command::new("unshare")
            .args(flags)
            .arg("true")
            .stderr(Stdio::null())
            .status();
        if !tried.is_ok_and(|status| status.success()) {
            continue;
        }
        let output = Command::new("unshare")
            .args(flags)
            .arg(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(INSIDE, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && said.contains("1 passed"),
            "{said}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        return;
    }
    eprintln!("NOT RUN: unshare gives no network of its own, which {test} needs");
}

#[expect(clippy::disallowed_methods, reason = "a test starts what it needs")]
fn raise_loopback() {
    const RAISE: &str = "import fcntl, socket, struct\n\
         fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sH14x', b'lo', 0x41))";
    let raised = |program: &str, args: &[&str]| {
        let status = Command::new(program).args(args).status();
        status.is_ok_and(|status| status.success())
    };
    assert!(
        raised("ip", &["link", "set", "lo", "up"]) || raised("python3", &["-c", RAISE]),
        "the loopback cannot be raised"
    );
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    TcpStream::connect(listener.local_addr().unwrap()).unwrap();
}
