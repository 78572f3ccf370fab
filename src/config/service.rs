//! One service of flowgate.yaml.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flowgate_checks::model::ServiceKind;
use secrecy::SecretString;

/// How a service is run and asked. No `Debug`: its arguments may hold a secret.
#[derive(Clone)]
pub struct ServiceConfig {
    /// Its name: `litellm`, `cliproxyapi_plus`, or one of the user's.
    pub name: String,
    /// Which program it is, by its name.
    pub kind: ServiceKind,
    /// Its entry: `services.litellm`.
    pub entry: String,
    /// `enabled`; one that is not is left out of everything.
    pub enabled: bool,
    /// `managed`; false when somebody else runs it.
    pub managed: bool,
    /// `host` as written, without brackets.
    pub host: String,
    /// `port`; without one nothing is asked of it.
    pub port: Option<u16>,
    /// `readiness_path`, else `health_path`, else `/v1/models`.
    pub readiness_path: String,
    /// `command.args`; empty when flowgate does not start it.
    pub args: Vec<String>,
    /// `command.cwd`, absolute; none means the folder flowgate is called from.
    pub cwd: Option<PathBuf>,
    /// `env`: variables that it gets.
    pub env: BTreeMap<String, SecretString>,
    /// `env_file`, absolute.
    pub env_file: Option<PathBuf>,
    /// `ready_timeout`; 120 s for LiteLLM, else 30 s.
    pub ready_timeout: Duration,
    /// `stop_timeout`; 10 s.
    pub stop_timeout: Duration,
    /// `management: auto`: flowgate gives CLIProxyAPIPlus a management key of its own.
    pub management_auto: bool,
    /// `unit`: the systemd unit that runs it.
    pub unit: Option<String>,
    /// `container` that runs it.
    pub container: Option<String>,
    /// `config_file` of the program, absolute, where its arguments do not name it.
    pub config_file: Option<PathBuf>,
}

/// LiteLLM takes 6 to over 20 s to start (facts/litellm.md section 0, 9).
const LITELLM_READY: Duration = Duration::from_secs(120);
const OTHERS_READY: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(10);

/// The two services of the template.
pub fn assumed(root: &Path, runtime: &Path) -> Vec<ServiceConfig> {
    let program = |name: &str| runtime.join("bin").join(name).display().to_string();
    let active = runtime.join("litellm.active.yaml").display().to_string();
    let proxy = root.join("config/cliproxyapi.yaml").display().to_string();
    vec![
        ServiceConfig {
            port: Some(4000),
            readiness_path: "/health/readiness".into(),
            args: vec![
                program("litellm"),
                "--config".into(),
                active,
                "--port".into(),
                "4000".into(),
            ],
            cwd: Some(root.to_owned()),
            ..ServiceConfig::named("litellm")
        },
        ServiceConfig {
            port: Some(8317),
            readiness_path: "/".into(),
            args: vec![program("CLIProxyAPIPlus"), "-config".into(), proxy],
            cwd: Some(root.to_owned()),
            ..ServiceConfig::named("cliproxyapi_plus")
        },
    ]
}

impl ServiceConfig {
    /// A service of which only the name is known.
    pub fn named(name: &str) -> Self {
        let kind = match name {
            "litellm" => ServiceKind::Litellm,
            "cliproxyapi_plus" => ServiceKind::Cliproxyapi,
            _ => ServiceKind::Other,
        };
        Self {
            name: name.to_owned(),
            kind,
            entry: super::path::key("services", name),
            enabled: true,
            managed: true,
            host: "127.0.0.1".into(),
            port: None,
            readiness_path: "/v1/models".into(),
            args: Vec::new(),
            cwd: None,
            env: BTreeMap::new(),
            env_file: None,
            ready_timeout: if kind == ServiceKind::Litellm {
                LITELLM_READY
            } else {
                OTHERS_READY
            },
            stop_timeout: STOP,
            management_auto: false,
            unit: None,
            container: None,
            config_file: None,
        }
    }
}

/// `::1` of `[::1]`; anything else as it is.
pub fn without_brackets(host: &str) -> String {
    let host = host.trim();
    host.strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host)
        .to_owned()
}
