//! Which services a name means, and in which order.

use flowgate_checks::model::ServiceKind;

use super::outcome::Verb;
use crate::cli::failure::Failure;
use crate::cli::opened::Opened;
use crate::config::service::ServiceConfig;

/// The services to act on, and what is to be said of those that are left alone.
#[derive(Default)]
pub struct Targets<'a> {
    /// In the order in which they are acted on.
    pub services: Vec<&'a ServiceConfig>,
    /// One sentence for each that somebody else runs.
    pub notes: Vec<String>,
}

/// The services that a name means.
///
/// They start from the far end of the chain: CLIProxyAPIPlus, LiteLLM, then the others in the order
/// of the file; they stop the other way round.
///
/// # Errors
/// A name that flowgate.yaml does not have, exit 2; one that is off or that somebody else runs,
/// exit 1.
pub fn targets<'a>(name: &str, verb: Verb, opened: &'a Opened) -> Result<Targets<'a>, Failure> {
    let mut targets = Targets::default();
    if name != "all" {
        targets.services.push(one(name, verb, opened)?);
        return Ok(targets);
    }
    for service in opened.config.services.iter().filter(|one| one.enabled) {
        if service.managed {
            targets.services.push(service);
        } else {
            targets.notes.push(not_managed(service));
        }
    }
    targets.services.sort_by_key(|service| rank(service.kind));
    if verb == Verb::Stop {
        targets.services.reverse();
    }
    Ok(targets)
}

fn one<'a>(name: &str, verb: Verb, opened: &'a Opened) -> Result<&'a ServiceConfig, Failure> {
    let Some(service) = opened.config.service(name) else {
        return Err(Failure::known(format!("Unknown service: {name}")));
    };
    let file = &opened.file.path;
    // What is switched off may still run from before, and can be stopped.
    if !service.enabled && verb != Verb::Stop {
        return Err(Failure::failed(anyhow::anyhow!(
            "{name} is switched off by {}.enabled in {file}",
            service.entry
        )));
    }
    if !service.managed {
        return Err(match how_others(verb, service) {
            Some(command) => Failure::failed(anyhow::anyhow!(not_managed(service))).hint(command),
            None => Failure::failed(anyhow::anyhow!(not_managed(service))),
        });
    }
    Ok(service)
}

fn rank(kind: ServiceKind) -> u8 {
    match kind {
        ServiceKind::Cliproxyapi => 0,
        ServiceKind::Litellm => 1,
        ServiceKind::Other => 2,
    }
}

fn not_managed(service: &ServiceConfig) -> String {
    let name = &service.name;
    match (&service.unit, &service.container) {
        (Some(unit), _) => format!("{name} is run by the systemd unit {unit}, not by flowgate"),
        (None, Some(container)) => {
            format!("{name} runs in the container {container}, not under flowgate")
        }
        (None, None) => format!("{name} is not run by flowgate ({}.managed)", service.entry),
    }
}

fn how_others(verb: Verb, service: &ServiceConfig) -> Option<String> {
    let verb = verb.word();
    match (&service.unit, &service.container) {
        (Some(unit), _) => Some(format!("systemctl {verb} {unit}")),
        (None, Some(container)) => Some(format!("docker {verb} {container}")),
        (None, None) => None,
    }
}
