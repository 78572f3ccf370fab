//! What a new supervisor makes of a record: a process that lives, one that was stopped by a signal, one
//! that has ended and whose status nobody read, another process at its pid, another boot. Each is told
//! apart, and what is not proven ours gets no signal.

use std::process::{Child, Command as Process, Stdio};

use flowgate::supervisor::client::ClientError;
use flowgate::supervisor::protocol::{Answer, Command};
use flowgate::supervisor::records::{HistoryLine, ServiceState};
use flowgate_checks::model::ExitSource;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::house::{House, is_alive, kill, read, send, wait_for};

const PROXY: &str = "cliproxyapi_plus";

/// A process that flowgate did not start.
struct Stranger(Child);

impl Stranger {
    #[expect(clippy::disallowed_methods, reason = "a test starts what it needs")]
    fn new() -> Self {
        let mut sleep = Process::new("sleep");
        Self(sleep.arg("600").stdin(Stdio::null()).spawn().unwrap())
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn start_time(&self) -> u64 {
        let stat = flowgate::platform::process_stat(self.pid());
        stat.unwrap().start_time
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A house whose service ran, and whose supervisor and service are dead; the record names another
/// process now.
fn house_with_record(stranger: &Stranger, start_time: u64, boot_id: Option<&str>) -> House {
    let mut house = House::new();
    let pid = house.start_ready(PROXY);
    house.kill_supervisor();
    kill(pid);
    wait_for("its end", || !is_alive(pid));
    let below = format!("run/time/supervisor/{PROXY}.json");
    let mut record: Value = serde_json::from_str(&read(&house.path(&below))).unwrap();
    record["run"]["pid"] = json!(stranger.pid());
    record["run"]["startTime"] = json!(start_time);
    if let Some(boot_id) = boot_id {
        record["run"]["bootId"] = json!(boot_id);
    }
    house.write(&below, &record.to_string());
    house.start_supervisor();
    house
}

/// The reasons of one decision, oldest first.
fn reasons(house: &House, of: &str) -> Vec<String> {
    let lines = house.history(PROXY).into_iter();
    lines
        .filter_map(|line| match line {
            HistoryLine::Decision {
                decision, reason, ..
            } if decision == of => reason,
            _ => None,
        })
        .collect()
}

/// Waits until the service runs again, as its own process.
fn wait_for_own(house: &House, stranger: &Stranger) {
    wait_for("a process of its own", || {
        let status = house.status(PROXY);
        status.state == ServiceState::Ready && status.pid != Some(stranger.pid())
    });
    assert!(house.answers(house.proxy));
}

#[test]
fn another_process_at_a_recorded_pid_is_not_taken_for_the_service() {
    let stranger = Stranger::new();
    let house = house_with_record(&stranger, stranger.start_time() - 1, None);
    wait_for_own(&house, &stranger);
    let pid = stranger.pid();
    assert_eq!(
        reasons(&house, "lost"),
        [format!("pid {pid} is another process now")]
    );
    assert_eq!(house.stop(PROXY), Answer::Stopped { was_running: true });
    assert!(is_alive(pid), "it was never ours");
}

#[test]
fn a_pid_of_another_boot_is_nobodys_even_when_all_else_fits() {
    let stranger = Stranger::new();
    let house = house_with_record(&stranger, stranger.start_time(), Some("another-boot"));
    wait_for_own(&house, &stranger);
    let pid = stranger.pid();
    assert_eq!(
        reasons(&house, "lost"),
        [format!(
            "pid {pid} ended with the machine, which was started anew since"
        )]
    );
    assert_eq!(house.stop(PROXY), Answer::Stopped { was_running: true });
    assert!(is_alive(pid), "it was never ours");
}

#[test]
fn one_that_has_ended_and_whose_status_nobody_read_tells_how_it_ended() {
    let mut stranger = Stranger::new();
    let start_time = stranger.start_time();
    stranger.0.kill().unwrap();
    wait_for("its end", || !is_alive(stranger.pid()));
    let house = house_with_record(&stranger, start_time, None);
    wait_for_own(&house, &stranger);
    let pid = stranger.pid();
    assert_eq!(
        reasons(&house, "lost"),
        [format!(
            "pid {pid} has ended, and its parent has not asked how"
        )]
    );
    let exit = house.record(PROXY).last_exit.unwrap();
    assert_eq!(
        (exit.signal.as_deref(), exit.source),
        (Some("KILL"), Some(ExitSource::Zombie))
    );
    // Its status is left for its parent.
    assert!(stranger.0.try_wait().unwrap().is_some());
}

#[test]
fn one_that_was_stopped_by_a_signal_is_taken_up_and_not_started_again() {
    let mut house = House::new();
    let pid = house.start_ready(PROXY);
    send(pid, Signal::STOP);
    wait_for("it to stand still", || {
        flowgate::platform::process_stat(pid).is_some_and(|stat| stat.state == 'T')
    });
    house.kill_supervisor();
    house.start_supervisor();
    assert_eq!(house.status(PROXY).pid, Some(pid));
    assert_eq!(
        reasons(&house, "adopt"),
        [format!("pid {pid} lives, stopped by a signal")]
    );
    wait_for("it to be unready", || {
        house.status(PROXY).state == ServiceState::Unready
    });
    send(pid, Signal::CONT);
    wait_for("it to be ready", || {
        house.status(PROXY).state == ServiceState::Ready
    });
    assert_eq!(
        (house.status(PROXY).pid, house.spawns(PROXY)),
        (Some(pid), 1)
    );
}

#[test]
fn adopting_over_the_socket_keeps_what_lives_starts_what_should_and_nothing_else() {
    let mut house = House::new();
    let adopt = |house: &House| {
        let launch = house.launch(PROXY, &[("LC_ALL", "C.UTF-8")]);
        house.ask(Command::Adopt(launch)).0
    };
    // Nobody ever wanted it.
    match adopt(&house) {
        Err(ClientError::Refused(refusal)) => assert_eq!(refusal.code, "not-wanted"),
        other => panic!("{other:?}"),
    }
    let pid = house.start_ready(PROXY);
    let is_known = Answer::Started { pid, already: true };
    assert_eq!(adopt(&house).unwrap(), is_known);
    house.kill_supervisor();
    house.start_supervisor();
    assert_eq!(adopt(&house).unwrap(), is_known);
    assert_eq!(house.spawns(PROXY), 1);

    house.kill_supervisor();
    kill(pid);
    wait_for("its end", || !is_alive(pid));
    house.start_supervisor();
    let Answer::Started { pid: next, .. } = adopt(&house).unwrap() else {
        panic!("not started");
    };
    assert_ne!(next, pid);
    assert_eq!(house.spawns(PROXY), 2);
    house.stop(PROXY);
    assert!(matches!(adopt(&house), Err(ClientError::Refused(_))));
    assert!(!house.answers(house.proxy));
}
