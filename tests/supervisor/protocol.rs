//! The socket: who may speak, and in which words.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::time::{Duration, Instant};

use flowgate::supervisor::places::Places;
use flowgate::supervisor::protocol::LINE_LIMIT;
use flowgate::supervisor::socket::Door;

use crate::house::House;

/// A connection to the supervisor of a house.
pub fn connect(house: &House) -> UnixStream {
    let door = Door::open(&Places::new(&house.runtime)).unwrap();
    let stream = UnixStream::connect(door.path()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

/// Says a line, and gives what comes until the supervisor closes the connection or asks for more.
fn say(stream: &mut UnixStream, line: &str) -> serde_json::Value {
    stream.write_all(line.as_bytes()).unwrap();
    let mut answer = String::new();
    BufReader::new(&*stream).read_line(&mut answer).unwrap();
    serde_json::from_str(&answer).unwrap()
}

fn is_closed(stream: &mut UnixStream) -> bool {
    matches!(stream.read(&mut [0; 1]), Ok(0) | Err(_))
}

#[test]
fn another_version_is_told_both_versions() {
    let house = House::new();
    let mut stream = connect(&house);
    let answer = say(&mut stream, "{\"v\":2,\"id\":5,\"cmd\":\"start\"}\n");
    assert_eq!(answer["id"], 5);
    assert_eq!(answer["error"]["code"], "version");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("version 1") && message.contains("version 2"),
        "{message}"
    );
}

#[test]
fn nonsense_is_refused_and_ends_the_connection() {
    let house = House::new();
    for line in [
        "nonsense\n",
        "{\"v\":1,\"id\":1,\"cmd\":\"dance\"}\n",
        "[1]\n",
    ] {
        let mut stream = connect(&house);
        let answer = say(&mut stream, line);
        assert_eq!(answer["error"]["code"], "bad-request", "{line}");
        assert!(is_closed(&mut stream));
    }
    let mut stream = connect(&house);
    let answer = say(&mut stream, &format!("{}\n", " ".repeat(LINE_LIMIT)));
    assert_eq!(answer["error"]["code"], "bad-request");
}

#[test]
fn several_requests_of_one_connection_are_answered_in_turn() {
    let house = House::new();
    let mut stream = connect(&house);
    for id in [3, 4] {
        let answer = say(
            &mut stream,
            &format!("{{\"v\":1,\"id\":{id},\"cmd\":\"status\"}}\n"),
        );
        assert_eq!((&answer["id"], &answer["ok"]), (&id.into(), &true.into()));
    }
}

#[test]
fn one_who_says_nothing_is_not_waited_for() {
    let house = House::new();
    let mut stream = connect(&house);
    stream.write_all(b"{\"v\":1,").unwrap();
    let begun = Instant::now();
    assert!(is_closed(&mut stream));
    let waited = begun.elapsed();
    assert!(
        waited > Duration::from_secs(3) && waited < Duration::from_secs(15),
        "{waited:?}"
    );
}

/// The uid of nobody in particular.
const STRANGER: u32 = 54_321;

/// The variable that tells the stranger where the socket is.
const SOCKET: &str = "FLOWGATE_TEST_SOCKET";

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test needs a process of another user"
)]
fn another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can become another user");
        return;
    }
    let house = House::new();
    // Opened, so that it is the supervisor who refuses and not the folder.
    for folder in [
        house.path(""),
        house.path("run"),
        house.runtime.clone(),
        house.runtime.join("supervisor"),
    ] {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let socket = house.runtime.join("supervisor/supervisor.sock");
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o777)).unwrap();
    // Where a stranger can execute it, whatever folder the tests were built in.
    let program = house.path("stranger");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let status = std::process::Command::new(&program)
        .args(["--exact", "protocol::ask_as_a_stranger", "--ignored"])
        .env(SOCKET, &socket)
        .current_dir("/")
        .uid(STRANGER)
        .gid(STRANGER)
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
#[ignore = "the other half of another_user_is_refused, run by it as another user"]
fn ask_as_a_stranger() {
    let Some(socket) = std::env::var_os(SOCKET) else {
        return;
    };
    assert_eq!(rustix::process::geteuid().as_raw(), STRANGER);
    let mut stream = UnixStream::connect(socket).unwrap();
    let _ = stream.write_all(b"{\"v\":1,\"id\":1,\"cmd\":\"status\"}\n");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
}

/// Whoever holds a connection open and says nothing of use.
fn pester(house: &House, until: &std::sync::atomic::AtomicBool, seed: u64) {
    let mut seed = seed;
    while !until.load(std::sync::atomic::Ordering::SeqCst) {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let Ok(door) = Door::open(&Places::new(&house.runtime)) else {
            return;
        };
        let Ok(mut stream) = UnixStream::connect(door.path()) else {
            continue;
        };
        let _ = stream.set_read_timeout(Some(Duration::from_millis(50)));
        let _ = stream.set_write_timeout(Some(Duration::from_millis(50)));
        let garbage: Vec<u8> = (0..200).map(|n| (seed >> (n % 56)) as u8).collect();
        let _ = match seed % 5 {
            0 => stream.write_all(&garbage),
            1 => stream.write_all(&vec![b'x'; 2 * LINE_LIMIT]),
            2 => stream.write_all(b"{\"v\":1,\"id\":1,\"cmd\":\"status\"}"),
            3 => stream.write_all(
                "{\"v\":1,\"id\":1,\"cmd\":\"status\"}\n"
                    .repeat(50)
                    .as_bytes(),
            ),
            _ => Ok(()),
        };
        let _ = stream.read(&mut [0; 16]);
    }
}

#[test]
fn supervision_goes_on_whatever_is_said_to_the_supervisor() {
    let house = House::new();
    let mut pid = house.start_ready("cliproxyapi_plus");
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for seed in 0..8 {
            let (house, is_over) = (&house, &is_over);
            scope.spawn(move || pester(house, is_over, seed + 1));
        }
        for _ in 0..3 {
            crate::house::kill(pid);
            crate::house::wait_for("the next one", || {
                let record = house.record("cliproxyapi_plus");
                let run = record.run.unwrap();
                record.state == flowgate::supervisor::records::ServiceState::Ready
                    && run.pid != pid
                    && std::mem::replace(&mut pid, run.pid) != run.pid
            });
        }
        is_over.store(true, std::sync::atomic::Ordering::SeqCst);
    });
    assert_eq!(house.spawns("cliproxyapi_plus"), 4);
    assert_eq!(house.status("cliproxyapi_plus").pid, Some(pid));
}

#[test]
fn more_clients_than_there_are_seats_wait_and_are_served() {
    let house = House::new();
    // Silent ones take every seat until their patience is over.
    let silent: Vec<UnixStream> = (0..80).map(|_| connect(&house)).collect();
    let begun = Instant::now();
    let mut late = connect(&house);
    let answer = say(&mut late, "{\"v\":1,\"id\":1,\"cmd\":\"status\"}\n");
    assert_eq!(answer["ok"], true);
    assert!(begun.elapsed() < Duration::from_secs(18));
    drop(silent);
}
