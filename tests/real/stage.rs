//! A gateway whose LiteLLM is the real one; CLIProxyAPIPlus is its stand-in.

use std::fs::File;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::gateway::{MASTER_KEY, Said, UPSTREAM_KEY, is_listening};
use crate::package::Package;
use crate::process::{Process, read, wait_at_most, wait_for, write};
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

/// How long a start by hand may take; with other work beside it LiteLLM needs half a minute.
const START: Duration = Duration::from_secs(120);

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

    /// Starts LiteLLM as a person would, without flowgate and without what flowgate always sets for
    /// it; its output goes to its log.
    pub fn start_by_hand(&self, package: &Package, args: &[&str], env: &[(&str, &str)]) -> Process {
        let log = self.path(LOG);
        std::fs::create_dir_all(log.parent().unwrap()).unwrap();
        let open = || {
            File::options()
                .create(true)
                .append(true)
                .open(&log)
                .unwrap()
        };
        self.start_into(package, args, env, open().into())
    }

    /// The same with its standard output elsewhere.
    pub fn start_into(
        &self,
        package: &Package,
        args: &[&str],
        env: &[(&str, &str)],
        out: Stdio,
    ) -> Process {
        let log = self.path(LOG);
        std::fs::create_dir_all(log.parent().unwrap()).unwrap();
        let errors = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let mut all = vec![
            ("HOME", self.path(".").display().to_string()),
            ("LITELLM_LOCAL_MODEL_COST_MAP", "True".to_owned()),
        ];
        all.extend(env.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let script = package.script();
        let folder = self.path(".");
        Process::start_into(&script, args, &folder, (out, errors.into()), &all)
    }

    /// Waits until LiteLLM says where it listens; gives the port.
    pub fn wait_until_running(&self, process: &mut Process) -> u16 {
        let mut port = None;
        wait_at_most(START, "LiteLLM to listen", || {
            assert!(process.is_alive(), "it ended:\n{}", self.log());
            let log = self.log();
            let said = log.split("Uvicorn running on http://127.0.0.1:").nth(1);
            port = said.and_then(|rest| rest.split(' ').next()?.parse().ok());
            port.is_some_and(is_listening)
        });
        port.unwrap()
    }

    /// Waits for the end of a LiteLLM that was started by hand; gives its exit code.
    pub fn wait_for_end(&self, process: &mut Process) -> Option<i32> {
        wait_at_most(START, "LiteLLM to end", || !process.is_alive());
        process.wait()
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
