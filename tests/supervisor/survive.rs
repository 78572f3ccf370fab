//! The end of the supervisor is not the end of the services.

use std::time::{Duration, Instant};

use flowgate::supervisor::client::Client;
use flowgate::supervisor::protocol::{Answer, Command};
use flowgate::supervisor::records::{LastExit, ServiceState};
use flowgate_checks::model::ExitSource;

use crate::house::{FLOWGATE, House, is_alive, kill, wait_for};

#[test]
fn services_outlive_their_supervisor_and_the_next_one_stops_them() {
    let mut house = House::new();
    let litellm = house.start_ready("litellm");
    let proxy = house.start_ready("cliproxyapi_plus");
    house.kill_supervisor();
    assert!(house.answers(house.litellm) && house.answers(house.proxy));
    // The kernel closes the socket of a process a moment after it has ended.
    wait_for("its socket to close", || {
        Client::connect(&house.runtime).is_none()
    });

    house.start_supervisor();
    let status = house.status("litellm");
    assert_eq!(
        (status.state, status.pid),
        (ServiceState::Ready, Some(litellm))
    );
    assert!(status.ready_at.is_some());
    assert_eq!(
        house.start("litellm", &[]),
        Answer::Started {
            pid: litellm,
            already: true
        }
    );
    assert_eq!(house.spawns("litellm"), 1);
    assert_eq!(house.stop("litellm"), Answer::Stopped { was_running: true });
    assert_eq!(
        house.stop("cliproxyapi_plus"),
        Answer::Stopped { was_running: true }
    );
    assert!(!is_alive(litellm) && !is_alive(proxy));
    assert!(!house.answers(house.litellm) && !house.answers(house.proxy));
}

#[test]
fn a_start_that_lost_its_supervisor_is_taken_up() {
    let mut house = House::new();
    let env = [("FLOWGATE_STANDIN_DELAY_MS", "1200")];
    std::thread::scope(|scope| {
        let lost = scope.spawn(|| {
            let launch = house.launch("litellm", &env);
            house.client().request(Command::Start(launch), drop)
        });
        wait_for("the process", || {
            house.runtime.join("pids/litellm.pid").exists()
        });
        let holder = flowgate::supervisor::lock::holder(
            &flowgate::supervisor::places::Places::new(&house.runtime),
        );
        kill(holder.unwrap().pid);
        assert!(lost.join().unwrap().is_err());
    });
    house.kill_supervisor();
    house.start_supervisor();
    let answer = house.start("litellm", &[]);
    assert!(matches!(answer, Answer::Started { .. }), "{answer:?}");
    assert_eq!(house.spawns("litellm"), 1);
}

#[test]
fn what_ended_meanwhile_is_started_again_and_nothing_is_invented_of_its_end() {
    let mut house = House::new();
    let pid = house.start_ready("cliproxyapi_plus");
    house.kill_supervisor();
    kill(pid);
    wait_for("its end", || !is_alive(pid));
    house.start_supervisor();
    wait_for("the next one", || {
        let status = house.status("cliproxyapi_plus");
        status.state == ServiceState::Ready && status.pid != Some(pid)
    });
    assert_eq!(house.spawns("cliproxyapi_plus"), 2);
    is_true_or_unknown(&house.record("cliproxyapi_plus").last_exit.unwrap());
}

/// A kill of one that no supervisor had as its child: where its parent was faster nobody knows how it
/// ended.
fn is_true_or_unknown(exit: &LastExit) {
    assert!(!exit.requested);
    assert_eq!(exit.code, None);
    match exit.source.unwrap() {
        ExitSource::Zombie => assert_eq!(exit.signal.as_deref(), Some("KILL")),
        ExitSource::Unknown => assert_eq!(exit.signal, None),
        ExitSource::Waited => panic!("it was no child"),
    }
}

#[test]
fn the_end_of_one_that_was_taken_up_is_seen_at_once() {
    let mut house = House::new();
    let pid = house.start_ready("cliproxyapi_plus");
    house.kill_supervisor();
    house.start_supervisor();
    assert_eq!(house.status("cliproxyapi_plus").pid, Some(pid));
    kill(pid);
    let begun = Instant::now();
    wait_for("the next one", || {
        house
            .record("cliproxyapi_plus")
            .run
            .is_some_and(|run| run.pid != pid)
    });
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    is_true_or_unknown(&house.record("cliproxyapi_plus").last_exit.unwrap());
    let next = house.record("cliproxyapi_plus").run.unwrap().pid;
    let names = |pid: u32| -> Vec<String> {
        let block = flowgate::platform::environment_block(pid).unwrap();
        let pairs = flowgate::platform::environment_text(&block);
        pairs.into_iter().map(|(name, _)| name).collect()
    };
    wait_for("its leap", || names(next).contains(&"NO_PROXY".to_owned()));
    let names = names(next);
    // What it had of the shell came from the process itself; what no config names is not kept.
    assert!(names.contains(&"PATH".to_owned()), "{names:?}");
}

#[test]
fn many_that_need_a_supervisor_get_the_same_one() {
    let house = House::without_supervisor();
    let pid = || {
        let config = house.config();
        let client = Client::ensure_with(FLOWGATE.as_ref(), &house.runtime, &config);
        match client.unwrap().request(Command::Status, drop).unwrap() {
            Answer::Status { pid, version, .. } => {
                assert_eq!(version, env!("CARGO_PKG_VERSION"));
                pid
            }
            other => panic!("{other:?}"),
        }
    };
    let pids: Vec<u32> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..4).map(|_| scope.spawn(pid)).collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(pids.iter().all(|pid| *pid == pids[0]), "{pids:?}");
    let stat = flowgate::platform::process_stat(pids[0]).unwrap();
    assert_eq!(
        stat.session, pids[0],
        "it has left the session of its caller"
    );
    house.client().request(Command::Shutdown, drop).unwrap();
    wait_for("its end", || !is_alive(pids[0]));
    // The kernel closes the socket of a process a moment after it has ended.
    wait_for("its socket to close", || {
        Client::connect(&house.runtime).is_none()
    });
}
