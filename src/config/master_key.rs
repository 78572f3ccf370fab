//! The key that LiteLLM accepts from its clients, as far as it can be read here.

use flowgate_checks::model::ServiceKind;
use secrecy::SecretString;

use super::document::Node;
use super::file::Reading;
use super::keys::{self, SecretsDir};
use super::litellm::{self, KeyRef, KeyValue};
use super::schema::FlowgateConfig;
use super::starter;
use crate::sys::read;

/// An env file is far smaller, in bytes.
const LARGEST_ENV: u64 = 64 << 10;

/// The kept key, else the master key of the active config, else that of `litellm_base`. A variable is
/// looked up where LiteLLM would get it from.
pub fn of(config: &FlowgateConfig, reading: &Reading<'_>) -> Option<SecretString> {
    let secrets = SecretsDir::beside(&config.paths.runtime_dir);
    let key = secrets
        .read(keys::MASTER)
        .ok()
        .flatten()
        .or_else(|| active(config, reading))
        .or_else(|| base(config))?;
    reading.redactor.learn(&key);
    Some(key)
}

fn active(config: &FlowgateConfig, reading: &Reading<'_>) -> Option<SecretString> {
    let active = litellm::load(&config.paths.active_config, reading).config?;
    let key = active.master_key?.value;
    // LiteLLM puts these variables into its own environment, over all others.
    if let KeyValue::Environment(name) = &key
        && let Some(own) = active.environment.get(name)
    {
        return Some(own.clone());
    }
    value(key, config)
}

fn base(config: &FlowgateConfig) -> Option<SecretString> {
    let base: &Node = config.litellm_base.as_ref()?;
    let written = base.get("general_settings")?.get("master_key")?;
    value(KeyRef::read(written, "")?.value, config)
}

fn value(key: KeyValue, config: &FlowgateConfig) -> Option<SecretString> {
    match key {
        KeyValue::Literal(key) => Some(key),
        KeyValue::Environment(name) => variable(&name, config),
        KeyValue::Empty => None,
    }
}

fn variable(name: &str, config: &FlowgateConfig) -> Option<SecretString> {
    let mut services = config.services.iter();
    let litellm = services.find(|service| service.kind == ServiceKind::Litellm);
    if let Some(value) = litellm.and_then(|service| service.env.get(name)) {
        return Some(value.clone());
    }
    let in_file = litellm
        .and_then(|service| read::whole(service.env_file.as_deref()?, LARGEST_ENV).ok())
        .and_then(|bytes| {
            let text = String::from_utf8(bytes).ok()?;
            starter::variable(&text, name).map(SecretString::from)
        });
    in_file.or_else(|| {
        std::env::var(name)
            .ok()
            .filter(|value| !value.is_empty())
            .map(SecretString::from)
    })
}
