//! flowgate.yaml by type: `config_version` 1, 2 and 3, with the legacy forms.
//!
//! Source: facts/original.md section 2 (keys, rules, sentences), DESIGN section 10 (newer keys).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use flowgate_checks::model::ConfigProblem;

use super::document::{Document, Node, ParseFault};
use super::section::{Base, Section};
use super::sections;
use super::service::{self, ServiceConfig};

/// What flowgate.yaml says, defaults filled in. No `Debug`: it may hold secrets.
#[derive(Clone)]
pub struct FlowgateConfig {
    /// `config_version`: 1, 2 or 3.
    pub version: u8,
    /// `paths`, absolute.
    pub paths: ConfigPaths,
    /// The services in the order of the file.
    pub services: Vec<ServiceConfig>,
    /// `litellm_base`, the LiteLLM config that all profiles share.
    pub litellm_base: Option<Node>,
    /// `profiles` by name: what each lays over the base.
    pub profiles: BTreeMap<String, Node>,
    /// `auth.providers` by name.
    pub providers: BTreeMap<String, ProviderConfig>,
    /// `secret_files`, absolute.
    pub secret_files: Vec<PathBuf>,
    /// `integration`.
    pub integration: Integration,
    /// `credentials.upstream` by name.
    pub upstream: BTreeMap<String, UpstreamCredential>,
    /// `bootstrap`.
    pub bootstrap: Bootstrap,
}

/// The places of flowgate's own files, absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigPaths {
    /// Holds bin/, pids/, process-logs/ and more.
    pub runtime_dir: PathBuf,
    /// The rendered LiteLLM config.
    pub active_config: PathBuf,
    /// Says which profile is active.
    pub state_file: PathBuf,
    /// The event log.
    pub log_file: PathBuf,
}

/// One of `auth.providers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderConfig {
    /// `method`; only ever shown.
    pub method: String,
    /// `auth_url_endpoint` as written.
    pub auth_url_endpoint: Option<String>,
    /// `status_endpoint` as written.
    pub status_endpoint: Option<String>,
    /// Its entry: `auth.providers.codex`, or `oauth.codex`.
    pub entry: String,
}

/// The models that clients are given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Integration {
    /// `default_model`, when it is set.
    pub default_model: Option<String>,
    /// `fast_model`, when it is set.
    pub fast_model: Option<String>,
}

/// Where an upstream key is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamCredential {
    /// In this file.
    File(PathBuf),
    /// In this variable.
    Environment(String),
}

/// Where the two programs are obtained.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bootstrap {
    /// `cliproxyapi.repository`: `owner/name`.
    pub repository: Option<String>,
    /// `cliproxyapi.version`.
    pub version: Option<String>,
    /// `cliproxyapi.sha256` of the archive.
    pub sha256: Option<String>,
    /// `cliproxyapi.mirror`.
    pub mirror: Option<String>,
    /// `litellm.requirements`, absolute.
    pub requirements: Option<PathBuf>,
}

impl FlowgateConfig {
    /// The service of a name.
    pub fn service(&self, name: &str) -> Option<&ServiceConfig> {
        self.services.iter().find(|service| service.name == name)
    }

    /// What the template says; for a doctor that finds no config.
    pub fn assumed(root: &Path) -> Self {
        let runtime = root.join(".router/runtime");
        Self {
            version: 2,
            paths: ConfigPaths::below(runtime.clone()),
            services: service::assumed(root, &runtime),
            litellm_base: None,
            profiles: BTreeMap::new(),
            providers: BTreeMap::new(),
            secret_files: Vec::new(),
            integration: Integration::default(),
            upstream: BTreeMap::new(),
            bootstrap: Bootstrap::default(),
        }
    }

    /// Reads a document.
    ///
    /// What is odd but loads goes into `problems`.
    ///
    /// # Errors
    /// The first thing that is missing or of the wrong kind, with its place.
    pub fn read(
        document: &Document,
        base: &Base,
        problems: &mut Vec<ConfigProblem>,
    ) -> Result<Self, ParseFault> {
        let root = &document.root;
        if root.as_map().is_none() {
            return Err(ParseFault::at(
                root.position,
                "Top-level config must be a mapping/object.",
            ));
        }
        sections::read(Section::open("", root)?, base, problems)
    }
}

impl ConfigPaths {
    /// The usual names below a runtime dir.
    pub fn below(runtime_dir: PathBuf) -> Self {
        Self {
            active_config: runtime_dir.join("litellm.active.yaml"),
            state_file: runtime_dir.join("state.json"),
            log_file: runtime_dir.join("events.log"),
            runtime_dir,
        }
    }
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
