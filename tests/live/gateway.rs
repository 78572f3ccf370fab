//! A gateway in a temp dir: configs, tokens and records as flowgate would have them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Process, read, set_mode, wait_for, write};

/// The flowgate under test.
pub const FLOWGATE: &str = env!("CARGO_BIN_EXE_flowgate");
/// Secrets that are planted and must be in no output.
pub const MASTER_KEY: &str = "sk-planted-master-7731";
pub const UPSTREAM_KEY: &str = "sk-planted-upstream-4410";
pub const MANAGEMENT_KEY: &str = "planted-management-5528";
pub const REFRESH_TOKEN: &str = "rt-planted-refresh-9902";
pub const ACCESS_TOKEN: &str = "at-planted-access-1193";
pub const PLANTED: [&str; 5] = [
    MASTER_KEY,
    UPSTREAM_KEY,
    MANAGEMENT_KEY,
    REFRESH_TOKEN,
    ACCESS_TOKEN,
];

/// A gateway in a temp dir on ports that were free when it was made.
pub struct Gateway {
    dir: TempDir,
    /// Port of LiteLLM.
    pub litellm: u16,
    /// Port of CLIProxyAPIPlus.
    pub proxy: u16,
    running: BTreeMap<&'static str, Process>,
}

/// What `flowgate` said.
pub struct Said {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Gateway {
    /// A gateway whose files are as they should be; nothing runs yet.
    pub fn new() -> Self {
        let gateway = Self {
            dir: tempfile::Builder::new()
                .prefix("flowgate-live-")
                .tempdir()
                .unwrap(),
            litellm: free_port(),
            proxy: free_port(),
            running: BTreeMap::new(),
        };
        set_mode(gateway.dir.path(), 0o755);
        gateway.write_configs();
        let runtime = gateway.path(".router/runtime");
        std::fs::create_dir_all(runtime.join("bin")).unwrap();
        for program in ["litellm", "CLIProxyAPIPlus"] {
            std::os::unix::fs::symlink(FLOWGATE, runtime.join("bin").join(program)).unwrap();
        }
        for service in ["litellm", "cliproxyapi_plus"] {
            write(&gateway.journal(service), "", 0o644);
        }
        std::fs::create_dir_all(gateway.path(".router/auths")).unwrap();
        set_mode(&gateway.path(".router/auths"), 0o700);
        gateway.write_token(
            "codex-ana@example.com.json",
            &token("2099-01-01T00:00:00Z"),
            0o600,
        );
        gateway.keep_management_key(MANAGEMENT_KEY);
        gateway
    }

    /// The same with both services running and recorded.
    pub fn running() -> Self {
        let mut gateway = Self::new();
        gateway.start("cliproxyapi_plus");
        gateway.start("litellm");
        gateway
    }

    /// A path below its root.
    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// Writes the three configs for the current ports.
    pub fn write_configs(&self) {
        let (litellm, proxy) = (self.litellm, self.proxy);
        write(
            &self.path("config/flowgate.yaml"),
            &format!(
                "config_version: 2
paths:
  runtime_dir: ../.router/runtime
  active_config: ../.router/runtime/litellm.active.yaml
  state_file: ../.router/runtime/state.json
  log_file: ../.router/runtime/events.log
services:
  litellm:
    host: 127.0.0.1
    port: {litellm}
    readiness_path: /health/readiness
    command:
      cwd: ..
      args: [.router/runtime/bin/litellm, standin, litellm, --config, .router/runtime/litellm.active.yaml, --host, 127.0.0.1, --port, \"{litellm}\"]
  cliproxyapi_plus:
    host: 127.0.0.1
    port: {proxy}
    readiness_path: /
    command:
      cwd: ..
      args: [.router/runtime/bin/CLIProxyAPIPlus, standin, cliproxyapi, -config, config/cliproxyapi.yaml]
litellm_base:
  model_list: []
profiles:
  balanced: {{}}
auth:
  providers:
    codex:
      auth_url_endpoint: http://127.0.0.1:{proxy}/v0/management/codex-auth-url?is_webui=true
      status_endpoint: http://127.0.0.1:{proxy}/v0/management/get-auth-status
"
            ),
            0o644,
        );
        self.write_proxy_config(UPSTREAM_KEY, proxy);
        self.write_litellm_config(UPSTREAM_KEY, proxy);
    }

    /// Writes the config of CLIProxyAPIPlus, with the management API on.
    pub fn write_proxy_config(&self, api_key: &str, port: u16) {
        // The lowest cost that bcrypt has: this is about the comparison, not about its price.
        let hash = bcrypt::hash(MANAGEMENT_KEY, 4).unwrap();
        write(
            &self.path("config/cliproxyapi.yaml"),
            &format!(
                "host: 127.0.0.1\nport: {port}\nauth-dir: ./.router/auths\napi-keys:\n  - {api_key}\n\
                 remote-management:\n  secret-key: \"{hash}\"\n"
            ),
            0o600,
        );
    }

    /// Keeps a management key as flowgate does.
    pub fn keep_management_key(&self, key: &str) {
        write(&self.path(".router/secrets/management.key"), key, 0o600);
        set_mode(&self.path(".router/secrets"), 0o700);
    }

    /// Writes the active config of LiteLLM.
    pub fn write_litellm_config(&self, upstream_key: &str, upstream_port: u16) {
        let config = json!({
            "general_settings": {"master_key": MASTER_KEY},
            "model_list": [{
                "litellm_params": {
                    "api_base": format!("http://127.0.0.1:{upstream_port}/v1"),
                    "api_key": upstream_key,
                    "model": "openai/gpt-5",
                },
                "model_name": "gpt-5",
            }],
        });
        write(
            &self.path(".router/runtime/litellm.active.yaml"),
            &format!("{config:#}"),
            0o600,
        );
    }

    /// Changes the text of a file.
    pub fn edit(&self, below: &str, from: &str, to: &str) {
        let path = self.path(below);
        let text = read(&path);
        assert!(text.contains(from), "{below} holds no {from:?}");
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(&path).unwrap().permissions(),
        );
        write(&path, &text.replace(from, to), mode & 0o7777);
    }

    /// Makes the token of a fresh login readable by everybody, in a folder that everybody may enter.
    pub fn expose_token(&self) {
        set_mode(&self.path(".router/auths"), 0o755);
        self.write_token(
            "codex-ana@example.com.json",
            &token("2099-01-01T00:00:00Z"),
            0o644,
        );
    }

    /// Writes a token file.
    pub fn write_token(&self, name: &str, text: &str, mode: u32) {
        write(&self.path(&format!(".router/auths/{name}")), text, mode);
    }

    /// Starts the stand-in of a service, records it, and waits until it answers.
    pub fn start(&mut self, service: &'static str) {
        self.spawn(service, &[]);
        let port = if service == "litellm" {
            self.litellm
        } else {
            self.proxy
        };
        wait_for("the service to listen", || is_listening(port));
    }

    /// Starts the stand-in of a service and records it, without waiting.
    pub fn spawn(&mut self, service: &'static str, env: &[(&str, String)]) {
        let process = self.play(service, env);
        self.record(service, &process, true);
        self.running.insert(service, process);
    }

    /// Starts the stand-in of a service as somebody else would, without a record.
    pub fn play(&self, service: &str, env: &[(&str, String)]) -> Process {
        let litellm = self.litellm.to_string();
        let (program, args): (&str, Vec<&str>) = if service == "litellm" {
            (
                "litellm",
                vec![
                    "standin",
                    "litellm",
                    "--config",
                    ".router/runtime/litellm.active.yaml",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    &litellm,
                ],
            )
        } else {
            (
                "CLIProxyAPIPlus",
                vec![
                    "standin",
                    "cliproxyapi",
                    "-config",
                    "config/cliproxyapi.yaml",
                ],
            )
        };
        let log = self.path(&format!(".router/runtime/process-logs/{service}.log"));
        std::fs::create_dir_all(log.parent().unwrap()).unwrap();
        let mut env = env.to_vec();
        env.push((
            "FLOWGATE_STANDIN_JOURNAL",
            self.journal(service).display().to_string(),
        ));
        Process::start(
            &self.path(&format!(".router/runtime/bin/{program}")),
            &args,
            self.dir.path(),
            &log,
            &env,
        )
    }

    /// The running stand-in of a service.
    pub fn process(&mut self, service: &str) -> &mut Process {
        self.running.get_mut(service).unwrap()
    }

    /// Writes the record of a run as the supervisor does.
    pub fn record(&self, service: &str, process: &Process, wanted: bool) {
        self.record_with_digests(service, process, wanted, &BTreeMap::new());
    }

    /// Records a running stand-in anew, with the digests of its start.
    pub fn record_running(&self, service: &str, digests: &BTreeMap<String, String>) {
        self.record_with_digests(service, &self.running[service], true, digests);
    }

    /// The same, with the digests of the configs at its start.
    pub fn record_with_digests(
        &self,
        service: &str,
        process: &Process,
        wanted: bool,
        digests: &BTreeMap<String, String>,
    ) {
        let record = json!({
            "v": 1,
            "wanted": if wanted { "running" } else { "stopped" },
            "state": "ready",
            "run": {
                "id": "1", "pid": process.pid(), "startTime": process.start_time(),
                "bootId": read(Path::new("/proc/sys/kernel/random/boot_id")).trim(),
                "sid": process.pid(), "exe": process.exe(), "digests": digests, "binaryDigest": null,
                "startedAt": "2026-11-24T10:00:00Z", "logOffset": 0,
            },
            "restarts": 0, "nextTryAt": null, "lastExit": null,
        });
        let folder = self.path(".router/runtime/supervisor");
        write(
            &folder.join(format!("{service}.json")),
            &record.to_string(),
            0o600,
        );
        set_mode(&folder, 0o700);
    }

    /// Every request that a stand-in got.
    pub fn requests(&self, service: &str) -> Vec<Value> {
        read(&self.journal(service))
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn journal(&self, service: &str) -> PathBuf {
        self.path(&format!("journals/{service}.journal"))
    }

    /// Runs flowgate in the root of the gateway.
    pub fn flowgate(&self, args: &[&str]) -> Said {
        run_in(self.dir.path(), args, &[])
    }

    /// Runs `doctor --json` and gives the document, validated, without any planted secret.
    pub fn doctor(&self, args: &[&str]) -> Value {
        let said = self.flowgate(&[&["doctor", "--json"], args].concat());
        let document: Value = serde_json::from_str(&said.out)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", said.out, said.err));
        crate::report::validate(&document);
        assert_eq!(document["exitCode"], said.code, "{}", said.out);
        document
    }
}

/// Runs flowgate in a folder with a clean environment.
#[expect(
    clippy::disallowed_methods,
    reason = "a test runs the program under test"
)]
pub fn run_in(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Said {
    let output = std::process::Command::new(FLOWGATE)
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .envs(env.iter().copied())
        .output()
        .unwrap();
    let said = Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    for secret in PLANTED {
        assert!(
            !said.out.contains(secret) && !said.err.contains(secret),
            "{secret} is in the output of {args:?}"
        );
    }
    assert!(!said.err.contains("panicked"), "{}", said.err);
    said
}

/// The text of a codex token that expires then.
pub fn token(expired: &str) -> String {
    json!({
        "type": "codex", "email": "ana@example.com", "account_id": "acct-1",
        "access_token": ACCESS_TOKEN, "refresh_token": REFRESH_TOKEN, "id_token": "",
        "expired": expired, "last_refresh": "2026-11-20T00:00:00Z",
    })
    .to_string()
}

/// The keys of the roots that are more than an info, in order.
pub fn roots(document: &Value) -> Vec<String> {
    keys(document, |finding| {
        finding["causedBy"] == json!([]) && finding["severity"] != "info"
    })
}

/// The keys of the effects.
pub fn effects(document: &Value) -> Vec<String> {
    keys(document, |finding| finding["causedBy"] != json!([]))
}

fn keys(document: &Value, which: impl Fn(&Value) -> bool) -> Vec<String> {
    document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| which(finding))
        .map(|finding| finding["key"].as_str().unwrap().to_owned())
        .collect()
}

/// The finding of a key.
pub fn finding<'a>(document: &'a Value, key: &str) -> &'a Value {
    document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["key"] == key)
        .unwrap_or_else(|| panic!("no {key} in {document:#}"))
}

/// A port that was free a moment ago. Ports of the ephemeral range are left to the kernel's own
/// choice, so that tests side by side do not meet.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Whether somebody accepts connections there.
pub fn is_listening(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}
