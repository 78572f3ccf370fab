//! `run` in the foreground.

use rustix::process::Signal;

use crate::gateway::is_listening;
use crate::process::{read, wait_for};
use crate::supervised::{Supervised, is_alive, pid_of, said, send};

#[test]
fn services_run_with_the_foreground_and_stop_with_it() {
    let gateway = Supervised::new(&[]);
    let command = gateway.begin(&["run"]);
    let pid = command.id();
    wait_for("both to be ready", || {
        let services = gateway.status()["services"].clone();
        let ready = |index: usize| services[index]["state"] == "ready";
        ready(0) && ready(1)
    });
    assert_eq!(
        gateway.supervisor(),
        Some(pid),
        "it is the supervisor itself"
    );
    let second = gateway.flowgate(&["run"]);
    assert_eq!(second.code, 1);
    assert!(
        second.err.contains(&format!("hint: kill {pid}")),
        "{}",
        second.err
    );
    send(pid, Signal::INT);
    let ended = said(command.wait_with_output().unwrap());
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    let litellm = pid_of(&ended, "litellm:started");
    assert!(
        ended
            .out
            .ends_with("litellm:stopped\ncliproxyapi_plus:stopped\n"),
        "{}",
        ended.out
    );
    assert!(!is_alive(litellm));
    assert!(!is_listening(gateway.litellm) && !is_listening(gateway.proxy));
}

#[test]
fn a_start_in_the_foreground_can_be_given_up() {
    let gateway = Supervised::new(&[("litellm", "FLOWGATE_STANDIN_DELAY_MS", "60000")]);
    let command = gateway.begin(&["run"]);
    let record = gateway.path(".router/runtime/supervisor/litellm.json");
    wait_for("the start", || read(&record).contains("\"starting\""));
    send(command.id(), Signal::TERM);
    let ended = said(command.wait_with_output().unwrap());
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(!ended.err.contains("start-failed"), "{}", ended.err);
    assert_eq!(gateway.pid("litellm"), None);
    assert_eq!(gateway.pid("cliproxyapi_plus"), None);
}

#[test]
fn the_foreground_ends_when_nothing_runs_any_more() {
    let gateway = Supervised::new(&[]);
    gateway.edit(
        "config/flowgate.yaml",
        "  litellm:\n",
        "  litellm:\n    enabled: false\n",
    );
    let command = gateway.begin(&["run"]);
    wait_for("the proxy to run", || {
        gateway.pid("cliproxyapi_plus").is_some()
    });
    wait_for("the proxy to be ready", || {
        gateway.status()["services"][0]["state"] == "ready"
    });
    send(gateway.pid("cliproxyapi_plus").unwrap(), Signal::KILL);
    let ended = said(command.wait_with_output().unwrap());
    assert_eq!(ended.code, 1);
    assert!(
        ended.err.contains("no service runs any more"),
        "{}",
        ended.err
    );
}
