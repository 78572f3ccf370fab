//! `service` on a real supervisor with stand-ins.

use std::net::TcpListener;

use rustix::process::Signal;
use serde_json::Value;

use crate::gateway::is_listening;
use crate::process::{read, wait_for, write};
use crate::supervised::{Supervised, is_alive, pid_of, said, send};

const DELAY: &str = "FLOWGATE_STANDIN_DELAY_MS";

#[test]
fn all_services_start_in_order_get_ready_and_stop() {
    let gateway = Supervised::new(&[]);
    let first = gateway.flowgate(&["service", "start", "all"]);
    assert_eq!(first.code, 0, "{}{}", first.out, first.err);
    let (proxy, litellm) = (
        pid_of(&first, "cliproxyapi_plus:started"),
        pid_of(&first, "litellm:started"),
    );
    assert_eq!(
        first.out,
        format!("cliproxyapi_plus:started pid={proxy}\nlitellm:started pid={litellm}\n")
    );
    assert_eq!(first.err, "", "nothing is said on a pipe while it waits");
    assert!(is_listening(gateway.litellm) && is_listening(gateway.proxy));
    assert_eq!(gateway.pid("litellm"), Some(litellm));
    let health = gateway.flowgate(&["health"]);
    assert_eq!(health.code, 0, "{}", health.out);

    let again = gateway.flowgate(&["service", "start"]);
    assert_eq!(again.out, first.out, "what runs is left alone");

    let stop = gateway.flowgate(&["service", "stop"]);
    assert_eq!(stop.code, 0, "{}", stop.err);
    assert_eq!(stop.out, "litellm:stopped\ncliproxyapi_plus:stopped\n");
    assert!(!is_alive(litellm) && !is_alive(proxy));
    assert!(!is_listening(gateway.litellm) && !is_listening(gateway.proxy));
    let again = gateway.flowgate(&["service", "stop", "all"]);
    assert_eq!((again.code, again.out), (0, stop.out));
}

#[test]
fn a_restart_gives_a_new_process_and_starts_what_was_down() {
    let gateway = Supervised::new(&[]);
    let start = gateway.flowgate(&["service", "start", "cliproxyapi_plus"]);
    let before = pid_of(&start, "cliproxyapi_plus:started");
    let restart = gateway.flowgate(&["service", "restart", "all"]);
    assert_eq!(restart.code, 0, "{}{}", restart.out, restart.err);
    let after = pid_of(&restart, "cliproxyapi_plus:restarted");
    assert_ne!(before, after);
    assert!(!is_alive(before));
    assert_eq!(
        gateway.pid("litellm"),
        Some(pid_of(&restart, "litellm:restarted"))
    );
}

#[test]
fn a_taken_port_is_named_and_the_other_service_goes_on() {
    let gateway = Supervised::new(&[]);
    let _stranger = TcpListener::bind(("127.0.0.1", gateway.proxy)).unwrap();
    let start = gateway.flowgate(&["service", "start", "all"]);
    assert_eq!(start.code, 1);
    let token = format!(
        "cliproxyapi_plus:start-failed reason=port-in-use host=127.0.0.1 port={}\n",
        gateway.proxy
    );
    assert!(start.err.contains(&token), "{}", start.err);
    assert!(
        start.err.contains("port-conflict/foreign-listener"),
        "{}",
        start.err
    );
    assert!(
        start.err.contains(&format!("pid {}", std::process::id())),
        "{}",
        start.err
    );
    assert!(is_alive(pid_of(&start, "litellm:started")));
    assert!(!start.out.contains("cliproxyapi_plus"));
}

#[test]
fn a_config_that_is_not_there_is_named() {
    let gateway = Supervised::new(&[]);
    std::fs::remove_file(gateway.path(".router/runtime/litellm.active.yaml")).unwrap();
    let start = gateway.flowgate(&["service", "start", "litellm"]);
    assert_eq!(start.code, 1);
    assert!(
        start.err.starts_with("litellm:start-failed reason=exited "),
        "{}",
        start.err
    );
    assert!(
        start.err.contains("readiness/no-active-profile"),
        "{}",
        start.err
    );
    assert_eq!(start.out, "");
}

#[test]
fn an_exit_with_zero_is_a_failed_start() {
    let gateway = Supervised::new(&[]);
    gateway.edit(
        "config/flowgate.yaml",
        "args: [.router/runtime/bin/CLIProxyAPIPlus, standin, cliproxyapi, -config, config/cliproxyapi.yaml]",
        "args: [/bin/true, -config, config/cliproxyapi.yaml]",
    );
    let start = gateway.flowgate(&["service", "start", "cliproxyapi_plus", "--json"]);
    assert_eq!(start.code, 1);
    let document: Value = serde_json::from_str(&start.out).unwrap();
    assert_eq!(document["ok"], false);
    let service = &document["services"][0];
    assert_eq!(service["result"], "failed");
    assert_eq!(service["reason"], "exited");
    assert_eq!(service["exit"]["code"], 0);
    let findings = document["findings"].as_array().unwrap();
    assert!(
        findings
            .iter()
            .any(|finding| finding["subject"] == "cliproxyapi_plus"),
        "{document:#}"
    );
}

#[test]
fn two_commands_at_once_start_nothing_twice() {
    let gateway = Supervised::new(&[("litellm", DELAY, "300")]);
    let one = gateway.begin(&["service", "start", "all"]);
    let other = gateway.begin(&["service", "start", "all"]);
    let one = said(one.wait_with_output().unwrap());
    let other = said(other.wait_with_output().unwrap());
    assert_eq!((one.code, other.code), (0, 0), "{}{}", one.err, other.err);
    assert_eq!(one.out, other.out, "both tell of the same processes");
}

#[test]
fn a_start_goes_on_when_the_one_who_asked_is_gone() {
    for signal in [Signal::INT, Signal::KILL] {
        let gateway = Supervised::new(&[("litellm", DELAY, "700")]);
        let command = gateway.begin(&["service", "start", "litellm"]);
        let record = gateway.path(".router/runtime/supervisor/litellm.json");
        wait_for("the service to be spawned", || {
            read(&record).contains("\"starting\"")
        });
        send(command.id(), signal);
        let ended = said(command.wait_with_output().unwrap());
        assert_eq!(ended.out, "");
        assert_ne!(ended.code, 0);
        wait_for("the start to go on", || {
            gateway.status()["services"][0]["state"] == "ready"
        });
    }
}

#[test]
fn a_closed_terminal_ends_nothing() {
    let gateway = Supervised::new(&[]);
    let shown = gateway.on_terminal("service start all");
    assert!(shown.contains("✓"), "{shown}");
    assert!(
        shown.contains(&format!("ready on :{}", gateway.litellm)),
        "{shown}"
    );
    let health = gateway.flowgate(&["health"]);
    assert_eq!(health.code, 0, "{}", health.out);
    let table = gateway.on_terminal("status");
    assert!(
        table.contains("ready") && table.contains("supervisor pid"),
        "{table}"
    );
}

#[test]
fn a_dead_supervisor_leaves_the_services_and_a_new_one_starts_nothing_twice() {
    let gateway = Supervised::new(&[]);
    let first = gateway.flowgate(&["service", "start", "all"]);
    assert_eq!(first.code, 0, "{}{}", first.out, first.err);
    gateway.kill_supervisor();
    let status = gateway.flowgate(&["status"]);
    assert!(status.out.contains("litellm_running=yes"), "{}", status.out);
    assert!(status.out.contains("cliproxyapi_plus_running=yes"));
    assert_eq!(gateway.supervisor(), None, "status starts none");
    assert_eq!(gateway.flowgate(&["health"]).code, 0);

    let again = gateway.flowgate(&["service", "start", "all"]);
    assert_eq!(again.out, first.out, "{}", again.err);
    let stop = gateway.flowgate(&["service", "stop", "all"]);
    assert_eq!(stop.code, 0, "{}{}", stop.out, stop.err);
    assert!(!is_listening(gateway.litellm) && !is_listening(gateway.proxy));
}

#[test]
fn a_service_that_flowgate_does_not_run_is_left_alone() {
    let gateway = Supervised::new(&[]);
    gateway.edit(
        "config/flowgate.yaml",
        "  litellm:\n",
        "  litellm:\n    managed: false\n    unit: litellm.service\n",
    );
    let start = gateway.flowgate(&["service", "start", "all"]);
    assert_eq!(start.code, 0, "{}", start.err);
    assert!(start.out.starts_with("cliproxyapi_plus:started pid="));
    assert!(!start.out.contains("litellm"));
    assert_eq!(
        start.err,
        "litellm is run by the systemd unit litellm.service, not by flowgate\n"
    );
    let named = gateway.flowgate(&["service", "stop", "litellm"]);
    assert_eq!(named.code, 1);
    assert!(
        named.err.contains("hint: systemctl stop litellm.service"),
        "{}",
        named.err
    );
}

#[test]
fn an_unknown_or_switched_off_service_is_one_sentence_and_nothing_is_done() {
    let gateway = Supervised::new(&[]);
    gateway.edit(
        "config/flowgate.yaml",
        "  litellm:\n",
        "  litellm:\n    enabled: false\n",
    );
    for verb in ["start", "stop", "restart", "logs"] {
        let asked = gateway.flowgate(&["service", verb, "nobody"]);
        assert_eq!(asked.code, 2);
        assert_eq!(asked.err, "Unknown service: nobody\n");
        assert_eq!(asked.out, "");
    }
    let start = gateway.flowgate(&["service", "start", "litellm"]);
    assert_eq!(start.code, 1);
    assert!(
        start.err.contains("litellm is switched off"),
        "{}",
        start.err
    );
    assert!(!gateway.path(".router/runtime/supervisor").exists());
    // Nothing runs: to stop needs no supervisor either.
    let stop = gateway.flowgate(&["service", "stop"]);
    assert_eq!(
        (stop.code, stop.out.as_str()),
        (0, "cliproxyapi_plus:stopped\n")
    );
    assert!(!gateway.path(".router/runtime/supervisor").exists());
}

#[test]
fn a_log_is_shown_from_its_end_and_followed_until_nobody_reads() {
    let gateway = Supervised::new(&[]);
    let log = gateway.path(".router/runtime/process-logs/litellm.log");
    let lines = |from: u32, to: u32| {
        (from..=to)
            .map(|n| format!("line {n}\n"))
            .collect::<String>()
    };
    write(&log, &lines(1, 60), 0o644);
    let shown = gateway.flowgate(&["service", "logs", "litellm", "-n", "3"]);
    assert_eq!(shown.out, lines(58, 60));
    let shown = gateway.flowgate(&["service", "logs", "litellm"]);
    assert_eq!(shown.out, lines(11, 60));

    let mut follower = gateway.begin(&["service", "logs", "litellm", "-f", "-n", "1"]);
    let mut out = follower.stdout.take().unwrap();
    assert_eq!(next_line(&mut out), "line 60");
    append(&log, "line 61\n");
    assert_eq!(next_line(&mut out), "line 61");
    // A log that begins anew is read from its start.
    write(&log, "anew\n", 0o644);
    assert_eq!(next_line(&mut out), "anew");
    drop(out);
    let ended = said(follower.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
}

fn append(log: &std::path::Path, text: &str) {
    let mut file = std::fs::OpenOptions::new().append(true).open(log).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
}

fn next_line(out: &mut impl std::io::Read) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while out.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    String::from_utf8(line).unwrap()
}
