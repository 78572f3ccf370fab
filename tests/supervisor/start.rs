//! Starting: what is said, what is kept, and how a start fails.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use flowgate::supervisor::client::ClientError;
use flowgate::supervisor::protocol::{Answer, Command, Event};
use flowgate::supervisor::records::ServiceState;

use crate::house::{FLOWGATE, House, read, wait_for};

#[test]
fn a_service_is_started_gets_ready_and_is_kept_on_record() {
    let house = House::new();
    let launch = house.launch("litellm", &[]);
    let (answer, events) = house.ask(Command::Start(launch));
    let Answer::Started {
        pid,
        already: false,
    } = answer.unwrap()
    else {
        panic!("not started: {}", house.log("litellm"));
    };
    assert!(matches!(&events[0], Event::Spawned { pid: spawned, .. } if *spawned == pid));
    assert!(matches!(&events[1], Event::Phase { phase, .. } if phase == "loading modules"));
    assert!(matches!(events.last().unwrap(), Event::Ready { .. }));
    assert!(house.answers(house.litellm));

    let record = house.record("litellm");
    assert!(record.wanted);
    assert_eq!(record.state, ServiceState::Ready);
    let run = record.run.unwrap();
    assert_eq!((run.pid, run.sid), (pid, Some(pid)));
    assert!(
        run.digests
            .contains_key("litellm:general_settings.master_key")
    );
    let pid_file = read(&house.runtime.join("pids/litellm.pid"));
    let pid_file: serde_json::Value = serde_json::from_str(&pid_file).unwrap();
    assert_eq!(pid_file["pid"], pid);
    assert_eq!(pid_file["command"][0], FLOWGATE);
    assert_eq!(house.events("service_start"), ["success"]);
    let mode = |below: &str| {
        let facts = house.runtime.join(below).metadata().unwrap();
        facts.permissions().mode() & 0o777
    };
    assert_eq!(mode("supervisor"), 0o700);
    assert_eq!(mode("supervisor/litellm.json"), 0o600);
    assert_eq!(mode("process-logs/litellm.log"), 0o600);
}

#[test]
fn a_service_gets_what_was_sent_and_what_is_always_set_and_nothing_else() {
    let house = House::new();
    house.start("cliproxyapi_plus", &[("SENT", "value")]);
    let pid = house.status("cliproxyapi_plus").pid.unwrap();
    let block = flowgate::platform::environment_block(pid).unwrap();
    let mut names: Vec<String> = flowgate::platform::environment_text(&block)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "FLOWGATE_RUN",
            "LITELLM_LOCAL_MODEL_COST_MAP",
            "NO_PROXY",
            "PATH",
            "SENT",
            "no_proxy"
        ]
    );
    let stat = flowgate::platform::process_stat(pid).unwrap();
    assert_eq!(stat.session, pid);
}

#[test]
fn a_second_start_is_a_no_op() {
    let house = House::new();
    let pid = house.start_ready("cliproxyapi_plus");
    let begun = Instant::now();
    assert_eq!(
        house.start("cliproxyapi_plus", &[]),
        Answer::Started { pid, already: true }
    );
    assert!(
        begun.elapsed() < Duration::from_millis(500),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(house.spawns("cliproxyapi_plus"), 1);
    assert_eq!(
        house.events("service_start"),
        ["success", "already-running"]
    );
}

#[test]
fn two_that_start_at_once_get_the_same_start() {
    let house = House::new();
    let start = || house.start("litellm", &[("FLOWGATE_STANDIN_DELAY_MS", "400")]);
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(start);
        let second = scope.spawn(start);
        (first.join().unwrap(), second.join().unwrap())
    });
    assert!(
        matches!(first, Answer::Started { already: false, .. }),
        "{first:?}"
    );
    assert_eq!(first, second);
    assert_eq!(house.spawns("litellm"), 1);
}

#[test]
fn an_exit_code_of_0_is_a_failure_and_told_within_100_ms() {
    let house = House::new();
    let script = "[sh, -c, 'sleep 0.3; date +%s%N > ended; exit 0']";
    house.configure(script, script, "");
    let (answer, events) = house.ask(Command::Start(house.launch("cliproxyapi_plus", &[])));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let Answer::Failed { reason, exit } = answer.unwrap() else {
        panic!("not failed");
    };
    assert_eq!(reason, "exited");
    let exit = exit.unwrap();
    assert_eq!((exit.code, exit.requested), (Some(0), false));
    assert!(matches!(events.last().unwrap(), Event::Exited { .. }));
    let ended: u64 = read(&house.path("ended")).trim().parse().unwrap();
    let late = now - Duration::from_nanos(ended);
    assert!(
        late < Duration::from_millis(100),
        "told {late:?} after the end"
    );
    assert_eq!(house.record("cliproxyapi_plus").last_exit, Some(exit));
    assert_eq!(house.events("service_start"), ["failed"]);
    let status = house.status("cliproxyapi_plus");
    assert_eq!((status.state, status.wanted), (ServiceState::Backoff, true));
    assert!(status.next_try_at.is_some());
}

/// Writes a file that may be executed.
fn program(house: &House, text: &str) {
    house.write("program", text);
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(house.path("program"), mode).unwrap();
}

#[test]
fn a_program_that_cannot_be_executed_is_no_start() {
    let house = House::new();
    house.configure("[./nowhere]", "[./program]", "");
    program(&house, "<html>404 Not Found</html>");
    for service in ["litellm", "cliproxyapi_plus"] {
        let Answer::Failed { reason, exit: None } = house.start(service, &[]) else {
            panic!("not failed at once");
        };
        assert_eq!(reason, "spawn-failed");
        assert_eq!(house.spawns(service), 0);
    }
    // An interpreter that is not there shows only when the leap is tried.
    program(&house, "#!/nowhere/python\n");
    let Answer::Failed { reason, exit } = house.start("cliproxyapi_plus", &[]) else {
        panic!("not failed");
    };
    assert_eq!(reason, "spawn-failed");
    assert_eq!(exit.unwrap().code, Some(127));
    let log = house.log("cliproxyapi_plus");
    assert!(log.contains("failed to execute ./program"), "{log}");
}

#[test]
fn a_runner_script_gets_host_and_port_and_is_the_leader_of_its_tree() {
    let house = House::new();
    // As the original wrote them: the program is a child, and the config names no port.
    program(
        &house,
        &format!("#!/bin/sh\n{FLOWGATE} standin litellm --config active.yaml \"$@\"\n"),
    );
    house.configure("[./program]", "[./program]", "");
    let pid = house.start_ready("litellm");
    let members = flowgate::supervisor::session::Session::of(&house.record("litellm").run.unwrap())
        .unwrap()
        .members();
    assert!(
        members.len() == 2 && members.iter().any(|member| member.pid == pid),
        "{members:?}"
    );
    house.stop("litellm");
    assert!(!house.answers(house.litellm));
}

#[test]
fn a_held_port_is_no_start() {
    let house = House::new();
    let _held = TcpListener::bind(("127.0.0.1", house.litellm)).unwrap();
    assert_eq!(
        house.start("litellm", &[]),
        Answer::Failed {
            reason: "port-in-use".into(),
            exit: None
        }
    );
    assert_eq!(house.spawns("litellm"), 0);
    assert!(house.record("litellm").wanted);
}

#[test]
fn a_slow_start_is_told_in_time_and_goes_on() {
    let house = House::new();
    let args = format!("[{FLOWGATE}, standin, litellm, --config, active.yaml]");
    house.configure(&args, &args, "ready_timeout: 300ms");
    let answer = house.start("litellm", &[("FLOWGATE_STANDIN_DELAY_MS", "1500")]);
    assert_eq!(
        answer,
        Answer::Failed {
            reason: "not-ready".into(),
            exit: None
        }
    );
    wait_for("the slow service to get ready", || {
        house.status("litellm").state == ServiceState::Ready
    });
    assert_eq!(house.spawns("litellm"), 1);
}

#[test]
fn a_client_that_goes_away_cancels_nothing() {
    use std::io::Write;
    let house = House::new();
    let launch = house.launch("litellm", &[("FLOWGATE_STANDIN_DELAY_MS", "500")]);
    let request = flowgate::supervisor::protocol::Request {
        v: 1,
        id: 1,
        command: Command::Start(launch),
    };
    let mut stream = crate::protocol::connect(&house);
    let mut line = serde_json::to_vec(&request).unwrap();
    line.push(b'\n');
    stream.write_all(&line).unwrap();
    wait_for("the process", || {
        house.runtime.join("pids/litellm.pid").exists()
    });
    drop(stream);
    let answer = house.start("litellm", &[]);
    assert!(matches!(answer, Answer::Started { .. }), "{answer:?}");
    assert_eq!(house.spawns("litellm"), 1);
}

#[test]
fn nothing_is_started_that_no_record_could_tell_of() {
    let house = House::new();
    let record = house.runtime.join("supervisor/litellm.json");
    std::fs::create_dir(&record).unwrap();
    let (answer, events) = house.ask(Command::Start(house.launch("litellm", &[])));
    let Err(ClientError::Refused(refusal)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(refusal.code, "runtime-dir");
    assert!(
        refusal.message.contains("litellm.json"),
        "{}",
        refusal.message
    );
    assert!(events.is_empty() && !house.answers(house.litellm));
    std::fs::remove_dir(&record).unwrap();
    house.start_ready("litellm");
}

#[test]
fn a_ready_service_is_seen_at_once() {
    let house = House::new();
    let port = house.proxy;
    let (open, told) = std::thread::scope(|scope| {
        let open = scope.spawn(|| {
            wait_for("the port", || house.answers(port));
            Instant::now()
        });
        house.start_ready("cliproxyapi_plus");
        let told = Instant::now();
        (open.join().unwrap(), told)
    });
    // 20 ms of pause and look, and what a busy machine adds to two processes and two requests.
    let lag = told.saturating_duration_since(open);
    assert!(lag < Duration::from_millis(250), "{lag:?}");
}

#[test]
fn the_config_is_read_at_each_start() {
    let house = House::new();
    house.configure("[./nowhere]", "[./nowhere]", "");
    house.start("litellm", &[]);
    house.write("config/flowgate.yaml", "services: [");
    let (answer, _) = house.ask(Command::Start(house.launch("litellm", &[])));
    let error = answer.unwrap_err().to_string();
    assert!(
        error.starts_with("Config error: config/flowgate.yaml:1:"),
        "{error}"
    );
}
