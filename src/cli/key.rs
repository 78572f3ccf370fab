//! `flowgate key show`: the one command that prints a secret, since that is what it is asked for.

use std::io::{self, IsTerminal};

use anyhow::anyhow;
use clap::{Args, Subcommand, ValueEnum};
use flowgate_checks::model::ServiceKind;
use secrecy::{ExposeSecret, SecretString};

use super::failure::Failure;
use super::opened::{self, Opened};
use super::{Global, again, output};
use crate::config::cliproxyapi::{self, SecretKey};
use crate::config::file::Reading;
use crate::config::keys::{self, SecretsDir};
use crate::config::litellm::{self, KeyRef, KeyValue};
use crate::config::{command, starter};
use crate::sys::read;

/// An env file is far smaller, in bytes.
const LARGEST_ENV: u64 = 64 << 10;

/// Show a key of the gateway.
#[derive(Debug, Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Print a key, and nothing else, on stdout
    Show {
        /// Which
        #[arg(value_enum)]
        key: KeyName,
    },
}

/// The keys of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KeyName {
    /// What clients send to LiteLLM
    Litellm,
    /// What LiteLLM sends to CLIProxyAPIPlus
    Upstream,
    /// What flowgate sends to the management API of CLIProxyAPIPlus
    Management,
}

/// Runs `key show`; gives the exit code.
///
/// # Errors
/// A config that does not load, a key that is nowhere to be read.
pub fn run(args: &KeyArgs, global: &Global) -> Result<u8, Failure> {
    let KeyCommand::Show { key } = args.command;
    let opened = opened::open(global)?;
    let Some(secret) = find(key, &opened)? else {
        return Err(missing(key, &opened, global));
    };
    output::text(&format!("{}\n", secret.expose_secret()))?;
    if io::stdout().is_terminal() {
        output::errors(&format!("\nhint: {}\n", key.user(&opened)));
    }
    Ok(0)
}

/// The kept key, else the one that the configs hold.
fn find(key: KeyName, opened: &Opened) -> Result<Option<SecretString>, Failure> {
    let secrets = SecretsDir::beside(&opened.config.paths.runtime_dir);
    if let Some(kept) = secrets.read(key.file())? {
        return Ok(Some(kept));
    }
    Ok(match key {
        KeyName::Litellm => master_key(opened),
        KeyName::Upstream => proxy_config(opened)
            .and_then(|config| config.api_keys.into_iter().next())
            .and_then(|key| value(key.value, opened)),
        KeyName::Management => proxy_config(opened).and_then(|config| match config.secret_key {
            SecretKey::Plain(key) => Some(key),
            SecretKey::Hash(_) | SecretKey::Absent => None,
        }),
    })
}

/// The master key of the active config, else of `litellm_base`.
fn master_key(opened: &Opened) -> Option<SecretString> {
    let path = &opened.config.paths.active_config;
    let active = litellm::load(path, &reading(opened)).config;
    if let Some(active) = active
        && let Some(key) = active.master_key
    {
        // LiteLLM puts these variables into its own environment, over all others.
        if let KeyValue::Environment(name) = &key.value
            && let Some(own) = active.environment.get(name)
        {
            return Some(own.clone());
        }
        return value(key.value, opened);
    }
    let base = opened.config.litellm_base.as_ref()?;
    let written = base.get("general_settings")?.get("master_key")?;
    value(KeyRef::read(written, "")?.value, opened)
}

fn proxy_config(opened: &Opened) -> Option<cliproxyapi::CliproxyConfig> {
    let services = &opened.config.services;
    let proxy = services
        .iter()
        .find(|service| service.kind == ServiceKind::Cliproxyapi)?;
    let path = command::config_path(proxy, &opened.cwd)?;
    cliproxyapi::load(&path, &reading(opened)).config
}

fn reading(opened: &Opened) -> Reading<'_> {
    Reading {
        root: &opened.root,
        fingerprinter: &opened.fingerprinter,
        redactor: &opened.redactor,
    }
}

/// The value of a key: a variable is looked up where LiteLLM would get it from.
fn value(key: KeyValue, opened: &Opened) -> Option<SecretString> {
    match key {
        KeyValue::Literal(key) => Some(key),
        KeyValue::Environment(name) => variable(&name, opened),
        KeyValue::Empty => None,
    }
}

fn variable(name: &str, opened: &Opened) -> Option<SecretString> {
    let services = &opened.config.services;
    let litellm = services
        .iter()
        .find(|service| service.kind == ServiceKind::Litellm);
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

fn missing(key: KeyName, opened: &Opened, global: &Global) -> Failure {
    let secrets = SecretsDir::beside(&opened.config.paths.runtime_dir);
    let file = opened.root.show(&secrets.path(key.file()));
    Failure::failed(anyhow!(
        "failed to show the {} key: there is no {file}, and {}",
        key.name(),
        key.elsewhere()
    ))
    .hint(again::command(global, "init"))
}

impl KeyName {
    fn name(self) -> &'static str {
        match self {
            Self::Litellm => "litellm",
            Self::Upstream => "upstream",
            Self::Management => "management",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Litellm => keys::MASTER,
            Self::Upstream => keys::UPSTREAM,
            Self::Management => keys::MANAGEMENT,
        }
    }

    /// Where else it was looked for, in vain.
    fn elsewhere(self) -> &'static str {
        match self {
            Self::Litellm => "no config of litellm gives a master_key that can be read here",
            Self::Upstream => "cliproxyapi.yaml gives no api-keys",
            Self::Management => "cliproxyapi.yaml holds no secret-key in clear",
        }
    }

    /// Who uses it.
    fn user(self, opened: &Opened) -> String {
        let address = |kind: ServiceKind| {
            let services = &opened.config.services;
            let service = services.iter().find(|service| service.kind == kind);
            service.map_or_else(String::new, |service| {
                let port = service
                    .port
                    .map_or_else(String::new, |port| format!(":{port}"));
                format!(" ({}{port})", service.name)
            })
        };
        match self {
            Self::Litellm => format!(
                "clients send it to LiteLLM{} as a bearer token",
                address(ServiceKind::Litellm)
            ),
            Self::Upstream => format!(
                "LiteLLM sends it to CLIProxyAPIPlus{}; clients do not need it",
                address(ServiceKind::Cliproxyapi)
            ),
            Self::Management => format!(
                "flowgate sends it to the management API of CLIProxyAPIPlus{}",
                address(ServiceKind::Cliproxyapi)
            ),
        }
    }
}
