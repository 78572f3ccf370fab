//! What follows from a snapshot about the clients at the front.

use crate::logs::{self, ClientRequest};
use crate::model::{ClientChange, ClientConfig, ConfigState, Fix, Safety, Snapshot, Step};
use crate::shell;
use crate::state::View;
use crate::steps;
use crate::upstream::Address;

/// The clients whose config could be read, by the name of their record.
pub fn readable(snapshot: &Snapshot) -> impl Iterator<Item = (&str, &ClientConfig)> {
    snapshot
        .clients
        .iter()
        .filter(|(_, client)| client.state == ConfigState::Loaded)
        .map(|(name, client)| (name.as_str(), client))
}

/// Which client a record is of: `codex` of `codex-2`.
pub fn kind(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((client, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => client,
        _ => name,
    }
}

/// Whether the base URL of a client leads to the configured address of LiteLLM.
pub fn is_pointed_at(client: &ClientConfig, litellm: View<'_>) -> bool {
    let url = client.url.as_ref();
    url.and_then(|url| Address::of_url(&url.text))
        .is_some_and(|address| address.leads_to(litellm))
}

/// The requests of clients in the log of LiteLLM since its start, oldest first.
pub fn requests(litellm: View<'_>) -> Vec<ClientRequest<'_>> {
    match litellm.service.log.known() {
        Some(log) => logs::client_requests(&log.lines),
        None => Vec::new(),
    }
}

/// The requests of a client behind which it was not served again.
pub fn since_served<'a, 'b>(
    requests: &'b [ClientRequest<'a>],
    client: &str,
) -> Vec<&'b ClientRequest<'a>> {
    let mut open: Vec<&ClientRequest<'_>> = Vec::new();
    for request in requests.iter().filter(|request| request.client == client) {
        if (200..300).contains(&request.access.status) {
            open.clear();
        } else {
            open.push(request);
        }
    }
    open
}

/// The step that changes the config of a client.
pub fn step(name: &str, client: &ClientConfig, change: ClientChange) -> Step {
    Step::Integration {
        client: kind(name).into(),
        path: client.path.clone(),
        change,
    }
}

/// The remedy `integration`: flowgate writes the config of a client anew.
pub fn point(snapshot: &Snapshot, name: &str, client: &ClientConfig) -> Fix {
    let command = steps::apply(snapshot, "integration", name);
    Fix::new(
        "integration",
        Safety::Unsafe,
        format!("point {} at the gateway ({})", kind(name), client.path),
        vec![command],
    )
    .with_steps(vec![step(name, client, ClientChange::Point)])
}

/// The place of a line in the config of a client.
pub fn place(client: &ClientConfig, line: u32) -> String {
    format!("{}:{line}", client.path)
}

/// The command that shows the lines of a config with a word in them.
pub fn show(snapshot: &Snapshot, client: &ClientConfig, word: &str) -> String {
    let path = shell::absolute(snapshot, &client.path);
    format!("grep -n {} {}", shell::quote(word), shell::quote(&path))
}
