//! The gateway as clients see it: its URL, its models and its key.

use flowgate_checks::model::{Scheme, ServiceKind};
use flowgate_checks::state::asked_host;
use secrecy::SecretString;
use thiserror::Error;

use crate::config::command;
use crate::config::document::Node;
use crate::config::in_use::{KeyKind, Keyring};
use crate::config::schema::FlowgateConfig;

/// The model that clients get unless flowgate.yaml says otherwise.
const DEFAULT_MODEL: &str = "router-default";

/// What a client is told of the gateway. No `Debug`: it holds a key.
#[derive(Clone)]
pub struct Gateway {
    /// `http://127.0.0.1:4000`, without a path.
    pub root: String,
    /// The model of every client.
    pub model: String,
    /// The model for small tasks.
    pub fast_model: String,
    /// The key that LiteLLM accepts; none where none can be read.
    pub key: Option<SecretString>,
}

/// Why nobody can be pointed at the gateway. The sentences are those that scripts know.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GatewayError {
    /// flowgate.yaml has no LiteLLM.
    #[error("services.litellm is not configured")]
    NoLitellm,
    /// LiteLLM has no port.
    #[error("services.litellm.port must be an integer")]
    NoPort,
}

impl Gateway {
    /// The gateway of a flowgate.yaml, with the key that flowgate keeps or the configs hold.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn of(keyring: &Keyring<'_>) -> Result<Self, GatewayError> {
        let config = keyring.config;
        let mut gateway = Self::without_key(config)?;
        // Where flowgate.yaml names no model the active config is a person's own.
        if config.integration.default_model.is_none()
            && base_names(config).is_empty()
            && let Some(active) = keyring.active()
        {
            gateway.model = default_model(&active.model_names());
            if config.integration.fast_model.is_none() {
                gateway.fast_model = gateway.model.clone();
            }
        }
        let kept = keyring.kept(KeyKind::Litellm).ok().flatten();
        gateway.key = kept.or_else(|| Some(keyring.in_use(KeyKind::Litellm)?.key));
        if let Some(key) = &gateway.key {
            keyring.reading.redactor.learn(key);
        }
        Ok(gateway)
    }

    /// The same without its key.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn without_key(config: &FlowgateConfig) -> Result<Self, GatewayError> {
        let mut services = config.services.iter();
        let litellm = services
            .find(|service| service.kind == ServiceKind::Litellm)
            .ok_or(GatewayError::NoLitellm)?;
        let port = litellm.port.ok_or(GatewayError::NoPort)?;
        // A wildcard is bound and never asked.
        let host = match litellm.host.as_str() {
            "localhost" => "localhost",
            host => asked_host(host),
        };
        let host = match host.contains(':') {
            true => format!("[{host}]"),
            false => host.to_owned(),
        };
        let scheme = match command::asks_for_tls(&litellm.args) {
            true => Scheme::Https,
            false => Scheme::Http,
        };
        let model = config
            .integration
            .default_model
            .clone()
            .unwrap_or_else(|| default_model(&base_names(config)));
        Ok(Self {
            root: format!("{}://{host}:{port}", scheme_word(scheme)),
            fast_model: config
                .integration
                .fast_model
                .clone()
                .unwrap_or_else(|| model.clone()),
            model,
            key: None,
        })
    }
}

fn scheme_word(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    }
}

/// The model names of `litellm_base`.
fn base_names(config: &FlowgateConfig) -> Vec<&str> {
    let base = config.litellm_base.as_ref();
    base.and_then(|base| base.get("model_list"))
        .and_then(Node::as_list)
        .unwrap_or_default()
        .iter()
        .filter_map(|entry| entry.get("model_name")?.as_text())
        .collect()
}

/// `router-default` where it is offered or where nothing else is, else the first that is no pattern.
fn default_model(names: &[&str]) -> String {
    match names.iter().find(|name| !name.contains('*')) {
        Some(first) if !names.contains(&DEFAULT_MODEL) => (*first).to_owned(),
        _ => DEFAULT_MODEL.to_owned(),
    }
}
