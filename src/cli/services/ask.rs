//! Asks the supervisor to do something to one service.

use std::collections::BTreeSet;
use std::time::Duration;

use super::outcome::{End, Verb};
use super::phase;
use crate::cli::opened::Opened;
use crate::cli::progress::Progress;
use crate::config::file::Reading;
use crate::config::service::ServiceConfig;
use crate::config::{command, litellm};
use crate::supervisor::client::Client;
use crate::supervisor::launch;
use crate::supervisor::protocol::Command;

/// Beyond what a service may take, so long an answer is waited for.
const SLACK: Duration = Duration::from_secs(30);

/// Asks, shows the progress, and gives what became of it.
pub fn ask(
    client: &mut Client,
    verb: Verb,
    service: &ServiceConfig,
    referenced: &BTreeSet<String>,
    opened: &Opened,
    progress: &Progress,
) -> End {
    let name = service.name.clone();
    let launch = || launch::launch(&name, &opened.cwd, std::env::vars_os(), referenced);
    let command = match verb {
        Verb::Start => Command::Start(launch()),
        Verb::Restart => Command::Restart(launch()),
        Verb::Stop => Command::Stop { service: name },
    };
    client.set_patience(service.ready_timeout + 2 * service.stop_timeout + SLACK);
    End::of(client.request(command, |event| progress.note(phase::words(&event))))
}

/// The variables that the configs name, for [`ask`]. LiteLLM's own config may be another file than the one that
/// flowgate renders.
pub fn referenced(opened: &Opened) -> BTreeSet<String> {
    let reading = Reading {
        root: &opened.root,
        fingerprinter: &opened.fingerprinter,
        redactor: &opened.redactor,
    };
    let path = opened
        .config
        .service("litellm")
        .and_then(|service| command::config_path(service, &opened.cwd))
        .unwrap_or_else(|| opened.config.paths.active_config.clone());
    let active = litellm::load(&path, &reading);
    launch::referenced(&opened.config, Some(&active.file))
}
