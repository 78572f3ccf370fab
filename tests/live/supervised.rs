//! A gateway whose services a supervisor runs; everything is ended by pid.

use std::ops::Deref;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::gateway::{FLOWGATE, Gateway, Said};
use crate::process::{read, wait_for};

/// A gateway that may have a supervisor.
pub struct Supervised(pub Gateway);

impl Deref for Supervised {
    type Target = Gateway;

    fn deref(&self) -> &Gateway {
        &self.0
    }
}

impl Supervised {
    /// A gateway of which nothing runs yet; each variable goes to the stand-in of that service.
    pub fn new(env: &[(&str, &str, &str)]) -> Self {
        let gateway = Gateway::new();
        for service in ["litellm", "cliproxyapi_plus"] {
            let of_service = env.iter().filter(|(name, ..)| *name == service);
            let mut lines = String::new();
            for (_, name, value) in of_service {
                lines.push_str(&format!("      {name}: \"{value}\"\n"));
            }
            if !lines.is_empty() {
                let head = format!("  {service}:\n");
                gateway.edit(
                    "config/flowgate.yaml",
                    &head,
                    &format!("{head}    env:\n{lines}"),
                );
            }
        }
        Self(gateway)
    }

    /// Starts `flowgate` without waiting for its end.
    #[expect(
        clippy::disallowed_methods,
        reason = "a test runs the program under test"
    )]
    pub fn begin(&self, args: &[&str]) -> Child {
        Command::new(FLOWGATE)
            .args(args)
            .current_dir(self.path("."))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.path("."))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs `flowgate` on a terminal of its own, which is closed when it ends.
    #[expect(
        clippy::disallowed_methods,
        reason = "a test runs the program under test"
    )]
    pub fn on_terminal(&self, args: &str) -> String {
        let output = Command::new("script")
            .args(["-qec", &format!("{FLOWGATE} {args}"), "/dev/null"])
            .current_dir(self.path("."))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.path("."))
            .env("LANG", "C.UTF-8")
            .env("TERM", "xterm")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What `status --json` says.
    pub fn status(&self) -> Value {
        let said = self.flowgate(&["status", "--json"]);
        serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err))
    }

    /// The pid of a service that runs.
    pub fn pid(&self, service: &str) -> Option<u32> {
        let status = self.status();
        let services = status["services"].as_array().unwrap();
        let service = services.iter().find(|one| one["name"] == service).unwrap();
        service["pid"].as_u64().map(|pid| pid as u32)
    }

    /// The pid of the supervisor.
    pub fn supervisor(&self) -> Option<u32> {
        self.status()["supervisor"]["pid"]
            .as_u64()
            .map(|pid| pid as u32)
    }

    /// Kills the supervisor as a crash would.
    pub fn kill_supervisor(&self) {
        let pid = self.supervisor().unwrap();
        kill(pid);
        wait_for("the supervisor to end", || !is_alive(pid));
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.0.flowgate(&["service", "stop", "all"]);
        end_what_runs(&self.path("."));
    }
}

/// Ends the supervisor of a gateway in a folder, and the services that its records name.
pub fn end_what_runs(folder: &Path) {
    let runtime = folder.join(".router/runtime/supervisor");
    let lock: Value =
        serde_json::from_str(&read(&runtime.join("supervisor.lock"))).unwrap_or_default();
    let mut pids: Vec<u64> = lock["pid"].as_u64().into_iter().collect();
    for service in ["litellm", "cliproxyapi_plus"] {
        let record: Value = serde_json::from_str(&read(&runtime.join(format!("{service}.json"))))
            .unwrap_or_default();
        pids.extend(record["run"]["pid"].as_u64());
    }
    // A pid of this gateway still runs in its folder or is the flowgate under test.
    for pid in pids {
        if let Ok(pid) = u32::try_from(pid)
            && runs_flowgate(pid)
        {
            kill(pid);
        }
    }
}

/// Whether a process lives; one that has ended and whose status nobody read does not.
pub fn is_alive(pid: u32) -> bool {
    let stat = read(Path::new(&format!("/proc/{pid}/stat")));
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

fn runs_flowgate(pid: u32) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    std::fs::read_link(format!("/proc/{pid}/exe"))
        .is_ok_and(|exe| real(&exe) == real(Path::new(FLOWGATE)))
}

fn kill(pid: u32) {
    send(pid, Signal::KILL);
}

/// Sends a signal to a process.
pub fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let _ = kill_process(pid, signal);
}

/// What a child said.
pub fn said(output: Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The pid of a token: `litellm:started pid=42`.
pub fn pid_of(said: &Said, start: &str) -> u32 {
    said.out
        .lines()
        .find_map(|line| line.strip_prefix(start)?.strip_prefix(" pid="))
        .and_then(|pid| pid.parse().ok())
        .unwrap_or_else(|| panic!("no {start} in {}\n{}", said.out, said.err))
}
