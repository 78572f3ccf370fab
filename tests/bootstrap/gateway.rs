//! A gateway in a temp dir that lacks its programs.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::packed::REPOSITORY;

/// Files by path: mode, inode and content.
pub type Files = BTreeMap<PathBuf, (u32, u64, Vec<u8>)>;

/// The flowgate under test.
pub const FLOWGATE: &str = env!("CARGO_BIN_EXE_flowgate");

/// What `flowgate` said.
#[derive(Debug)]
pub struct Said {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// A gateway on ports that were free when it was made.
pub struct Gateway {
    dir: TempDir,
}

impl Gateway {
    /// A gateway whose releases come from a base address; `init` has written its files.
    pub fn new(mirror: &str) -> Self {
        let gateway = Self {
            dir: tempfile::Builder::new()
                .prefix("flowgate-bootstrap-")
                .tempdir()
                .unwrap(),
        };
        let said = gateway.run(&["init"]);
        assert_eq!(said.code, 0, "{}", said.err);
        let config = gateway.path("config/flowgate.yaml");
        let (litellm, proxy) = (free_port(), free_port());
        let text = text(&config)
            .replace("4000", &litellm.to_string())
            .replace("8317", &proxy.to_string());
        let text = text.split("\nbootstrap:").next().unwrap();
        write(
            &config,
            format!(
                "{text}\nbootstrap:\n  cliproxyapi:\n    repository: {REPOSITORY}\n    mirror: {mirror}\n"
            ),
        );
        let proxy_config = gateway.path("config/cliproxyapi.yaml");
        let replaced = crate::gateway::text(&proxy_config).replace("8317", &proxy.to_string());
        write(&proxy_config, &replaced);
        gateway.run(&["profile", "set", "balanced"]);
        gateway
    }

    /// A path below its root.
    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// The program that is installed.
    pub fn program(&self) -> PathBuf {
        self.path(".router/runtime/bin/CLIProxyAPIPlus")
    }

    /// The manifest.
    pub fn manifest(&self) -> Value {
        serde_json::from_str(&text(&self.path(".router/runtime/manifest.json"))).unwrap_or_default()
    }

    /// Adds lines to flowgate.yaml, below `bootstrap`.
    pub fn add(&self, lines: &str) {
        let config = self.path("config/flowgate.yaml");
        write(&config, format!("{}{lines}", text(&config)));
    }

    /// A command of `flowgate`, with nothing of this shell but PATH.
    #[expect(
        clippy::disallowed_methods,
        reason = "a test runs the program under test"
    )]
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(FLOWGATE);
        command
            .args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.dir.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs `flowgate`.
    pub fn run(&self, args: &[&str]) -> Said {
        self.run_with(args, &[])
    }

    /// The same with variables.
    pub fn run_with(&self, args: &[&str], env: &[(&str, &str)]) -> Said {
        let output = self
            .command(args)
            .envs(env.iter().copied())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// `bootstrap download` of CLIProxyAPIPlus alone.
    pub fn download(&self, args: &[&str]) -> Said {
        let mut all = vec!["bootstrap", "download", "--only", "cliproxyapi"];
        all.extend(args);
        self.run(&all)
    }

    /// Every file below, with mode, inode and content; without the note of a failed try and the lock.
    pub fn everything(&self) -> Files {
        let mut found = BTreeMap::new();
        walk(self.dir.path(), &mut found);
        found.retain(|path, _| !path.starts_with(self.path(".router/runtime/bootstrap")));
        found
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.run(&["service", "stop", "all"]);
        let lock = self.path(".router/runtime/supervisor/supervisor.lock");
        let holder: Value = serde_json::from_str(&text(&lock)).unwrap_or_default();
        let pid = holder["pid"]
            .as_i64()
            .and_then(|pid| i32::try_from(pid).ok());
        let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) else {
            return;
        };
        // It is ours: its lock lies in our folder and names it.
        let command = text(Path::new(&format!(
            "/proc/{}/cmdline",
            pid.as_raw_nonzero()
        )));
        if command.contains("supervise") {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }
}

fn walk(folder: &Path, found: &mut Files) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let facts = std::fs::symlink_metadata(&path).unwrap();
        if facts.is_dir() {
            walk(&path, found);
        }
        let content = if facts.is_file() {
            bytes(&path)
        } else {
            Vec::new()
        };
        found.insert(path, (facts.mode(), facts.ino(), content));
    }
}

/// A port that is free now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A file as text; empty when it is not there.
#[expect(clippy::disallowed_methods, reason = "a test reads its own files")]
pub fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// A file as bytes; empty when it is not there.
#[expect(clippy::disallowed_methods, reason = "a test reads its own files")]
pub fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_default()
}

/// Writes a file, its mode kept.
#[expect(clippy::disallowed_methods, reason = "a test writes its own files")]
pub fn write(path: &Path, text: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Waits for a condition.
pub fn wait_for(what: &str, limit: Duration, mut is_met: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !is_met() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
