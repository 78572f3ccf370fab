//! LiteLLM refuses the key of a client that flowgate pointed at it, and accepts flowgate's own.

use super::CLIENT_KEY_REJECTED;
use crate::by_hand::{self, short};
use crate::clients;
use crate::model::{
    Answer, ClientChange, ClientConfig, Evidence, Finding, Fix, Safety, Subject, Verdict,
};
use crate::state::View;
use crate::steps;

/// Finds configured clients of whose path a key was refused since the start, and which were not served
/// since.
pub fn look(litellm: View<'_>, verdict: &mut Verdict) {
    if litellm.is_starting() {
        return;
    }
    let accepted: Vec<&str> = litellm
        .serving_probes()
        .into_iter()
        .flat_map(|probes| probes.models.values())
        .filter(|keyed| keyed.answer.known().is_some_and(Answer::is_success))
        .filter_map(|keyed| keyed.key.as_deref())
        .collect();
    if accepted.is_empty() {
        return;
    }
    let requests = clients::requests(litellm);
    for (record, client) in clients::readable(litellm.snapshot) {
        let open = clients::since_served(&requests, clients::kind(record));
        let Some(seen) = open.iter().rev().find(|request| request.key_refused) else {
            continue;
        };
        let own = client.key.as_ref();
        let sent = own.and_then(|key| key.fingerprint.as_deref());
        // Whoever sends the right key was not the one that was refused.
        if !clients::is_pointed_at(client, litellm)
            || sent.is_some_and(|sent| accepted.contains(&sent))
        {
            continue;
        }
        verdict.push(finding(litellm, (record, client), seen.line, accepted[0]));
    }
}

fn finding(
    litellm: View<'_>,
    (record, client): (&str, &ClientConfig),
    line: &str,
    accepted: &str,
) -> Finding {
    let own = client.key.as_ref();
    let what = match own {
        None => "no key".to_owned(),
        Some(key) => match (&key.fingerprint, &key.variable) {
            (Some(fingerprint), _) => format!("key {}", short(fingerprint)),
            (None, Some(variable)) => format!("the key of its variable {variable}"),
            (None, None) => "a key".to_owned(),
        },
    };
    let place = match own {
        Some(key) => clients::place(client, key.line),
        None => client.path.clone(),
    };
    let log = litellm.service.log.known().map(|log| log.path.clone());
    let mut row = Evidence::new("log", line, log.unwrap_or_default());
    if let Some(command) = by_hand::tail(litellm) {
        row = row.command(command);
    }
    let word = match own.and_then(|key| key.variable.as_deref()) {
        Some(variable) => variable,
        None => key_word(clients::kind(record)),
    };
    Finding::new(
        &CLIENT_KEY_REJECTED,
        Subject::Client(record.into()),
        format!("{} refuses the key of {record}", litellm.name),
        format!(
            "{place} gives it {what}, and {} accepts {}",
            litellm.name,
            short(accepted)
        ),
    )
    .brief("its key is refused")
    .evidence(row)
    .evidence(
        Evidence::new("config", what, &place)
            .expected(format!("key {}", short(accepted)))
            .command(clients::show(litellm.snapshot, client, word)),
    )
    .fix(
        Fix::new(
            "set-client-key",
            Safety::Unsafe,
            format!("write the key of the gateway into {}", client.path),
            vec![steps::apply(litellm.snapshot, "set-client-key", record)],
        )
        .with_steps(vec![clients::step(
            record,
            client,
            ClientChange::PointWithKey,
        )]),
    )
}

fn key_word(client: &str) -> &'static str {
    match client {
        "codex" => "base_url",
        "claude-code" => "ANTHROPIC_BASE_URL",
        _ => "OPENAI_BASE_URL",
    }
}
