//! A gateway whose LiteLLM is the real one; CLIProxyAPIPlus is its stand-in.

use std::ops::{Deref, DerefMut};
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use crate::gateway::{MASTER_KEY, Said, UPSTREAM_KEY, is_listening};
use crate::package::Package;
use crate::process::{Process, read, wait_for, write};
use crate::supervised::{Supervised, is_alive, send};

/// The active config, below the root.
pub const ACTIVE: &str = ".router/runtime/litellm.active.yaml";
/// LiteLLM's log, below the root.
pub const LOG: &str = ".router/runtime/process-logs/litellm.log";
/// flowgate's own config, below the root.
pub const FLOWGATE_YAML: &str = "config/flowgate.yaml";

/// A config that is as it should be; `PROXY` stands for the port of CLIProxyAPIPlus.
const SOUND: &str = "\
model_list:
  - model_name: gpt-5
    litellm_params:
      model: openai/gpt-5
      api_base: http://127.0.0.1:PROXY/v1
      api_key: UPSTREAM
general_settings:
  master_key: MASTER
";

/// A gateway in a temp dir, and the processes that were started beside it.
pub struct Stage {
    supervised: Supervised,
}

impl Deref for Stage {
    type Target = Supervised;

    fn deref(&self) -> &Supervised {
        &self.supervised
    }
}

impl DerefMut for Stage {
    fn deref_mut(&mut self) -> &mut Supervised {
        &mut self.supervised
    }
}

impl Stage {
    /// A sound gateway; nothing runs yet.
    pub fn new(package: &Package) -> Self {
        let mut stage = Self {
            supervised: Supervised::new(&[]),
        };
        stage.uses(package);
        stage.config(|sound| sound);
        stage
    }

    /// The same with another text in place of a part of the LiteLLM config, and its proxy running.
    pub fn with(package: &Package, from: &str, to: &str) -> Self {
        let stage = Self::new(package);
        stage.config(|sound| {
            assert!(sound.contains(from), "{from:?} is not in the config");
            sound.replace(from, to)
        });
        stage.start_proxy();
        stage
    }

    /// Lets flowgate start the LiteLLM of an environment.
    pub fn uses(&mut self, package: &Package) {
        self.command(&format!(
            "[{}, --config, {ACTIVE}]",
            package.script().display()
        ));
    }

    /// Writes `services.litellm.command.args`.
    pub fn command(&self, args: &str) {
        let path = self.path(FLOWGATE_YAML);
        let text = read(&path);
        let of_litellm = text
            .lines()
            .find(|line| line.contains("args: [") && line.contains(ACTIVE))
            .unwrap();
        write(
            &path,
            &text.replace(of_litellm, &format!("      args: {args}")),
            0o644,
        );
    }

    /// Writes the LiteLLM config, made from a sound one.
    pub fn config(&self, change: impl FnOnce(String) -> String) {
        let text = change(SOUND.to_owned())
            .replace("PROXY", &self.proxy.to_string())
            .replace("UPSTREAM", UPSTREAM_KEY)
            .replace("MASTER", MASTER_KEY);
        write(&self.path(ACTIVE), &text, 0o600);
    }

    /// Starts the stand-in of CLIProxyAPIPlus under the supervisor.
    pub fn start_proxy(&self) {
        let said = self.flowgate(&["service", "start", "cliproxyapi_plus"]);
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    }

    /// Starts LiteLLM under the supervisor; it must come up. Gives its pid.
    pub fn start_litellm(&self) -> u32 {
        let said = self.flowgate(&["service", "start", "litellm"]);
        assert_eq!(said.code, 0, "{}{}\n{}", said.out, said.err, self.log());
        crate::supervised::pid_of(&said, "litellm:started")
    }

    /// Starts LiteLLM under the supervisor; it must fail for this reason, and the command must name
    /// the finding. Gives what the doctor says afterwards.
    pub fn fails(&self, reason: &str, id: &str) -> Value {
        let said = self.flowgate(&["service", "start", "litellm"]);
        self.says_failure(&said, reason, id);
        self.doctor(&[])
    }

    /// Panics when a command does not say that the start failed, why, and in which finding it ends.
    pub fn says_failure(&self, said: &Said, reason: &str, id: &str) {
        let all = format!("{}{}\n{}", said.out, said.err, self.log());
        assert_eq!(said.code, 1, "{all}");
        let token = format!(
            "litellm:start-failed reason={reason} host=127.0.0.1 port={}",
            self.litellm
        );
        assert!(said.err.contains(&token), "no {token}: {all}");
        assert!(said.err.contains(id), "no {id}: {all}");
    }

    /// What LiteLLM wrote.
    pub fn log(&self) -> String {
        read(&self.path(LOG))
    }

    /// A small web server that is neither program, on a port.
    pub fn stranger(&self, port: u16) -> Process {
        let python = Path::new("python3");
        let text = port.to_string();
        let args = ["-m", "http.server", "--bind", "127.0.0.1", &text];
        let (folder, log) = (self.path("."), self.path("stranger.log"));
        let process = Process::start(python, &args, &folder, &log, &[]);
        wait_for("the stranger to listen", || is_listening(port));
        process
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let record: Value =
            serde_json::from_str(&read(&self.path(".router/runtime/supervisor/litellm.json")))
                .unwrap_or_default();
        self.flowgate(&["service", "stop", "all"]);
        // Whatever a failed stop left of the session that was made for it.
        if let Some(session) = record["run"]["sid"].as_u64() {
            end_session(session);
        }
    }
}

/// Ends what still runs in a session.
pub fn end_session(session: u64) {
    for pid in members(session) {
        send(pid, Signal::KILL);
        wait_for("a member of the session to end", || !is_alive(pid));
    }
}

/// The processes of a session that live.
pub fn members(session: u64) -> Vec<u32> {
    let folders = std::fs::read_dir("/proc").unwrap();
    let pids = folders.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &u32| {
        let stat = read(Path::new(&format!("/proc/{pid}/stat")));
        let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let fields: Vec<&str> = rest.split(' ').collect();
        fields.get(3) == Some(&session.to_string().as_str()) && is_alive(*pid)
    })
    .collect()
}
