//! The end of `up`: where the gateway is, where its key is, and what to do next.

use clap::CommandFactory;
use flowgate_checks::model::{Finding, ServiceKind, Severity, Subject};

use crate::cli::failure::Failure;
use crate::cli::opened::Opened;
use crate::cli::{Cli, Global, again, output};
use crate::config::keys::{MASTER, SecretsDir};
use crate::report::Report;

/// The check whose findings a login mends.
const LOGINS: &str = "oauth-login/";

/// What a person needs to know of a gateway that is up.
pub struct Card {
    /// Name and address of each service.
    addresses: Vec<(String, String)>,
    /// The file of the key that clients send.
    key: String,
    /// The login that is missing.
    login: Option<String>,
    /// What may follow.
    then: Option<String>,
}

impl Card {
    /// From what the doctor saw.
    pub fn of(report: &Report, opened: &Opened, global: &Global) -> Self {
        let services = opened.config.services.iter().filter(|one| one.enabled);
        let addresses = services.filter_map(|service| {
            let host = match service.host.as_str() {
                "" | "0.0.0.0" | "::" => "127.0.0.1".to_owned(),
                host if host.contains(':') => format!("[{host}]"),
                host => host.to_owned(),
            };
            let end = if service.kind == ServiceKind::Litellm {
                "/v1"
            } else {
                ""
            };
            Some((
                service.name.clone(),
                format!("http://{host}:{}{end}", service.port?),
            ))
        });
        let has = |name: &str| Cli::command().find_subcommand(name).is_some();
        let key = SecretsDir::beside(&opened.config.paths.runtime_dir).path(MASTER);
        Self {
            addresses: addresses.collect(),
            key: opened.root.show(&key),
            login: errors(report).find(|root| is_login(root)).map(|root| {
                let provider = match &root.subject {
                    Subject::Provider(name) => name.clone(),
                    _ => "codex".into(),
                };
                let by_hand = || {
                    root.fixes
                        .iter()
                        .flat_map(|fix| &fix.commands)
                        .next()
                        .cloned()
                };
                match has("auth") {
                    true => again::command(global, &format!("auth login {provider}")),
                    false => by_hand().unwrap_or_else(|| format!("log in to {provider}")),
                }
            }),
            then: has("integration").then(|| again::command(global, "integration apply codex")),
        }
    }

    /// The roots that are no missing login; none when it serves, or only a login is missing.
    pub fn troubles<'a>(&self, report: &'a Report) -> Option<Vec<&'a Finding>> {
        let others: Vec<&Finding> = errors(report).filter(|root| !is_login(root)).collect();
        let is_well = others.is_empty() && (report.exit_code == 0 || self.login.is_some());
        (!is_well).then_some(others)
    }

    /// Prints it: tokens for scripts, lines for people.
    pub fn print(&self, global: &Global) -> Result<(), Failure> {
        let is_for_scripts = output::is_for_scripts(global);
        let mut lines = Vec::new();
        for (name, address) in &self.addresses {
            lines.push((name.clone(), address.clone()));
        }
        lines.push(("key_file".into(), self.key.clone()));
        if let Some(login) = &self.login {
            let name = if is_for_scripts {
                "next"
            } else {
                "one step left"
            };
            lines.push((name.into(), login.clone()));
        } else if let Some(then) = &self.then {
            lines.push(("next".into(), then.clone()));
        }
        let wide = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let line = |(name, value): &(String, String)| match is_for_scripts {
            true => format!("{name}={value}\n"),
            false => format!("  {name:wide$}  {value}\n"),
        };
        output::text(&lines.iter().map(line).collect::<String>())?;
        if is_for_scripts && let Some(login) = &self.login {
            output::errors(&format!("one step left: {login}\n"));
        }
        Ok(())
    }
}

fn errors(report: &Report) -> impl Iterator<Item = &Finding> {
    report
        .heard_roots()
        .filter(|root| root.severity == Severity::Error)
}

fn is_login(root: &Finding) -> bool {
    root.spec.id.starts_with(LOGINS)
}
