//! A temp dir with configs for the stand-ins, and a supervisor that serves it.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use flowgate::supervisor::client::{Client, ClientError};
use flowgate::supervisor::protocol::{Answer, Command, Event, Launch, ServiceStatus};
use flowgate::supervisor::records::{self, HistoryLine, ServiceRecord};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The flowgate under test.
pub const FLOWGATE: &str = env!("CARGO_BIN_EXE_flowgate");

/// A temp dir with a gateway; what it started ends with it.
pub struct House {
    dir: TempDir,
    /// The runtime dir.
    pub runtime: PathBuf,
    /// Port of LiteLLM.
    pub litellm: u16,
    /// Port of CLIProxyAPIPlus.
    pub proxy: u16,
    supervisor: Option<Child>,
}

impl House {
    /// A gateway of stand-ins, with its supervisor.
    pub fn new() -> Self {
        let house = Self::without_supervisor();
        house.with_supervisor()
    }

    /// The same, its supervisor not yet started.
    pub fn without_supervisor() -> Self {
        Self::at("run/time")
    }

    /// The same with the runtime dir elsewhere below the temp dir.
    pub fn at(runtime: &str) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("flowgate-supervisor-")
            .tempdir()
            .unwrap();
        let house = Self {
            runtime: dir.path().join(runtime),
            dir,
            litellm: free_port(),
            proxy: free_port(),
            supervisor: None,
        };
        std::fs::create_dir_all(house.path("config")).unwrap();
        std::fs::create_dir_all(house.path("auths")).unwrap();
        house.write(
            "active.yaml",
            "model_list: []\ngeneral_settings: {master_key: sk-of-a-test}\n",
        );
        house.write(
            "proxy.yaml",
            &format!(
                "host: 127.0.0.1\nport: {}\nauth-dir: ./auths\napi-keys: [k]\n",
                house.proxy
            ),
        );
        house.configure(
            &format!("[{FLOWGATE}, standin, litellm, --config, active.yaml]"),
            &format!("[{FLOWGATE}, standin, cliproxyapi, -config, proxy.yaml]"),
            "",
        );
        house
    }

    /// Writes flowgate.yaml with these arguments, and more keys for each service.
    pub fn configure(&self, litellm: &str, proxy: &str, more: &str) {
        let text = format!(
            "config_version: 2
paths:
  runtime_dir: {runtime}
  active_config: ../active.yaml
  state_file: ../state.json
  log_file: ../events.log
services:
  litellm:
    port: {litellm_port}
    readiness_path: /health
    command: {{cwd: .., args: {litellm}}}
    {more}
  cliproxyapi_plus:
    port: {proxy_port}
    readiness_path: /v1/models
    command: {{cwd: .., args: {proxy}}}
    {more}
litellm_base: {{}}
profiles: {{p: {{}}}}
",
            runtime = self.runtime.display(),
            litellm_port = self.litellm,
            proxy_port = self.proxy,
        );
        self.write("config/flowgate.yaml", &text);
    }

    /// Starts a supervisor, in the foreground of a process of its own.
    pub fn with_supervisor(mut self) -> Self {
        self.start_supervisor();
        self
    }

    /// Starts a supervisor and waits until it can be reached.
    pub fn start_supervisor(&mut self) {
        self.supervisor = Some(self.spawn_supervisor());
        wait_for("the supervisor", || {
            Client::connect(&self.runtime).is_some()
        });
    }

    #[expect(clippy::disallowed_methods, reason = "a test starts what it tests")]
    fn spawn_supervisor(&self) -> Child {
        Process::new(FLOWGATE)
            .arg("--config")
            .arg(self.config())
            .args(["supervise", "--runtime-dir"])
            .arg(&self.runtime)
            .env_clear()
            .stdin(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Kills the supervisor in an instant.
    pub fn kill_supervisor(&mut self) {
        let mut supervisor = self.supervisor.take().unwrap();
        supervisor.kill().unwrap();
        supervisor.wait().unwrap();
    }

    /// Forgets a supervisor that has ended by itself, or was killed by its pid.
    pub fn bury_supervisor(&mut self) {
        if let Some(mut supervisor) = self.supervisor.take() {
            supervisor.wait().unwrap();
        }
    }

    /// A path below the temp dir.
    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// The flowgate.yaml.
    pub fn config(&self) -> PathBuf {
        self.path("config/flowgate.yaml")
    }

    #[expect(clippy::disallowed_methods, reason = "a test writes its own files")]
    pub fn write(&self, below: &str, text: &str) {
        std::fs::write(self.path(below), text).unwrap();
    }

    /// A client of the supervisor.
    pub fn client(&self) -> Client {
        Client::connect(&self.runtime).unwrap()
    }

    /// What a start is asked with; `env` comes over PATH.
    pub fn launch(&self, service: &str, env: &[(&str, &str)]) -> Launch {
        let mut all = BTreeMap::from([("PATH".to_owned(), std::env::var("PATH").unwrap())]);
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        all.extend(env.iter().map(own));
        Launch {
            service: service.to_owned(),
            cwd: self.dir.path().to_owned(),
            env: all,
        }
    }

    /// Asks, and gives the answer with all that was told before it.
    pub fn ask(&self, command: Command) -> (Result<Answer, ClientError>, Vec<Event>) {
        let mut events = Vec::new();
        let answer = self.client().request(command, |event| events.push(event));
        (answer, events)
    }

    /// Starts a service.
    pub fn start(&self, service: &str, env: &[(&str, &str)]) -> Answer {
        let (answer, _) = self.ask(Command::Start(self.launch(service, env)));
        answer.unwrap()
    }

    /// Starts a service that gets ready, and gives its pid.
    pub fn start_ready(&self, service: &str) -> u32 {
        match self.start(service, &[]) {
            Answer::Started {
                pid,
                already: false,
            } => pid,
            other => panic!("{service}: {other:?}\n{}", self.log(service)),
        }
    }

    /// Stops a service.
    pub fn stop(&self, service: &str) -> Answer {
        let service = service.to_owned();
        self.ask(Command::Stop { service }).0.unwrap()
    }

    /// What the supervisor says of a service.
    pub fn status(&self, service: &str) -> ServiceStatus {
        match self.ask(Command::Status).0.unwrap() {
            Answer::Status { services, .. } => services[service].clone(),
            other => panic!("{other:?}"),
        }
    }

    /// The record of a service.
    pub fn record(&self, service: &str) -> ServiceRecord {
        let root = flowgate::sys::place::Root::new("/");
        let read = records::read(&self.runtime, service, &root, 4_194_304);
        read.record.unwrap().1.unwrap()
    }

    /// The history of a service, oldest line first.
    pub fn history(&self, service: &str) -> Vec<HistoryLine> {
        let root = flowgate::sys::place::Root::new("/");
        records::read(&self.runtime, service, &root, 4_194_304).history
    }

    /// How many processes were made for a service.
    pub fn spawns(&self, service: &str) -> usize {
        self.history(service)
            .iter()
            .filter(|line| matches!(line, HistoryLine::Spawn { .. }))
            .count()
    }

    /// The output of a service.
    pub fn log(&self, service: &str) -> String {
        read(
            &self
                .runtime
                .join("process-logs")
                .join(format!("{service}.log")),
        )
    }

    /// The results of one event in the log of events.
    pub fn events(&self, event: &str) -> Vec<String> {
        read(&self.path("events.log"))
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .filter(|line| line["event"] == event)
            .map(|line| line["result"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Whether somebody answers at a port.
    pub fn answers(&self, port: u16) -> bool {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // Also of a test that failed after it had killed the supervisor.
        let has_ended = |child: &mut Child| child.try_wait().is_ok_and(|status| status.is_some());
        if self.supervisor.as_mut().is_none_or(has_ended) {
            self.supervisor = self.runtime.is_dir().then(|| self.spawn_supervisor());
        }
        let deadline = Instant::now() + Duration::from_secs(5);
        while Client::connect(&self.runtime).is_none() && Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        for service in ["litellm", "cliproxyapi_plus", "writer"] {
            if !self
                .runtime
                .join("supervisor")
                .join(format!("{service}.json"))
                .exists()
            {
                continue;
            }
            if let Some(mut client) = Client::connect(&self.runtime) {
                let service = service.to_owned();
                let _ = client.request(Command::Stop { service }, drop);
            }
        }
        if let Some(mut client) = Client::connect(&self.runtime) {
            let _ = client.request(Command::Shutdown, drop);
        }
        if let Some(mut supervisor) = self.supervisor.take() {
            let _ = supervisor.kill();
            let _ = supervisor.wait();
        }
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Waits for a condition, 20 s at most.
pub fn wait_for(what: &str, mut is_met: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_met() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A file as text; empty when it is not there.
#[expect(clippy::disallowed_methods, reason = "a test reads its own files")]
pub fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

/// Whether a process lives.
pub fn is_alive(pid: u32) -> bool {
    flowgate::platform::process_stat(pid).is_some_and(|stat| !stat.is_dead())
}

/// Kills a process in an instant.
pub fn kill(pid: u32) {
    send(pid, Signal::KILL);
}

/// Sends a signal to a process.
pub fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}
