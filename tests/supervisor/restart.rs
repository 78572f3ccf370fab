//! Services that end by themselves: when they are tried again, and when no more.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use flowgate::supervisor::protocol::{Answer, Command};
use flowgate::supervisor::records::{HistoryLine, LastExit, ServiceState};
use flowgate_checks::model::{ExitClass, ExitSource, ExitStage};

use crate::house::{FLOWGATE, House, is_alive, kill, wait_for};

const PROXY: &str = "cliproxyapi_plus";

fn wait_for_state(house: &House, service: &str, state: ServiceState) {
    wait_for(&format!("{service} to be {state:?}"), || {
        house.status(service).state == state
    });
}

fn exits(house: &House, service: &str) -> Vec<LastExit> {
    let lines = house.history(service);
    let exits = lines.into_iter().filter_map(|line| match line {
        HistoryLine::Exit { exit } => Some(exit),
        _ => None,
    });
    exits.collect()
}

fn decisions(house: &House, service: &str) -> Vec<String> {
    let lines = house.history(service);
    let decisions = lines.into_iter().filter_map(|line| match line {
        HistoryLine::Decision { decision, .. } => Some(decision),
        _ => None,
    });
    decisions.collect()
}

#[test]
fn one_that_was_ready_is_there_again_at_once() {
    let house = House::new();
    let mut pid = house.start_ready(PROXY);
    for restarts in 1..=3 {
        kill(pid);
        wait_for("the next one", || {
            let status = house.status(PROXY);
            status.state == ServiceState::Ready && status.pid != Some(pid)
        });
        assert!(!is_alive(pid));
        let status = house.status(PROXY);
        assert_eq!((status.restarts, status.next_try_at), (restarts, None));
        pid = status.pid.unwrap();
    }
    let exits = exits(&house, PROXY);
    assert_eq!(exits.len(), 3);
    for exit in exits {
        assert_eq!(exit.signal.as_deref(), Some("KILL"));
        assert_eq!(exit.source, Some(ExitSource::Waited));
        let signature = exit.signature.unwrap();
        assert_eq!(
            (signature.class, signature.stage, signature.status.as_str()),
            (ExitClass::Killed, ExitStage::Run, "SIGKILL")
        );
    }
    assert_eq!(house.stop(PROXY), Answer::Stopped { was_running: true });
    assert_eq!(house.spawns(PROXY), 4);
}

#[test]
fn a_config_that_is_refused_is_tried_twice_and_again_when_it_changes() {
    let house = House::new();
    let good = crate::house::read(&house.path("proxy.yaml"));
    house.write("proxy.yaml", "port: [\n");
    let Answer::Failed { reason, exit } = house.start(PROXY, &[]) else {
        panic!("started");
    };
    assert_eq!(reason, "exited");
    let signature = exit.unwrap().signature.unwrap();
    assert_eq!(signature.class, ExitClass::Config);
    wait_for_state(&house, PROXY, ServiceState::CrashLoop);
    let status = house.status(PROXY);
    assert_eq!((status.restarts, status.next_try_at), (1, None));
    assert_eq!(house.spawns(PROXY), 2);
    let both = exits(&house, PROXY);
    assert_eq!(both[0].signature, both[1].signature);
    assert!(both[0].signature.as_ref().unwrap().line.is_some());
    assert_eq!(house.record(PROXY).state, ServiceState::CrashLoop);
    assert!(decisions(&house, PROXY).contains(&"give-up".to_owned()));

    // Still broken: one more try is enough to see it.
    house.write("proxy.yaml", "port: [ \n");
    wait_for("another try", || house.spawns(PROXY) == 3);
    wait_for_state(&house, PROXY, ServiceState::CrashLoop);
    house.write("proxy.yaml", &good);
    wait_for_state(&house, PROXY, ServiceState::Ready);
    assert!(house.answers(house.proxy));
}

#[test]
fn a_crash_loop_outlives_the_supervisor_and_sees_what_changed_meanwhile() {
    let mut house = House::new();
    let good = crate::house::read(&house.path("proxy.yaml"));
    house.write("proxy.yaml", "port: [\n");
    house.start(PROXY, &[]);
    wait_for_state(&house, PROXY, ServiceState::CrashLoop);
    house.kill_supervisor();
    house.start_supervisor();
    assert_eq!(house.status(PROXY).state, ServiceState::CrashLoop);
    house.kill_supervisor();
    assert_eq!(house.spawns(PROXY), 2);
    house.write("proxy.yaml", &good);
    house.start_supervisor();
    wait_for_state(&house, PROXY, ServiceState::Ready);
    assert_eq!(house.spawns(PROXY), 3);
}

#[test]
fn a_person_who_asks_ends_a_crash_loop_and_a_stop_ends_it_too() {
    let house = House::new();
    house.write("proxy.yaml", "port: [\n");
    house.start(PROXY, &[]);
    wait_for_state(&house, PROXY, ServiceState::CrashLoop);
    let answer = house.start(PROXY, &[]);
    assert!(matches!(answer, Answer::Failed { .. }), "{answer:?}");
    assert_eq!(house.spawns(PROXY), 3);
    assert_eq!(house.status(PROXY).restarts, 0);
    assert_eq!(house.stop(PROXY), Answer::Stopped { was_running: false });
    let record = house.record(PROXY);
    assert_eq!(
        (record.state, record.wanted, record.next_try_at),
        (ServiceState::Stopped, false, None)
    );
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test puts a program in its place, whole"
)]
fn a_program_that_is_not_there_is_given_up_until_it_appears() {
    let house = House::new();
    house.configure("[./program]", "[./program]", "");
    let answer = house.start("litellm", &[]);
    assert!(matches!(answer, Answer::Failed { .. }), "{answer:?}");
    wait_for_state(&house, "litellm", ServiceState::CrashLoop);
    assert_eq!(house.spawns("litellm"), 0);
    let text = format!("#!/bin/sh\nexec {FLOWGATE} standin litellm --config active.yaml \"$@\"\n");
    house.write("made", &text);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(house.path("made"), mode).unwrap();
    std::fs::rename(house.path("made"), house.path("program")).unwrap();
    wait_for_state(&house, "litellm", ServiceState::Ready);
}

#[test]
fn a_held_port_is_waited_for() {
    let house = House::new();
    let held = TcpListener::bind(("127.0.0.1", house.proxy)).unwrap();
    let answer = house.start(PROXY, &[]);
    assert!(
        matches!(&answer, Answer::Failed { reason, .. } if reason == "port-in-use"),
        "{answer:?}"
    );
    wait_for_state(&house, PROXY, ServiceState::Backoff);
    assert_eq!(house.spawns(PROXY), 0);
    assert!(decisions(&house, PROXY).contains(&"wait-for-port".to_owned()));
    drop(held);
    wait_for_state(&house, PROXY, ServiceState::Ready);
    assert_eq!(house.spawns(PROXY), 1);
}

#[test]
fn a_litellm_that_moved_comes_back_when_its_port_is_free() {
    let house = House::new();
    let special = house.litellm.to_string();
    let env = [
        ("FLOWGATE_STANDIN_DELAY_MS", "500"),
        ("FLOWGATE_STANDIN_SPECIAL_PORT", special.as_str()),
    ];
    let (port, mut held) = (house.litellm, None);
    let launch = house.launch("litellm", &env);
    let answer = house.client().request(Command::Start(launch), |event| {
        if matches!(event, flowgate::supervisor::protocol::Event::Spawned { .. }) {
            held = TcpListener::bind(("127.0.0.1", port)).ok();
        }
    });
    assert!(matches!(answer.unwrap(), Answer::Failed { .. }));
    wait_for_state(&house, "litellm", ServiceState::Backoff);
    let exit = house.record("litellm").last_exit.unwrap();
    let signature = exit.signature.unwrap();
    assert!(exit.requested);
    assert_eq!(
        (signature.class, signature.stage),
        (ExitClass::Port, ExitStage::Start)
    );
    assert!(held.take().is_some());
    wait_for_state(&house, "litellm", ServiceState::Ready);
    assert!(house.answers(port));
}

#[test]
fn an_exit_code_of_0_is_tried_again_and_again_with_the_next_try_shown() {
    let house = House::new();
    let script = "[sh, -c, 'exit 0']";
    house.configure(script, script, "");
    house.start(PROXY, &[]);
    for spawns in 2..=3 {
        wait_for("another try", || house.spawns(PROXY) == spawns);
    }
    wait_for("the next try on record", || {
        let record = house.record(PROXY);
        record.state == ServiceState::Backoff && record.next_try_at.is_some()
    });
    assert!(
        exits(&house, PROXY)
            .iter()
            .all(|exit| exit.code == Some(0) && !exit.requested)
    );
    assert_eq!(house.stop(PROXY), Answer::Stopped { was_running: false });
}

#[test]
fn a_crash_is_told_from_a_stop_that_was_asked_for() {
    let house = House::new();
    house.start_ready(PROXY);
    house.stop(PROXY);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(400) {
        assert_eq!(house.status(PROXY).state, ServiceState::Stopped);
    }
    assert_eq!(house.spawns(PROXY), 1);
}

#[test]
fn what_the_config_says_now_is_what_the_next_try_is_made_of() {
    let house = House::new();
    let pid = house.start_ready(PROXY);
    let args = format!("[{FLOWGATE}, standin, cliproxyapi, -config, proxy.yaml, -no-browser]");
    house.configure(&args, &args, "");
    kill(pid);
    wait_for("the next one", || {
        let status = house.status(PROXY);
        status.state == ServiceState::Ready && status.pid != Some(pid)
    });
    let now = house.status(PROXY).pid.unwrap();
    assert!(flowgate::platform::command_line(now).contains(&"-no-browser".to_owned()));
    // While somebody edits flowgate.yaml, what ran before is what runs.
    house.write("config/flowgate.yaml", "services: [");
    kill(now);
    wait_for("the one after that", || {
        let status = house.status(PROXY);
        status.state == ServiceState::Ready && status.pid != Some(now)
    });
}
