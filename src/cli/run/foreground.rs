//! What the foreground asks of its own supervisor: all services started, all stopped, at once if need
//! be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use crate::cli::Global;
use crate::cli::opened::Opened;
use crate::cli::progress::Progress;
use crate::cli::services::ask::{ask, referenced};
use crate::cli::services::diagnosis::Diagnosis;
use crate::cli::services::outcome::{End, Outcome, Verb};
use crate::cli::services::say::Speaker;
use crate::cli::services::targets::targets;
use crate::supervisor::client::Client;
use crate::supervisor::protocol::{Answer, Command, Event, ServiceStatus};
use crate::supervisor::records::ServiceState;

/// What the foreground works on.
pub(super) struct Foreground {
    pub(super) opened: Opened,
    pub(super) global: Global,
    pub(super) is_stopping: AtomicBool,
}

impl Foreground {
    pub(super) fn client(&self) -> Option<Client> {
        Client::connect(&self.opened.config.paths.runtime_dir)
    }

    /// Starts all, and lets the doctor say why some did not get ready; gives their names.
    pub(super) fn start_all(&self) -> Vec<String> {
        let outcomes = self.act(Verb::Start);
        let failed = outcomes.iter().filter(|outcome| outcome.end.is_failure());
        let failed: BTreeSet<&str> = failed.map(|outcome| outcome.service.as_str()).collect();
        if !outcomes.is_empty() && !self.is_stopping() {
            let diagnosis = (!failed.is_empty()).then(|| Diagnosis::of(&failed, &self.global));
            // Nobody to tell is no reason to end what runs.
            let _ = self
                .speaker(Verb::Start)
                .finish(&outcomes, diagnosis.as_ref());
        }
        failed.into_iter().map(str::to_owned).collect()
    }

    /// Does it to all services; a start ends early when somebody wants to stop.
    pub(super) fn act(&self, verb: Verb) -> Vec<Outcome> {
        let Ok(targets) = targets("all", verb, &self.opened) else {
            return Vec::new();
        };
        let speaker = self.speaker(verb);
        let referenced = referenced(&self.opened);
        let mut outcomes = Vec::new();
        for service in targets.services {
            let is_over = || verb == Verb::Start && self.is_stopping();
            if is_over() {
                break;
            }
            let begun = Instant::now();
            let end = match self.client() {
                Some(mut client) => {
                    let progress = Progress::of(&service.name, speaker.shows_progress());
                    ask(
                        &mut client,
                        verb,
                        service,
                        &referenced,
                        &self.opened,
                        &progress,
                    )
                }
                None => End::failed("no-supervisor", "the supervisor has ended".into()),
            };
            let outcome = Outcome {
                service: service.name.clone(),
                host: service.host.clone(),
                port: service.port,
                end,
                took: begun.elapsed(),
            };
            if !is_over() {
                let _ = speaker.say(&outcome);
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    fn speaker(&self, verb: Verb) -> Speaker {
        Speaker::new(verb, false, &self.global)
    }

    fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }

    /// What the supervisor says of the services of flowgate.yaml that are its own.
    pub(super) fn services(&self) -> Option<BTreeMap<String, ServiceStatus>> {
        let answer = self.client()?.request(Command::Status, |_| {});
        let Ok(Answer::Status { mut services, .. }) = answer else {
            return None;
        };
        let config = &self.opened.config;
        services.retain(|name, _| {
            config
                .service(name)
                .is_some_and(|service| service.enabled && service.managed)
        });
        Some(services)
    }

    /// Sends every service that stops the next signal now; one that waits for its turn is told to
    /// stop too. What is signalled, and that it is ours, the supervisor knows.
    pub(super) fn hasten(&self) {
        for (name, status) in self.services().unwrap_or_default() {
            match status.state {
                ServiceState::Stopping => self.send_next_signal(&name),
                ServiceState::Starting | ServiceState::Ready | ServiceState::Unready => {
                    let Some(client) = self.client() else { return };
                    let hasten = self.client();
                    // Without a thread it is stopped when its turn comes.
                    let _ = thread::Builder::new().spawn(move || stop_now(client, hasten, name));
                }
                _ => {}
            }
        }
    }

    fn send_next_signal(&self, service: &str) {
        if let Some(mut client) = self.client() {
            let service = service.to_owned();
            // One that has just ended needs no signal.
            let _ = client.request(Command::Hasten { service }, drop);
        }
    }
}

/// Stops a service without the patience of its first signal. Whoever stops all hears how it ends.
fn stop_now(mut client: Client, mut hasten: Option<Client>, service: String) {
    let stop = Command::Stop {
        service: service.clone(),
    };
    let _ = client.request(stop, |event| {
        if let Event::Signalled { .. } = event
            && let Some(mut client) = hasten.take()
        {
            let service = service.clone();
            let _ = client.request(Command::Hasten { service }, drop);
        }
    });
}
