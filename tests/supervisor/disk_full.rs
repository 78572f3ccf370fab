//! A full disk stops no service and no supervisor.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use flowgate::supervisor::client::ClientError;
use flowgate::supervisor::protocol::{Answer, Command as Asked};
use flowgate::supervisor::records::ServiceState;
use flowgate::supervisor::rotate::Rotation;
use flowgate::sys::rotated;

use crate::house::{House, is_alive, wait_for};

/// A file system of its own; unmounted when the test ends.
struct Mount(PathBuf);

impl Mount {
    /// None when this user may not mount; that is said, since then nothing is tested.
    #[expect(clippy::disallowed_methods, reason = "a test starts what it needs")]
    fn new(at: &Path, kib: u32) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={kib}k,mode=755"),
                "tmpfs",
            ])
            .arg(at)
            .output()
            .unwrap();
        if mounted.status.success() {
            return Some(Self(at.to_owned()));
        }
        let why = String::from_utf8_lossy(&mounted.stderr);
        #[expect(clippy::print_stderr, reason = "a test that did not run says so")]
        let () = eprintln!("SKIPPED, a small file system cannot be mounted: {why}");
        None
    }

    /// Leaves no room.
    fn fill(&self) {
        let filler = self.0.join("filler");
        let file = OpenOptions::new().create(true).append(true).open(filler);
        let mut file = file.unwrap();
        while file.write_all(&[b'x'; 512]).is_ok() {}
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Mount {
    #[expect(clippy::disallowed_methods, reason = "a test ends what it started")]
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Asks a port for a path.
fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn services_and_supervisor_go_on_when_nothing_can_be_written() {
    let mut house = House::without_supervisor();
    let Some(mount) = Mount::new(&house.path("run"), 512) else {
        return;
    };
    house.start_supervisor();
    let proxy = house.start_ready("cliproxyapi_plus");
    let litellm = house.start_ready("litellm");
    mount.fill();
    // Requests are lines; more than the last block of the log could still hold.
    for _ in 0..200 {
        let answer = get(house.litellm, "/health/liveliness");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let length = house.log("litellm").len();
    get(house.litellm, "/health/liveliness");
    assert_eq!(house.log("litellm").len(), length, "its disk is full");
    assert_eq!(house.status("litellm").state, ServiceState::Ready);
    // What runs can be stopped; what cannot be recorded is not begun.
    assert_eq!(house.stop("litellm"), Answer::Stopped { was_running: true });
    assert!(!is_alive(litellm) && is_alive(proxy));
    mount.fill();
    let launch = house.launch("litellm", &[]);
    match house.ask(Asked::Start(launch)).0 {
        Err(ClientError::Refused(refusal)) => assert_eq!(refusal.code, "runtime-dir"),
        other => panic!("{other:?}"),
    }
    mount.empty();
    house.start_ready("litellm");
    wait_for("its record", || {
        house.record("litellm").state == ServiceState::Ready
    });
    house.stop("litellm");
    house.stop("cliproxyapi_plus");
    drop(house);
    drop(mount);
}

#[test]
fn a_log_that_filled_the_disk_is_rotated_in_the_room_of_its_earlier_lines() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mount) = Mount::new(&dir.path().join("small"), 4096) else {
        return;
    };
    let log = mount.0.join("a.log");
    let line = [&[b'x'; 1023][..], b"\n"].concat();
    let grow = |lines: usize| {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        for _ in 0..lines {
            if file.write_all(&line).is_err() {
                break;
            }
        }
    };
    let rotation = Rotation::new(&log, 1 << 20);
    // A process that another test makes in this moment holds the lock of the log until it has become
    // its program.
    let step = || {
        let mut moved = None;
        wait_for("the lock of the log", || {
            moved = rotation.step().unwrap();
            moved.is_some()
        });
        moved.unwrap()
    };
    grow(1100);
    step();
    grow(1100);
    // No room for a copy beside the one that is there.
    mount.fill();
    let moved = step();
    assert_eq!(moved.from, 1 << 20);
    let mut copy = Vec::new();
    let mut file = File::open(rotated::previous_of(&log)).unwrap();
    file.read_to_end(&mut copy).unwrap();
    assert!(copy.chunks(1024).all(|chunk| chunk == line));
    assert!(log.metadata().unwrap().blocks() * 512 < 1 << 20);

    // Somebody else has taken all of it: the log is as it was, and goes on.
    std::fs::remove_file(rotated::previous_of(&log)).unwrap();
    grow(1100);
    mount.fill();
    let blocks = log.metadata().unwrap().blocks();
    let mut ended = Ok(None);
    wait_for("the lock of the log", || {
        ended = rotation.step();
        !matches!(ended, Ok(None))
    });
    assert!(ended.is_err());
    assert_eq!(log.metadata().unwrap().blocks(), blocks);
    assert!(!rotated::with_ending(&log, ".1.new").exists());
}
