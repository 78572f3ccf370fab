//! Wave 0: the config files, on which everything else depends.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use flowgate_checks::model::{
    ConfigFile, ConfigState, Configs, EntryValue, Observed, Profiles, ServiceKind,
};

use super::context::Context;
use super::rendering;
use crate::config::cliproxyapi::{self, CliproxyConfig};
use crate::config::command::config_path;
use crate::config::discover::Surroundings;
use crate::config::file::{Loaded, Reading};
use crate::config::litellm::{self, LitellmConfig};
use crate::config::schema::FlowgateConfig;
use crate::config::service::ServiceConfig;
use crate::config::{load, profiles, secrets};

/// The config files, by type and as the snapshot holds them.
pub struct Wave0 {
    /// As the snapshot holds them.
    pub configs: Configs,
    /// flowgate.yaml; the template when there is none, none when it cannot be read or is invalid:
    /// then nothing is assumed.
    pub flowgate: Option<FlowgateConfig>,
    /// The active config of LiteLLM.
    pub litellm: Option<LitellmConfig>,
    /// The config of CLIProxyAPIPlus.
    pub cliproxyapi: Option<CliproxyConfig>,
    /// The digests of the active config of LiteLLM and of the config of CLIProxyAPIPlus; empty for
    /// one that does not load.
    pub digests: BTreeMap<ServiceKind, BTreeMap<String, String>>,
    /// The absolute paths of those that were looked at.
    pub paths: Vec<PathBuf>,
    /// The profiles.
    pub profiles: Profiles,
}

/// Finds flowgate.yaml and makes the context of the gateway that it describes.
pub fn discover(explicit: Option<PathBuf>, cwd: &Path) -> (PathBuf, Vec<PathBuf>, Context) {
    let found = Surroundings::of_process(explicit).discover();
    let root = load::root_of(&found.path);
    let key = load::fingerprint_key(&found.path);
    (
        found.path,
        found.tried,
        Context::new(root, cwd.to_owned(), &key),
    )
}

/// Reads flowgate.yaml, then the configs that it names.
pub fn read(path: &Path, tried: &[PathBuf], context: &Context) -> Wave0 {
    let Loaded {
        mut file, config, ..
    } = load::load(
        path,
        &context.root,
        &context.fingerprinter,
        &context.redactor,
    );
    file.tried = tried.iter().map(|path| context.show(path)).collect();
    let flowgate = match file.state {
        ConfigState::Missing => Some(FlowgateConfig::assumed(context.root.path())),
        _ => config,
    };
    let mut wave = Wave0 {
        profiles: flowgate.as_ref().map(read_profiles).unwrap_or_default(),
        configs: Configs {
            flowgate: file,
            ..Configs::default()
        },
        flowgate,
        litellm: None,
        cliproxyapi: None,
        digests: BTreeMap::new(),
        paths: vec![path.to_owned()],
    };
    wave.read_programs(context);
    wave
}

fn read_profiles(config: &FlowgateConfig) -> Profiles {
    Profiles {
        names: config.profiles.keys().cloned().collect(),
        current: match profiles::current(&config.paths.state_file) {
            Ok(current) => Observed::Known(current),
            Err(why) => Observed::unknown(why),
        },
        differences: rendering::differences(config),
    }
}

impl Wave0 {
    fn read_programs(&mut self, context: &Context) {
        let Some(flowgate) = &self.flowgate else {
            return;
        };
        let reading = Reading {
            root: &context.root,
            fingerprinter: &context.fingerprinter,
            redactor: &context.redactor,
        };
        let service = |kind| {
            flowgate
                .services
                .iter()
                .find(|service| service.kind == kind && service.enabled)
        };
        if let Some(service) = service(ServiceKind::Litellm) {
            let path = config_path(service, &context.cwd)
                .unwrap_or_else(|| flowgate.paths.active_config.clone());
            let mut loaded = litellm::load(&path, &reading);
            if let Some(fault) = missing_include(&path, loaded.config.as_ref()) {
                loaded = Loaded::without_content(ConfigFile {
                    state: fault,
                    entries: BTreeMap::new(),
                    ..loaded.file
                });
            }
            self.configs.litellm = loaded.file;
            self.litellm = loaded.config;
            self.digests.insert(ServiceKind::Litellm, loaded.digests);
            self.paths.push(path);
        }
        if let Some(path) =
            service(ServiceKind::Cliproxyapi).and_then(|service| config_path(service, &context.cwd))
        {
            let loaded = cliproxyapi::load(&path, &reading);
            self.configs.cliproxyapi = loaded.file;
            self.cliproxyapi = loaded.config;
            self.digests
                .insert(ServiceKind::Cliproxyapi, loaded.digests);
            self.paths.push(path);
        }
    }

    /// The services of flowgate.yaml, those that are off left out.
    pub fn services(&self) -> impl Iterator<Item = &ServiceConfig> {
        self.flowgate
            .iter()
            .flat_map(|config| &config.services)
            .filter(|service| service.enabled)
    }

    /// The first service of a kind.
    pub fn service(&self, kind: ServiceKind) -> Option<&ServiceConfig> {
        self.services().find(|service| service.kind == kind)
    }

    /// The variables that the configs name as `os.environ/NAME`.
    pub fn referenced_variables(&self) -> BTreeSet<String> {
        let texts = [&self.configs.litellm, &self.configs.flowgate]
            .into_iter()
            .flat_map(|file| file.entries.values())
            .filter_map(|entry| match &entry.value {
                EntryValue::Text(text) => secrets::environment_reference(text),
                _ => None,
            });
        texts.map(str::to_owned).collect()
    }
}

/// LiteLLM refuses a config that includes a file which is not there; it looks beside the config
/// (`facts/litellm.md` 3.1).
fn missing_include(path: &Path, config: Option<&LitellmConfig>) -> Option<ConfigState> {
    let folder = path.parent()?;
    let missing = config?.includes.iter().find(|(file, ..)| {
        let found = folder.join(file).try_exists();
        matches!(found, Ok(false))
    });
    let (file, entry, position) = missing?;
    Some(ConfigState::Invalid {
        position: Some(*position),
        message: format!("{entry} names {file}, which does not exist"),
        excerpt: None,
    })
}

/// Whether a config holds a secret in clear or as a hash.
pub fn holds_secret(file: &ConfigFile) -> bool {
    file.entries.iter().any(|(path, entry)| {
        let name = path.rsplit('.').next().unwrap_or(path);
        let name = name.split('[').next().unwrap_or(name);
        matches!(&entry.value, EntryValue::Secret { class, .. } if *class != flowgate_checks::model::SecretClass::Empty)
            && secrets::is_secret_name(name)
    })
}
