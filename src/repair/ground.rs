//! What the steps act upon: one gateway, its files by kind, and how its paths are shown.

use std::path::{Path, PathBuf};

use flowgate_checks::model::{ServiceKind, Snapshot};

use crate::config::allow::FileKind;
use crate::config::file::{Loaded, Reading};
use crate::config::schema::FlowgateConfig;
use crate::config::{cliproxyapi, command, litellm, load};
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::place::Root;
use crate::sys::redact::Redactor;

/// One gateway.
pub struct Ground {
    /// How paths are shown.
    pub root: Root,
    /// flowgate.yaml, absolute.
    pub config: PathBuf,
    /// The runtime dir, absolute.
    pub runtime: PathBuf,
    /// The folder in which flowgate was called.
    pub cwd: PathBuf,
    /// The config that LiteLLM reads.
    pub litellm: PathBuf,
    /// The config that CLIProxyAPIPlus reads.
    pub cliproxyapi: PathBuf,
    /// Knows every secret of the three configs.
    pub redactor: Redactor,
    /// Makes the fingerprints.
    pub fingerprinter: Fingerprinter,
}

impl Ground {
    /// The gateway of a look; none where its config does not tell where things are.
    pub fn of(snapshot: &Snapshot) -> Option<Self> {
        if snapshot.paths.runtime_dir.is_empty() {
            return None;
        }
        let root = Root::new(&snapshot.paths.root);
        let config = root.resolve(&snapshot.configs.flowgate.path);
        let ground = Self {
            runtime: root.resolve(&snapshot.paths.runtime_dir),
            cwd: PathBuf::from(&snapshot.paths.cwd),
            litellm: root.resolve(&snapshot.configs.litellm.path),
            cliproxyapi: root.resolve(&snapshot.configs.cliproxyapi.path),
            redactor: Redactor::default(),
            fingerprinter: Fingerprinter::load(&load::fingerprint_key(&config)),
            root,
            config,
        };
        ground.learn();
        Some(ground)
    }

    /// The gateway of a flowgate.yaml that was loaded; `cwd` is the folder of the caller.
    pub fn opened(config: &Path, loaded: &FlowgateConfig, cwd: &Path) -> Self {
        let of_kind = |kind: ServiceKind| {
            let mut services = loaded.services.iter();
            let service = services.find(|service| service.kind == kind)?;
            command::config_path(service, cwd)
        };
        let active = &loaded.paths.active_config;
        let ground = Self {
            runtime: loaded.paths.runtime_dir.clone(),
            cwd: cwd.to_owned(),
            litellm: of_kind(ServiceKind::Litellm).unwrap_or_else(|| active.clone()),
            cliproxyapi: of_kind(ServiceKind::Cliproxyapi).unwrap_or_default(),
            redactor: Redactor::default(),
            fingerprinter: Fingerprinter::load(&load::fingerprint_key(config)),
            root: load::root_of(config),
            config: config.to_owned(),
        };
        ground.learn();
        ground
    }

    /// Reads the configs only to learn what must not be shown.
    fn learn(&self) {
        self.flowgate();
        litellm::load(&self.litellm, &self.reading());
        cliproxyapi::load(&self.cliproxyapi, &self.reading());
    }

    /// flowgate.yaml as it is now.
    pub fn flowgate(&self) -> Loaded<FlowgateConfig> {
        load::load(
            &self.config,
            &self.root,
            &self.fingerprinter,
            &self.redactor,
        )
    }

    /// flowgate.yaml, if it held this text.
    pub fn flowgate_of(&self, bytes: &[u8]) -> Loaded<FlowgateConfig> {
        load::of_bytes(&self.config, bytes, &self.reading())
    }

    /// How configs are read.
    pub fn reading(&self) -> Reading<'_> {
        Reading {
            root: &self.root,
            fingerprinter: &self.fingerprinter,
            redactor: &self.redactor,
        }
    }

    /// The absolute path of a path as the snapshot shows it.
    pub fn resolve(&self, shown: &str) -> PathBuf {
        self.root.resolve(shown)
    }

    /// Whether a file gives a service its variables.
    pub fn is_env_file(&self, path: &Path) -> bool {
        let services = self.flowgate().config.map(|config| config.services);
        services
            .into_iter()
            .flatten()
            .any(|service| service.env_file.as_deref() == Some(path))
    }

    /// Which config a file is.
    pub fn kind(&self, path: &Path) -> FileKind {
        if path == self.cliproxyapi {
            FileKind::Cliproxyapi
        } else if path == self.litellm {
            FileKind::Litellm
        } else {
            FileKind::Flowgate
        }
    }
}
