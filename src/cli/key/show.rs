//! `flowgate key show`.

use std::io::{self, IsTerminal};

use anyhow::anyhow;
use flowgate_checks::model::ServiceKind;
use secrecy::{ExposeSecret, SecretString};

use super::keyring;
use crate::cli::failure::Failure;
use crate::cli::opened::{self, Opened};
use crate::cli::{Global, again, output};
use crate::config::in_use::KeyKind;
use crate::config::keys::SecretsDir;

/// Prints a key; gives the exit code.
///
/// # Errors
/// A config that does not load, a key that is nowhere to be read.
pub fn run(kind: KeyKind, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    let Some(secret) = find(kind, &opened)? else {
        return Err(missing(kind, &opened, global));
    };
    output::text(&format!("{}\n", secret.expose_secret()))?;
    if io::stdout().is_terminal() {
        output::errors(&format!("\nhint: {}\n", user(kind, &opened)));
    }
    Ok(0)
}

/// The kept key, else the one that the configs hold.
fn find(kind: KeyKind, opened: &Opened) -> Result<Option<SecretString>, Failure> {
    let keyring = keyring(opened);
    if let Some(kept) = keyring.kept(kind)? {
        return Ok(Some(kept));
    }
    Ok(keyring.in_use(kind).map(|found| found.key))
}

fn missing(kind: KeyKind, opened: &Opened, global: &Global) -> Failure {
    let secrets = SecretsDir::beside(&opened.config.paths.runtime_dir);
    let file = opened.root.show(&secrets.path(kind.file()));
    // Where else it was looked for, in vain.
    let elsewhere = match kind {
        KeyKind::Litellm => "no config of litellm gives a master_key that can be read here",
        KeyKind::Upstream => "cliproxyapi.yaml gives no api-keys",
        KeyKind::Management => "cliproxyapi.yaml holds no secret-key in clear",
    };
    Failure::failed(anyhow!(
        "failed to show the {} key: there is no {file}, and {elsewhere}",
        kind.name()
    ))
    .hint(again::command(global, "init"))
}

/// Who uses it.
fn user(kind: KeyKind, opened: &Opened) -> String {
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
    match kind {
        KeyKind::Litellm => format!(
            "clients send it to LiteLLM{} as a bearer token",
            address(ServiceKind::Litellm)
        ),
        KeyKind::Upstream => format!(
            "LiteLLM sends it to CLIProxyAPIPlus{}; clients do not need it",
            address(ServiceKind::Cliproxyapi)
        ),
        KeyKind::Management => format!(
            "flowgate sends it to the management API of CLIProxyAPIPlus{}",
            address(ServiceKind::Cliproxyapi)
        ),
    }
}
