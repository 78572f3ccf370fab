//! Everything a diagnosis needs, as data.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    BindReport, ClientConfig, Clock, Configs, Credentials, EnvVariable, FileFacts, Host, Observed,
    Paths, Policy, Process, Profiles, Service, Socket, Supervisor, TargetProbes, Tool,
};

/// Version of the snapshot's form; a bundle of this version or older loads.
pub const SNAPSHOT_SCHEMA_VERSION: u32 = 1;

/// Everything a diagnosis needs: plain data, in a fixed order, without a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Version of this form.
    pub schema_version: u32,
    /// The flowgate that looked.
    #[serde(default)]
    pub tool: Tool,
    /// The machine.
    #[serde(default)]
    pub host: Host,
    /// The moment.
    pub clock: Clock,
    /// What is to be judged.
    #[serde(default)]
    pub policy: Policy,
    /// Where things are.
    #[serde(default)]
    pub paths: Paths,
    /// The config files.
    #[serde(default)]
    pub configs: Configs,
    /// The profiles of flowgate.yaml.
    #[serde(default)]
    pub profiles: Profiles,
    /// The services by name, those with `enabled: false` included.
    #[serde(default)]
    pub services: BTreeMap<String, Service>,
    /// flowgate's own supervisor.
    #[serde(default)]
    pub supervisor: Supervisor,
    /// Bind tests by service.
    #[serde(default)]
    pub binds: BTreeMap<String, BindReport>,
    /// Every TCP listener, by `address:port` (IPv6 in brackets).
    #[serde(default)]
    pub sockets: Observed<BTreeMap<String, Socket>>,
    /// The processes that matter, by pid.
    #[serde(default)]
    pub processes: BTreeMap<u32, Process>,
    /// What was asked over HTTP: service, then `address:port`.
    #[serde(default)]
    pub probes: BTreeMap<String, BTreeMap<String, TargetProbes>>,
    /// Logins.
    #[serde(default)]
    pub credentials: Credentials,
    /// Files whose permissions matter, by path.
    #[serde(default)]
    pub files: BTreeMap<String, Observed<FileFacts>>,
    /// Variables of flowgate's own environment that change behaviour, by name.
    #[serde(default)]
    pub environment: BTreeMap<String, EnvVariable>,
    /// The clients whose config flowgate wrote, by name: `codex`, `claude-code`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clients: BTreeMap<String, ClientConfig>,
}

impl Snapshot {
    /// An empty snapshot of one moment.
    pub fn new(gathered_at: Timestamp) -> Self {
        Self {
            schema_version: SNAPSHOT_SCHEMA_VERSION,
            tool: Tool::default(),
            host: Host::default(),
            clock: Clock { gathered_at },
            policy: Policy::default(),
            paths: Paths::default(),
            configs: Configs::default(),
            profiles: Profiles::default(),
            services: BTreeMap::new(),
            supervisor: Supervisor::default(),
            binds: BTreeMap::new(),
            sockets: Observed::NotAsked,
            processes: BTreeMap::new(),
            probes: BTreeMap::new(),
            credentials: Credentials::default(),
            files: BTreeMap::new(),
            environment: BTreeMap::new(),
            clients: BTreeMap::new(),
        }
    }
}
