//! Stopping: the whole session, and the port proven free.

use flowgate::supervisor::protocol::{Answer, Command, Event};
use flowgate::supervisor::records::ServiceState;

use crate::house::{FLOWGATE, House, is_alive, kill, read, wait_for};

#[test]
fn a_stopped_service_is_gone_and_its_port_free() {
    let house = House::new();
    let pid = house.start_ready("cliproxyapi_plus");
    assert_eq!(
        house.stop("cliproxyapi_plus"),
        Answer::Stopped { was_running: true }
    );
    assert!(!is_alive(pid));
    assert!(!house.answers(house.proxy));
    let record = house.record("cliproxyapi_plus");
    assert_eq!(
        (record.state, record.wanted),
        (ServiceState::Stopped, false)
    );
    let exit = record.last_exit.unwrap();
    assert!(exit.requested);
    assert_eq!(exit.signal.as_deref(), Some("TERM"));
    assert!(!house.runtime.join("pids/cliproxyapi_plus.pid").exists());
    assert_eq!(
        house.stop("cliproxyapi_plus"),
        Answer::Stopped { was_running: false }
    );
    assert_eq!(house.events("service_stop"), ["success", "not-running"]);
}

/// A service whose worker ignores every signal that can be ignored.
fn with_stubborn_worker(house: &House) -> u32 {
    let script = format!(
        "(trap \"\" TERM INT; echo $$ > /dev/null; exec sleep 600) & echo $! > worker; exec {FLOWGATE} standin cliproxyapi -config proxy.yaml"
    );
    let args = format!("[sh, -c, '{script}']");
    house.configure(&args, &args, "stop_timeout: 300ms");
    house.start_ready("cliproxyapi_plus");
    read(&house.path("worker")).trim().parse().unwrap()
}

#[test]
fn workers_that_ignore_signals_are_gone_after_a_stop() {
    let house = House::new();
    let worker = with_stubborn_worker(&house);
    assert!(is_alive(worker));
    let service = "cliproxyapi_plus".to_owned();
    let (answer, events) = house.ask(Command::Stop { service });
    assert_eq!(answer.unwrap(), Answer::Stopped { was_running: true });
    assert!(!is_alive(worker));
    assert_eq!(signals(&events), ["TERM", "INT", "KILL"]);
    assert_eq!(house.events("service_stop"), ["success-after-kill"]);
}

/// The signals of a stop, in turn.
fn signals(events: &[Event]) -> Vec<&str> {
    let mut signals = Vec::new();
    for event in events {
        if let Event::Signalled { signal, .. } = event {
            signals.push(signal.as_str());
        }
    }
    signals
}

/// A LiteLLM that hangs on a request ignores TERM, a second one too, and ends by INT at once
/// (`facts/litellm.md` section 8).
#[test]
fn a_litellm_that_hangs_on_a_request_ends_by_the_second_signal() {
    let house = House::new();
    let script = format!(
        "trap \"\" TERM; exec {FLOWGATE} standin litellm --config active.yaml --port {}",
        house.litellm
    );
    let proxy = format!("[{FLOWGATE}, standin, cliproxyapi, -config, proxy.yaml]");
    house.configure(
        &format!("[sh, -c, '{script}']"),
        &proxy,
        "stop_timeout: 300ms",
    );
    let pid = house.start_ready("litellm");
    let begun = std::time::Instant::now();
    let service = "litellm".to_owned();
    let (answer, events) = house.ask(Command::Stop { service });
    let took = begun.elapsed();
    assert_eq!(answer.unwrap(), Answer::Stopped { was_running: true });
    assert_eq!(signals(&events), ["TERM", "INT"]);
    assert!(!is_alive(pid) && !house.answers(house.litellm));
    let exit = house.record("litellm").last_exit.unwrap();
    assert!(exit.requested);
    assert_eq!(exit.signal.as_deref(), Some("INT"));
    // Its patience, and not that of the next signal too.
    let ms = std::time::Duration::from_millis;
    assert!(took >= ms(300) && took < ms(2500), "{took:?}");
    assert_eq!(house.events("service_stop"), ["success"]);
}

#[test]
fn whoever_does_not_want_to_wait_gets_the_next_signal_sent() {
    let house = House::new();
    let script = format!(
        "trap \"\" TERM INT; {FLOWGATE} standin cliproxyapi -config proxy.yaml & wait; wait"
    );
    let args = format!("[sh, -c, '{script}']");
    house.configure(&args, &args, "stop_timeout: 60s");
    house.start_ready("cliproxyapi_plus");
    let begun = std::time::Instant::now();
    let service = || "cliproxyapi_plus".to_owned();
    let mut signals = Vec::new();
    let answer = house
        .client()
        .request(Command::Stop { service: service() }, |event| {
            if let Event::Signalled { signal, .. } = event {
                signals.push(signal);
                let hasten = Command::Hasten { service: service() };
                assert_eq!(house.ask(hasten).0.unwrap(), Answer::Done);
            }
        });
    assert_eq!(answer.unwrap(), Answer::Stopped { was_running: true });
    assert_eq!(signals, ["TERM", "INT", "KILL"]);
    assert!(begun.elapsed() < std::time::Duration::from_secs(20));
    assert_eq!(house.events("service_stop"), ["success-after-kill"]);
}

#[test]
fn workers_that_outlived_their_main_process_are_gone_before_the_next_one_begins() {
    let house = House::new();
    let worker = with_stubborn_worker(&house);
    let pid = house.status("cliproxyapi_plus").pid.unwrap();
    kill(pid);
    wait_for("the next one", || {
        let status = house.status("cliproxyapi_plus");
        status.state == ServiceState::Ready && status.pid != Some(pid)
    });
    assert!(!is_alive(worker));
    assert_eq!(house.status("cliproxyapi_plus").restarts, 1);
}

#[test]
fn workers_that_outlived_their_main_process_are_gone_after_a_stop() {
    let house = House::new();
    let worker = with_stubborn_worker(&house);
    kill(house.status("cliproxyapi_plus").pid.unwrap());
    // It ends them before it starts the next one, and the stop comes in between.
    wait_for("the end of the main process", || {
        house.status("cliproxyapi_plus").pid.is_none()
    });
    assert!(is_alive(worker));
    assert_eq!(
        house.stop("cliproxyapi_plus"),
        Answer::Stopped { was_running: true }
    );
    assert!(!is_alive(worker));
}

#[test]
fn a_stop_ends_a_start() {
    let house = House::new();
    let env = [("FLOWGATE_STANDIN_DELAY_MS", "10000")];
    let (started, stopped) = std::thread::scope(|scope| {
        let started = scope.spawn(|| house.start("litellm", &env));
        wait_for("the process", || {
            house.runtime.join("pids/litellm.pid").exists()
        });
        let stopped = house.stop("litellm");
        (started.join().unwrap(), stopped)
    });
    assert_eq!(stopped, Answer::Stopped { was_running: true });
    let Answer::Failed { reason, exit } = started else {
        panic!("{started:?}");
    };
    assert!(reason == "exited" && exit.unwrap().requested);
}

#[test]
fn a_restart_is_another_process() {
    let house = House::new();
    let before = house.start_ready("cliproxyapi_plus");
    let launch = house.launch("cliproxyapi_plus", &[]);
    let (answer, events) = house.ask(Command::Restart(launch));
    let Answer::Started {
        pid,
        already: false,
    } = answer.unwrap()
    else {
        panic!("not started again");
    };
    assert_ne!(pid, before);
    assert!(!is_alive(before) && is_alive(pid));
    assert!(matches!(&events[0], Event::Signalled { signal, .. } if signal == "TERM"));
    assert_eq!(house.spawns("cliproxyapi_plus"), 2);
    assert_eq!(house.events("service_restart"), ["success"]);
    assert!(house.record("cliproxyapi_plus").wanted);
}
