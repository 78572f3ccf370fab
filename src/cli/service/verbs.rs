//! Asks the supervisor, service by service, and says what became of each.

use std::collections::BTreeSet;
use std::time::Instant;

use super::Which;
use crate::cli::failure::{EXIT_FAILED, Failure};
use crate::cli::opened::{self, Opened};
use crate::cli::progress::Progress;
use crate::cli::services::ask::{ask, referenced};
use crate::cli::services::diagnosis::Diagnosis;
use crate::cli::services::impatience::Impatience;
use crate::cli::services::outcome::{End, Outcome, Verb};
use crate::cli::services::say::Speaker;
use crate::cli::services::targets::{Targets, targets};
use crate::cli::{Global, output};
use crate::config::service::ServiceConfig;
use crate::supervisor::client::{Client, ClientError};
use crate::supervisor::status;

/// Does it, and gives the exit code.
pub fn run(verb: Verb, which: &Which, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    let Targets { services, notes } = targets(&which.name, verb, &opened)?;
    let speaker = Speaker::new(verb, which.json, global);
    if verb != Verb::Stop {
        output::errors(&opened.warnings());
    }
    for note in &notes {
        output::errors(&format!("{note}\n"));
    }
    let mut way = reach(verb, &services, &opened);
    let referenced = match verb {
        Verb::Stop => BTreeSet::new(),
        Verb::Start | Verb::Restart => referenced(&opened),
    };
    let impatience = (verb == Verb::Stop && matches!(way, Way::Open(_)))
        .then(|| Impatience::listen(&opened.config.paths.runtime_dir));
    let mut outcomes = Vec::new();
    for service in services {
        let begun = Instant::now();
        if let Some(impatience) = &impatience {
            impatience.about(&service.name);
        }
        let end = match &mut way {
            Way::Open(client) => {
                let progress = Progress::of(&service.name, speaker.shows_progress());
                ask(client, verb, service, &referenced, &opened, &progress)
            }
            Way::NotNeeded => End::Stopped { was_running: false },
            Way::Closed(error) => End::failed("no-supervisor", format!("failed to {error}")),
        };
        let outcome = Outcome {
            service: service.name.clone(),
            host: service.host.clone(),
            port: service.port,
            end,
            took: begun.elapsed(),
        };
        speaker.say(&outcome)?;
        outcomes.push(outcome);
    }
    let failed = outcomes.iter().filter(|outcome| outcome.end.is_failure());
    let failed: BTreeSet<&str> = failed.map(|outcome| outcome.service.as_str()).collect();
    let diagnosis = match failed.is_empty() {
        true => None,
        false => Some(Diagnosis::of(&failed, global)),
    };
    speaker.finish(&outcomes, diagnosis.as_ref())?;
    Ok(if failed.is_empty() { 0 } else { EXIT_FAILED })
}

/// The way to the supervisor.
enum Way {
    Open(Box<Client>),
    /// Nothing runs and nothing should: there is nothing to stop.
    NotNeeded,
    Closed(ClientError),
}

fn reach(verb: Verb, services: &[&ServiceConfig], opened: &Opened) -> Way {
    let runtime = &opened.config.paths.runtime_dir;
    if services.is_empty() {
        return Way::NotNeeded;
    }
    if verb == Verb::Stop {
        if let Some(client) = Client::connect(runtime) {
            return Way::Open(Box::new(client));
        }
        // One that only should run is stopped too: a supervisor that is started later, or the
        // doctor, would want it back.
        let is_known = status::read_all(&opened.config, &opened.root)
            .iter()
            .any(|now| (now.is_running() || now.wanted) && names(services, &now.name));
        if !is_known {
            return Way::NotNeeded;
        }
    }
    match Client::ensure(runtime, &opened.path) {
        Ok(client) => Way::Open(Box::new(client)),
        Err(error) => Way::Closed(error),
    }
}

fn names(services: &[&ServiceConfig], name: &str) -> bool {
    services.iter().any(|service| service.name == name)
}
