//! The keys between the hops: which one is kept, and which one the services really use.

use std::path::Path;

use flowgate_checks::model::ServiceKind;
use secrecy::{ExposeSecret, SecretString};

use super::cliproxyapi::{self, CliproxyConfig, SecretKey};
use super::file::Reading;
use super::keys::{self, KeyError, SecretsDir};
use super::litellm::{self, KeyRef, KeyValue, LitellmConfig};
use super::schema::FlowgateConfig;
use super::{command, starter};
use crate::sys::read;

/// An env file is far smaller, in bytes.
const LARGEST_ENV: u64 = 64 << 10;

/// One of the keys of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// What clients send to LiteLLM.
    Litellm,
    /// What LiteLLM sends to CLIProxyAPIPlus.
    Upstream,
    /// What flowgate sends to the management API of CLIProxyAPIPlus.
    Management,
}

impl KeyKind {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Litellm => "litellm",
            Self::Upstream => "upstream",
            Self::Management => "management",
        }
    }

    /// The file in which flowgate keeps it.
    pub fn file(self) -> &'static str {
        match self {
            Self::Litellm => keys::MASTER,
            Self::Upstream => keys::UPSTREAM,
            Self::Management => keys::MANAGEMENT,
        }
    }
}

/// A key that a service uses.
#[derive(Debug, Clone)]
pub struct InUse {
    /// The key.
    pub key: SecretString,
    /// The variable that holds it, where neither a file nor flowgate.yaml gives that its value: the
    /// shell did.
    pub from_shell: Option<String>,
}

/// The keys of one gateway.
pub struct Keyring<'a> {
    /// flowgate.yaml.
    pub config: &'a FlowgateConfig,
    /// The folder of the caller.
    pub cwd: &'a Path,
    /// How configs are read.
    pub reading: Reading<'a>,
}

impl Keyring<'_> {
    /// The key that flowgate keeps.
    ///
    /// # Errors
    /// [`KeyError`], when its file is there and cannot be read, or holds none.
    pub fn kept(&self, kind: KeyKind) -> Result<Option<SecretString>, KeyError> {
        SecretsDir::beside(&self.config.paths.runtime_dir).read(kind.file())
    }

    /// The key that the configs give; none when they hold none that can be read here.
    pub fn in_use(&self, kind: KeyKind) -> Option<InUse> {
        match kind {
            KeyKind::Litellm => self.master_key(),
            KeyKind::Upstream => self.upstream_key(),
            KeyKind::Management => match self.proxy()?.secret_key {
                SecretKey::Plain(key) => Some(InUse {
                    key,
                    from_shell: None,
                }),
                SecretKey::Hash(_) | SecretKey::Absent => None,
            },
        }
    }

    /// The config of CLIProxyAPIPlus, when it loads.
    pub fn proxy(&self) -> Option<CliproxyConfig> {
        let mut services = self.config.services.iter();
        let proxy = services.find(|service| service.kind == ServiceKind::Cliproxyapi)?;
        let path = command::config_path(proxy, self.cwd)?;
        cliproxyapi::load(&path, &self.reading).config
    }

    /// The active config of LiteLLM, when it loads.
    pub fn active(&self) -> Option<LitellmConfig> {
        litellm::load(&self.config.paths.active_config, &self.reading).config
    }

    /// The master key of the active config, else of `litellm_base`.
    fn master_key(&self) -> Option<InUse> {
        if let Some(active) = self.active()
            && let Some(key) = &active.master_key
        {
            return self.value(key.value.clone(), Some(&active));
        }
        let base = self.config.litellm_base.as_ref()?;
        let written = base.get("general_settings")?.get("master_key")?;
        self.value(KeyRef::read(written, "")?.value, None)
    }

    /// The first key of a deployment that CLIProxyAPIPlus lets in, else the first that it lets in.
    fn upstream_key(&self) -> Option<InUse> {
        let let_in: Vec<InUse> = self
            .proxy()?
            .api_keys
            .into_iter()
            .filter_map(|key| self.value(key.value, None))
            .collect();
        let active = self.active();
        let sent = active
            .iter()
            .flat_map(|active| &active.deployments)
            .filter_map(|deployment| {
                self.value(deployment.api_key.as_ref()?.value.clone(), active.as_ref())
            });
        let is_let_in = |sent: &InUse| {
            let_in
                .iter()
                .any(|known| known.key.expose_secret() == sent.key.expose_secret())
        };
        let mut sent = sent.filter(is_let_in);
        sent.next().or_else(|| let_in.first().cloned())
    }

    /// The value of a key: a variable is looked up where LiteLLM would get it from.
    fn value(&self, key: KeyValue, active: Option<&LitellmConfig>) -> Option<InUse> {
        let written = |key: SecretString| {
            Some(InUse {
                key,
                from_shell: None,
            })
        };
        match key {
            KeyValue::Literal(key) => written(key),
            KeyValue::Environment(name) => {
                // LiteLLM puts these variables into its own environment, over all others.
                let own = active.and_then(|active| active.environment.get(&name));
                match own.cloned().or_else(|| self.configured(&name)) {
                    Some(key) => written(key),
                    None => Some(InUse {
                        key: SecretString::from(
                            std::env::var(&name)
                                .ok()
                                .filter(|value| !value.is_empty())?,
                        ),
                        from_shell: Some(name),
                    }),
                }
            }
            KeyValue::Empty => None,
        }
    }

    /// The value that flowgate.yaml or the env file of LiteLLM gives a variable.
    fn configured(&self, name: &str) -> Option<SecretString> {
        let mut services = self.config.services.iter();
        let litellm = services.find(|service| service.kind == ServiceKind::Litellm)?;
        if let Some(value) = litellm.env.get(name) {
            return Some(value.clone());
        }
        let bytes = read::whole(litellm.env_file.as_deref()?, LARGEST_ENV).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        starter::variable(&text, name).map(SecretString::from)
    }
}
