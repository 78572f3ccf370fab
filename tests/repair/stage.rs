//! A gateway with one fault in it, beside strangers who must live on; and what is asked of it: of its
//! services, files and processes, never of the doctor.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;

use serde_json::Value;

use crate::fix::text;
use crate::gateway::{FLOWGATE, Gateway, MASTER_KEY, UPSTREAM_KEY, free_port, is_listening};
use crate::oracle;
use crate::process::{Process, read, set_mode, wait_for, write};
use crate::stranger::Stranger;
use crate::supervised::{Supervised, is_alive, send};

pub const ACTIVE: &str = ".router/runtime/litellm.active.yaml";
pub const FLOWGATE_YAML: &str = "config/flowgate.yaml";
pub const PROXY_YAML: &str = "config/cliproxyapi.yaml";
pub const TOKEN: &str = ".router/auths/codex-ana@example.com.json";
/// A key that nobody accepts.
pub const OTHER_KEY: &str = "sk-another-key-00000000";

/// A gateway with one fault in it.
pub struct Stage {
    pub gateway: Supervised,
    /// Servers of somebody else, each with a client.
    pub strangers: Vec<Stranger>,
    /// What the test itself started and a fix may end.
    pub processes: Vec<Process>,
    /// Clients of what a fix may end.
    pub clients: Vec<TcpStream>,
    /// A pid of before the repair, which its oracle remembers.
    pub pid: u32,
    /// The same program, run by somebody else in another folder.
    rival: Process,
    rival_port: u16,
}

impl Stage {
    /// Puts a gateway beside a copy of CLIProxyAPIPlus that somebody else runs.
    pub fn around(gateway: Supervised) -> Self {
        let rival_port = free_port();
        let rival = copy_elsewhere(&gateway, "CLIProxyAPIPlus", rival_port);
        Self {
            gateway,
            strangers: Vec::new(),
            processes: Vec::new(),
            clients: Vec::new(),
            pid: 0,
            rival,
            rival_port,
        }
    }

    /// The same of a gateway whose runs the test recorded itself; a supervisor would have made the key
    /// with which entries are compared.
    pub fn recorded(gateway: Gateway) -> Self {
        let key = gateway.path(".router/secrets/fingerprint.key");
        write(&key, &"5a".repeat(32), 0o600);
        Self::around(Supervised(gateway))
    }

    /// Nothing of it runs.
    pub fn stopped() -> Self {
        Self::around(Supervised::new(&[]))
    }

    /// Both services run under a supervisor.
    pub fn started() -> Self {
        let stage = Self::stopped();
        stage.start();
        stage
    }

    /// The same with a LiteLLM config that is rendered from a profile.
    pub fn rendered() -> Self {
        Self::around(rendered())
    }

    /// Both services are told to run, whether they can or not.
    pub fn start(&self) {
        for service in ["cliproxyapi_plus", "litellm"] {
            self.gateway.flowgate(&["service", "start", service]);
        }
    }

    /// Both services are stopped and told to run, whether they can or not.
    pub fn restart(&self) {
        self.gateway.flowgate(&["service", "stop", "all"]);
        self.start();
    }

    /// Stops litellm, changes something, and starts it again, whether it can or not.
    pub fn while_litellm_is_stopped(&mut self, change: impl FnOnce(&mut Self)) {
        let said = self.gateway.flowgate(&["service", "stop", "litellm"]);
        assert_eq!(said.code, 0, "{}", said.err);
        change(self);
        self.gateway.flowgate(&["service", "start", "litellm"]);
    }

    /// Renders the profile and restarts litellm.
    pub fn take_up(&self) {
        for args in [
            &["profile", "set", "balanced"],
            &["service", "restart", "litellm"],
        ] {
            let said = self.gateway.flowgate(args);
            assert_eq!(said.code, 0, "{}", said.err);
        }
    }

    /// Puts a stranger with a client on a port.
    pub fn put_stranger(&mut self, at: impl Into<SocketAddr>) {
        self.strangers.push(Stranger::at(at.into()));
    }

    /// Kills the supervisor and then those of these services that run, as a crash of everything would.
    pub fn kill(&self, services: &[&str]) {
        let pids: Vec<u32> = services
            .iter()
            .filter_map(|service| self.gateway.pid(service))
            .collect();
        self.gateway.kill_supervisor();
        for pid in pids {
            send(pid, rustix::process::Signal::KILL);
            wait_for("the service to end", || !is_alive(pid));
        }
    }

    /// Whether everybody else lives and serves as before.
    pub fn others_are_well(&mut self) -> bool {
        let rival = SocketAddr::from((Ipv4Addr::LOCALHOST, self.rival_port));
        self.rival.is_alive()
            && oracle::status(rival, "/", None) == Some(200)
            && self.strangers.iter_mut().all(Stranger::is_well)
    }

    /// The same of a service that serves, and so is not started again by its supervisor.
    pub fn ready_pid(&self, service: &str) -> Option<u32> {
        let is_ready = self.record_of(service)?["state"] == "ready";
        self.recorded_pid(service).filter(|_| is_ready)
    }

    fn record_of(&self, service: &str) -> Option<Value> {
        let path = format!(".router/runtime/supervisor/{service}.json");
        serde_json::from_str(&text(&self.gateway, &path)).ok()
    }

    /// The pid that the record of a service names, when it lives.
    pub fn recorded_pid(&self, service: &str) -> Option<u32> {
        let record = self.record_of(service)?;
        let pid = u32::try_from(record["run"]["pid"].as_u64()?).ok()?;
        is_alive(pid).then_some(pid)
    }
}

impl Drop for Stage {
    /// What its owner locked away from himself could not be removed.
    fn drop(&mut self) {
        let auths = self.gateway.path(".router/auths");
        if auths.exists() {
            set_mode(&auths, 0o700);
        }
    }
}

/// A gateway whose LiteLLM config is rendered from a profile, with its keys in it; both services run.
pub fn rendered() -> Supervised {
    let gateway = Supervised::new(&[]);
    let base = format!(
        "litellm_base:\n  model_list:\n    - model_name: gpt-5   # the only one\n      litellm_params:\n        \
         model: openai/gpt-5\n        api_base: http://127.0.0.1:{}/v1\n        api_key: {UPSTREAM_KEY}\n  \
         general_settings:\n    master_key: {MASTER_KEY}\n",
        gateway.proxy
    );
    gateway.edit(FLOWGATE_YAML, "litellm_base:\n  model_list: []\n", &base);
    set_mode(&gateway.path(FLOWGATE_YAML), 0o600);
    assert_eq!(gateway.flowgate(&["profile", "set", "balanced"]).code, 0);
    let said = gateway.flowgate(&["service", "start", "all"]);
    assert_eq!(said.code, 0, "{}", said.err);
    gateway
}

/// Starts a copy of one of the programs in a folder of its own, on a port, with a key of its own.
pub fn copy_elsewhere(gateway: &Gateway, program: &str, port: u16) -> Process {
    let folder = gateway.path(&format!("elsewhere/{program}"));
    std::fs::create_dir_all(folder.join("auths")).unwrap();
    set_mode(&folder.join("auths"), 0o700);
    let place = folder.join(program);
    std::os::unix::fs::symlink(FLOWGATE, &place).unwrap();
    let port_text = port.to_string();
    let config = folder.join("config.yaml");
    let args: Vec<&str> = if program == "litellm" {
        let text = format!("model_list: []\ngeneral_settings: {{master_key: {OTHER_KEY}}}\n");
        write(&config, &text, 0o600);
        let head = ["standin", "litellm", "--config", "config.yaml"];
        [&head[..], &["--host", "127.0.0.1", "--port", &port_text]].concat()
    } else {
        let text = format!(
            "host: 127.0.0.1\nport: {port}\nauth-dir: ./auths\napi-keys:\n  - {OTHER_KEY}\n"
        );
        write(&config, &text, 0o600);
        vec!["standin", "cliproxyapi", "-config", "config.yaml"]
    };
    let log = folder.join("output.log");
    let process = Process::start(&place, &args, &folder, &log, &[]);
    wait_for("the copy to listen", || is_listening(port));
    process
}

/// The address of a port at the IPv6 loopback.
pub fn at_v6(port: u16) -> SocketAddr {
    (Ipv6Addr::LOCALHOST, port).into()
}

/// Whether a process is suspended.
pub fn is_suspended(pid: u32) -> bool {
    read(Path::new(&format!("/proc/{pid}/stat"))).contains(") T ")
}
