//! The keys between the hops, and the config of CLIProxyAPIPlus that holds one.

use flowgate_checks::model::ServiceKind;
use secrecy::{ExposeSecret, SecretString};

use super::Written;
use crate::cli::failure::Failure;
use crate::cli::opened::Opened;
use crate::config::cliproxyapi::{self, CliproxyConfig};
use crate::config::file::{Loaded, Reading};
use crate::config::keys::{self, SecretsDir};
use crate::config::litellm::KeyValue;
use crate::config::service::ServiceConfig;
use crate::config::{command, secrets, starter};
use crate::sys::read;
use crate::sys::write::{self, Modes};

/// An env file is far smaller, in bytes.
const LARGEST_ENV: u64 = 64 << 10;

/// Writes the keys that flowgate.yaml asks for.
///
/// A flowgate.yaml whose LiteLLM does not take the variables from `secrets/litellm.env` brings
/// keys of its own: random ones beside them would only be taken for the right ones.
pub fn keys_and_config(opened: &Opened, written: &mut Written) -> Result<(), Failure> {
    let secrets = SecretsDir::beside(&opened.config.paths.runtime_dir);
    if let Some(proxy) = service(opened, ServiceKind::Cliproxyapi)
        && proxy.management_auto
    {
        let (_, created) = secrets.ensure(keys::MANAGEMENT, keys::random_hex)?;
        written.note(&secrets.path(keys::MANAGEMENT), created);
    }
    let env = secrets.path(keys::LITELLM_ENV);
    let takes_ours = service(opened, ServiceKind::Litellm)
        .is_some_and(|litellm| litellm.env_file.as_deref() == Some(env.as_path()));
    if !takes_ours {
        return Ok(());
    }
    let proxy = ProxyFile::look(opened);
    let before = read::whole(&env, LARGEST_ENV)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default();
    let kept = |name| starter::variable(&before, name).map(SecretString::from);
    let mut ensure = |name: &str, known: Option<SecretString>| -> Result<SecretString, Failure> {
        let (key, created) =
            secrets.ensure(name, || known.map_or_else(keys::random_api_key, Ok))?;
        written.note(&secrets.path(name), created);
        Ok(key)
    };
    let in_use = proxy.as_ref().and_then(ProxyFile::key);
    let upstream = in_use.or_else(|| kept(starter::UPSTREAM_VARIABLE));
    let upstream = ensure(keys::UPSTREAM, upstream)?;
    let master = ensure(keys::MASTER, kept(starter::MASTER_VARIABLE))?;
    let text = starter::litellm_env(upstream.expose_secret(), master.expose_secret());
    let created = write::create_new_secret(&env, text.as_bytes())?;
    written.note(&env, created);
    match proxy {
        Some(proxy) => proxy.write(&upstream, written),
        None => Ok(()),
    }
}

fn service(opened: &Opened, kind: ServiceKind) -> Option<&ServiceConfig> {
    let services = &opened.config.services;
    services
        .iter()
        .find(|service| service.kind == kind && service.enabled && service.managed)
}

/// The config of CLIProxyAPIPlus, there or not.
struct ProxyFile {
    path: std::path::PathBuf,
    port: u16,
    loaded: Loaded<CliproxyConfig>,
}

impl ProxyFile {
    fn look(opened: &Opened) -> Option<Self> {
        let service = service(opened, ServiceKind::Cliproxyapi)?;
        let path = command::config_path(service, &opened.cwd)?;
        let reading = Reading {
            root: &opened.root,
            fingerprinter: &opened.fingerprinter,
            redactor: &opened.redactor,
        };
        Some(Self {
            loaded: cliproxyapi::load(&path, &reading),
            port: service.port?,
            path,
        })
    }

    /// The key that it lets in already; a placeholder is none.
    fn key(&self) -> Option<SecretString> {
        use flowgate_checks::model::SecretClass::Ordinary;
        let keys = &self.loaded.config.as_ref()?.api_keys;
        keys.iter().find_map(|key| match &key.value {
            KeyValue::Literal(key) if secrets::class(key.expose_secret()) == Ordinary => {
                Some(key.clone())
            }
            _ => None,
        })
    }

    fn write(&self, upstream: &SecretString, written: &mut Written) -> Result<(), Failure> {
        let text = starter::cliproxyapi(upstream.expose_secret(), self.port);
        let modes = Modes::PRIVATE;
        let created = write::create(&self.path, text.as_bytes(), modes)?;
        written.note(&self.path, created);
        let keys = self
            .loaded
            .config
            .iter()
            .flat_map(|config| &config.api_keys);
        let is_let_in = |value: &KeyValue| matches!(value, KeyValue::Literal(key) if key.expose_secret() == upstream.expose_secret());
        let mut values = keys.map(|key| &key.value).peekable();
        // Without a list everybody is let in.
        if values.peek().is_some() && !values.any(is_let_in) {
            written.warn(
                &self.path,
                "does not let LiteLLM in: put the key of `flowgate key show upstream` into its api-keys",
            );
        }
        Ok(())
    }
}
