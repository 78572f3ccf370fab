//! Readiness: an answer counts only when it comes from our own session at the configured port.

use std::io::{Read, Write};
use std::net::TcpListener;

use flowgate::supervisor::protocol::{Answer, Command, Event};
use flowgate::supervisor::records::ServiceState;

use crate::house::{FLOWGATE, House, free_port, is_alive, wait_for};

/// Says what LiteLLM says when it lives, to everybody, until the test ends.
fn impostor(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let body = "\"I'm alive!\"";
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
}

/// Asks for a start of LiteLLM, and takes its port when its process is there.
fn start_and_take_port(house: &House, env: &[(&str, &str)]) -> (Answer, Vec<Event>) {
    let (port, mut events) = (house.litellm, Vec::new());
    let launch = house.launch("litellm", env);
    let answer = house.client().request(Command::Start(launch), |event| {
        if matches!(event, Event::Spawned { .. }) {
            impostor(port);
        }
        events.push(event);
    });
    (answer.unwrap(), events)
}

#[test]
fn a_foreign_200_is_not_believed() {
    let house = House::new();
    let env = [("FLOWGATE_STANDIN_DELAY_MS", "700")];
    let (answer, events) = start_and_take_port(&house, &env);
    let Answer::Failed { reason, exit } = answer else {
        panic!("believed: {answer:?}");
    };
    assert_eq!((reason.as_str(), exit.unwrap().code), ("exited", Some(3)));
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::Ready { .. }))
    );
}

#[test]
fn a_litellm_that_moved_is_not_ready_and_not_left_behind() {
    let house = House::new();
    let special = house.litellm.to_string();
    let env = [
        ("FLOWGATE_STANDIN_DELAY_MS", "700"),
        ("FLOWGATE_STANDIN_SPECIAL_PORT", special.as_str()),
    ];
    let (answer, events) = start_and_take_port(&house, &env);
    assert_eq!(
        answer,
        Answer::Failed {
            reason: "not-ready".into(),
            exit: None
        }
    );
    let Event::Spawned { pid, .. } = events[0] else {
        panic!("{events:?}");
    };
    wait_for("its end", || !is_alive(pid));
    wait_for("the record of its end", || {
        house
            .record("litellm")
            .last_exit
            .is_some_and(|exit| exit.requested)
    });
    assert!(house.record("litellm").wanted);
    let history = crate::house::read(&house.runtime.join("supervisor/litellm.history.jsonl"));
    assert!(
        history.contains(&format!("instead of {special}")),
        "{history}"
    );
}

#[test]
fn a_port_of_its_own_arguments_is_not_where_clients_look() {
    let house = House::new();
    let other = free_port();
    let args = format!("[{FLOWGATE}, standin, litellm, --config, active.yaml, --port, '{other}']");
    house.configure(&args, &args, "");
    let answer = house.start("litellm", &[]);
    assert!(
        matches!(&answer, Answer::Failed { reason, .. } if reason == "not-ready"),
        "{answer:?}"
    );
}

#[test]
fn one_that_stops_answering_is_unready_until_it_answers_again() {
    let house = House::new();
    let pid = house.start_ready("cliproxyapi_plus");
    let signal = |signal| {
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    };
    signal(rustix::process::Signal::STOP);
    wait_for("unready", || {
        house.status("cliproxyapi_plus").state == ServiceState::Unready
    });
    signal(rustix::process::Signal::CONT);
    wait_for("ready", || {
        house.status("cliproxyapi_plus").state == ServiceState::Ready
    });
    assert_eq!(house.spawns("cliproxyapi_plus"), 1);
}
