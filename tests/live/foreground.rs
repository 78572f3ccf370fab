//! `run` in the foreground.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use crate::gateway::{FLOWGATE, Said, is_listening};
use crate::process::{read, wait_for, write};
use crate::supervised::{Supervised, is_alive, pid_of, said, send};

#[test]
fn services_run_with_the_foreground_and_stop_with_it() {
    let gateway = Supervised::new(&[]);
    let command = gateway.begin(&["run"]);
    let pid = command.id();
    wait_for_both(&gateway);
    assert_eq!(
        gateway.supervisor(),
        Some(pid),
        "it is the supervisor itself"
    );
    let second = gateway.flowgate(&["run"]);
    assert_eq!(second.code, 3, "another try would find the same");
    assert!(
        second.err.contains(&format!("hint: kill {pid}")),
        "{}",
        second.err
    );
    send(pid, Signal::INT);
    let ended = end_of(command);
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
fn services_that_run_in_the_background_go_on_in_the_foreground() {
    let gateway = Supervised::new(&[]);
    let started = gateway.flowgate(&["service", "start", "all"]);
    assert_eq!(started.code, 0, "{}", started.err);
    let litellm = pid_of(&started, "litellm:started");
    let background = gateway.supervisor().unwrap();
    let command = gateway.begin(&["run"]);
    wait_for("the foreground to serve", || {
        gateway.supervisor() == Some(command.id())
    });
    assert!(!is_alive(background));
    wait_for_both(&gateway);
    assert_eq!(gateway.pid("litellm"), Some(litellm), "it was not stopped");
    send(command.id(), Signal::INT);
    let ended = end_of(command);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    let said = format!("the supervisor in the background (pid {background}) has ended\n");
    assert!(ended.err.contains(&said), "{}", ended.err);
    assert_eq!(pid_of(&ended, "litellm:started"), litellm);
    assert!(!is_alive(litellm));
    assert!(!is_listening(gateway.litellm) && !is_listening(gateway.proxy));
}

#[test]
fn a_supervisor_in_the_background_makes_way_when_nobody_waits_for_it() {
    let gateway = Supervised::new(&[("litellm", "FLOWGATE_STANDIN_DELAY_MS", "1500")]);
    let mut starting = gateway.begin(&["service", "start", "all"]);
    let record = gateway.path(".router/runtime/supervisor/litellm.json");
    wait_for("the start", || read(&record).contains("\"starting\""));
    let command = gateway.begin(&["run"]);
    // Whoever asked for the start hears how it ended.
    wait_for("the start to end", || {
        starting.try_wait().unwrap().is_some()
    });
    let started = said(starting.wait_with_output().unwrap());
    assert_eq!(started.code, 0, "{}{}", started.out, started.err);
    let litellm = pid_of(&started, "litellm:started");
    wait_for("the foreground to serve", || {
        gateway.supervisor() == Some(command.id())
    });
    assert_eq!(gateway.pid("litellm"), Some(litellm));
    send(command.id(), Signal::TERM);
    assert_eq!(end_of(command).code, 0);
}

/// `flowgate run` on a terminal of its own, at which somebody types.
struct Typed {
    script: Child,
}

impl Typed {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test runs the program under test"
    )]
    fn run(gateway: &Supervised) -> Self {
        let script = Command::new("script")
            .args(["-qec", &format!("exec {FLOWGATE} run"), "/dev/null"])
            .current_dir(gateway.path("."))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", gateway.path("."))
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Self {
            script: script.unwrap(),
        }
    }

    /// The terminal makes an interrupt of it, for everything that runs in the foreground there.
    fn ctrl_c(&mut self) {
        let keyboard = self.script.stdin.as_mut().unwrap();
        keyboard.write_all(&[3]).unwrap();
        keyboard.flush().unwrap();
    }
}

/// A gateway whose services ignore TERM and would be waited for a minute each.
fn stubborn() -> Supervised {
    let gateway = Supervised::new(&[]);
    write(
        &gateway.path("stubborn.sh"),
        &format!("trap '' TERM\nexec {FLOWGATE} \"$@\"\n"),
        0o700,
    );
    for (service, program) in [
        ("litellm", "litellm"),
        ("cliproxyapi_plus", "CLIProxyAPIPlus"),
    ] {
        let of = format!("[.router/runtime/bin/{program}, ");
        gateway.edit("config/flowgate.yaml", &of, "[sh, stubborn.sh, ");
        let head = format!("  {service}:\n");
        let longer = format!("{head}    stop_timeout: 60s\n");
        gateway.edit("config/flowgate.yaml", &head, &longer);
    }
    gateway
}

#[test]
fn ctrl_c_on_a_terminal_stops_the_services() {
    let gateway = Supervised::new(&[]);
    let mut typed = Typed::run(&gateway);
    wait_for_both(&gateway);
    let litellm = gateway.pid("litellm").unwrap();
    typed.ctrl_c();
    let ended = end_of(typed.script);
    assert_eq!(ended.code, 0, "{}", ended.out);
    assert!(!is_alive(litellm));
    assert!(!is_listening(gateway.litellm) && !is_listening(gateway.proxy));
}

#[test]
fn a_second_ctrl_c_sends_every_service_the_next_signal() {
    let gateway = stubborn();
    let mut typed = Typed::run(&gateway);
    wait_for_both(&gateway);
    let pids = [gateway.pid("litellm"), gateway.pid("cliproxyapi_plus")].map(Option::unwrap);
    let record =
        |service: &str| read(&gateway.path(&format!(".router/runtime/supervisor/{service}.json")));
    typed.ctrl_c();
    wait_for("the stop to begin", || {
        record("litellm").contains("\"stopping\"")
    });
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    typed.ctrl_c();
    // Not the minute that each of them has.
    let ended = end_of(typed.script);
    assert_eq!(ended.code, 0, "{}", ended.out);
    assert!(!pids.iter().any(|pid| is_alive(*pid)));
    for service in ["litellm", "cliproxyapi_plus"] {
        // They ended by the next signal, not by the last.
        let record = record(service);
        assert!(record.contains("\"signal\":\"INT\""), "{record}");
    }
    assert!(!is_listening(gateway.litellm) && !is_listening(gateway.proxy));
}

#[test]
fn a_start_in_the_foreground_can_be_given_up() {
    let gateway = Supervised::new(&[("litellm", "FLOWGATE_STANDIN_DELAY_MS", "60000")]);
    let command = gateway.begin(&["run"]);
    let record = gateway.path(".router/runtime/supervisor/litellm.json");
    wait_for("the start", || read(&record).contains("\"starting\""));
    send(command.id(), Signal::TERM);
    let ended = end_of(command);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(!ended.err.contains("start-failed"), "{}", ended.err);
    assert_eq!(gateway.pid("litellm"), None);
    assert_eq!(gateway.pid("cliproxyapi_plus"), None);
}

#[test]
fn the_foreground_ends_well_when_all_were_told_to_stop_by_somebody_else() {
    let gateway = Supervised::new(&[]);
    let command = gateway.begin(&["run"]);
    wait_for_both(&gateway);
    // Neither ends it: it has nothing to read anew, and no terminal is needed.
    send(command.id(), Signal::USR1);
    send(command.id(), Signal::USR2);
    let stop = gateway.flowgate(&["service", "stop", "all"]);
    assert_eq!(stop.code, 0, "{}", stop.err);
    let ended = end_of(command);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(
        ended.err.contains("no service runs any more\n"),
        "{}",
        ended.err
    );
}

#[test]
fn the_exit_code_says_which_service_failed_for_good() {
    let gateway = Supervised::new(&[]);
    // A fault that only an edit can end.
    write(
        &gateway.path(".router/runtime/litellm.active.yaml"),
        "model_list: [\n",
        0o600,
    );
    gateway.edit(
        "config/flowgate.yaml",
        "  cliproxyapi_plus:\n",
        "  cliproxyapi_plus:\n    enabled: false\n",
    );
    let ended = end_of(gateway.begin(&["run"]));
    assert_eq!(ended.code, 18, "{}{}", ended.out, ended.err);
    assert!(
        ended
            .err
            .contains("no service runs any more; failed: litellm\n"),
        "{}",
        ended.err
    );
}

/// What a command said, once it has ended; one that does not is ended by whoever owns the gateway.
fn end_of(mut command: Child) -> Said {
    wait_for("the command to end", || {
        command.try_wait().unwrap().is_some()
    });
    said(command.wait_with_output().unwrap())
}

fn wait_for_both(gateway: &Supervised) {
    wait_for("both to be ready", || {
        let services = gateway.status()["services"].clone();
        let ready = |index: usize| services[index]["state"] == "ready";
        ready(0) && ready(1)
    });
}

/// A process in a pid namespace of its own, of which it is the first.
struct Contained {
    unshare: Child,
}

impl Contained {
    /// None when this user may not make a namespace; that is said, since then nothing is tested.
    #[expect(clippy::disallowed_methods, reason = "a test starts what it tests")]
    fn run(gateway: &Supervised) -> Option<Self> {
        let isolated = ["--pid", "--fork", "--kill-child", "--mount-proc"];
        let tried = Command::new("unshare").args(isolated).arg("true").output();
        if !tried.is_ok_and(|tried| tried.status.success()) {
            #[expect(clippy::print_stderr, reason = "a test that did not run says so")]
            let () = eprintln!("SKIPPED, no pid namespace can be made here");
            return None;
        }
        let unshare = Command::new("unshare")
            .args(isolated)
            .arg(FLOWGATE)
            .arg("run")
            .current_dir(gateway.path("."))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", gateway.path("."))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Some(Self { unshare })
    }

    /// The first process of the namespace, as it is called outside.
    fn first(&self) -> Option<u32> {
        let path = format!("/proc/{0}/task/{0}/children", self.unshare.id());
        read(Path::new(&path)).trim().parse().ok()
    }

    /// The states of its children: `Z` has ended and nobody took its status.
    fn children(&self) -> Vec<char> {
        let first = self.first().unwrap();
        flowgate::platform::process_ids()
            .into_iter()
            .filter_map(flowgate::platform::process_stat)
            .filter(|stat| stat.parent == first)
            .map(|stat| stat.state)
            .collect()
    }

    fn says(&self, word: &str, gateway: &Supervised) -> bool {
        let record = gateway.path(".router/runtime/supervisor");
        ["litellm", "cliproxyapi_plus"].iter().all(|service| {
            read(&record.join(format!("{service}.json"))).contains(&format!("\"state\":\"{word}\""))
        })
    }

    fn end(self) -> Said {
        end_of(self.unshare)
    }
}

#[test]
fn as_the_first_process_of_a_container_it_reaps_what_services_leave_behind() {
    let gateway = Supervised::new(&[]);
    // Forty children of the service end after it has become another program: orphans that nobody
    // waits for but the first process.
    let script = gateway.path("litellm.sh");
    write(
        &script,
        &format!("for n in $(seq 40); do (sleep 0.1 & exec true); done\nexec {FLOWGATE} \"$@\"\n"),
        0o700,
    );
    gateway.edit(
        "config/flowgate.yaml",
        ".router/runtime/bin/litellm, standin, litellm",
        "sh, litellm.sh, standin, litellm",
    );
    let Some(container) = Contained::run(&gateway) else {
        return;
    };
    wait_for("both to be ready", || container.says("ready", &gateway));
    let lock = read(&gateway.path(".router/runtime/supervisor/supervisor.lock"));
    assert!(lock.contains("\"pid\":1,"), "{lock}");
    wait_for("the orphans to be gone", || container.children().len() == 2);
    assert!(!container.children().contains(&'Z'));
    // A signal that only a terminal sends is nothing here.
    let first = container.first().unwrap();
    send(first, Signal::HUP);
    send(first, Signal::USR1);
    assert!(is_listening(gateway.litellm) && is_listening(gateway.proxy));
    send(first, Signal::TERM);
    let ended = container.end();
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(
        ended
            .out
            .ends_with("litellm:stopped\ncliproxyapi_plus:stopped\n"),
        "{}",
        ended.out
    );
}
