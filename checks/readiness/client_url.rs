//! A client asks for `/v1/v1/…`: its base URL has one `/v1` too much.

use std::collections::BTreeSet;

use super::CLIENT_WRONG_URL;
use crate::by_hand;
use crate::clients;
use crate::logs::ClientRequest;
use crate::model::{ClientConfig, Evidence, Finding, Fix, Subject, Verdict};
use crate::state::View;

/// Finds clients with a `/v1` too much, in LiteLLM's log and in the configs that flowgate wrote.
pub fn look(litellm: View<'_>, verdict: &mut Verdict) {
    let requests = clients::requests(litellm);
    let asked: BTreeSet<&str> = requests.iter().map(|request| request.client).collect();
    let written = |name: &str| {
        clients::readable(litellm.snapshot).find(|(record, _)| clients::kind(record) == name)
    };
    for name in asked {
        let open = clients::since_served(&requests, name);
        let seen = open.iter().rev().find(|request| {
            request.access.status == 404 && request.access.path.contains("/v1/v1/")
        });
        if let Some(seen) = seen {
            verdict.push(finding(litellm, name, Some(seen), written(name)));
        }
    }
    for (record, client) in clients::readable(litellm.snapshot) {
        let is_told = verdict.findings.iter().any(|finding| {
            finding.spec.id == CLIENT_WRONG_URL.id
                && finding.subject == Subject::Client(clients::kind(record).into())
        });
        if !is_told && clients::is_pointed_at(client, litellm) && has_too_much(record, client) {
            verdict.push(finding(litellm, record, None, Some((record, client))));
        }
    }
}

/// Claude Code adds the version itself; the others need it once.
fn has_too_much(record: &str, client: &ClientConfig) -> bool {
    let Some(url) = &client.url else {
        return false;
    };
    let url = url.text.trim_end_matches('/');
    match clients::kind(record) {
        "claude-code" => url.ends_with("/v1"),
        _ => url.ends_with("/v1/v1"),
    }
}

fn finding(
    litellm: View<'_>,
    name: &str,
    seen: Option<&ClientRequest<'_>>,
    written: Option<(&str, &ClientConfig)>,
) -> Finding {
    let who = clients::kind(name);
    let innocent = match who {
        "claude-code" => "; Claude Code then blames the model, which is innocent",
        _ => "",
    };
    let mut finding = Finding::new(
        &CLIENT_WRONG_URL,
        Subject::Client(who.into()),
        match seen {
            Some(_) => format!("{who} asks for /v1/v1/…, which is 404"),
            None => format!("{who} will ask for /v1/v1/…, which is 404"),
        },
        format!("its base URL has one /v1 too much{innocent}"),
    )
    .brief("its base URL has one /v1 too much");
    if let Some(seen) = seen {
        let log = litellm.service.log.known().map(|log| log.path.clone());
        let mut row = Evidence::new("log", seen.line, log.unwrap_or_default())
            .expected(seen.access.path.replacen("/v1", "", 1));
        if let Some(command) = by_hand::tail(litellm) {
            row = row.command(command);
        }
        finding = finding.evidence(row);
    }
    let Some((record, client)) = written else {
        return finding.fix(by_person(who, litellm));
    };
    if let Some(url) = &client.url {
        let mut row = Evidence::new("config", &url.text, clients::place(client, url.line))
            .command(clients::show(litellm.snapshot, client, &url.text));
        if let Some(wanted) = &client.wanted_url {
            row = row.expected(wanted);
        }
        finding = finding.evidence(row);
    }
    // What flowgate wrote is right: then the URL comes from elsewhere.
    match has_too_much(record, client) {
        true => finding.fix(clients::point(litellm.snapshot, record, client)),
        false => finding.fix(by_person(who, litellm)),
    }
}

fn by_person(who: &str, litellm: View<'_>) -> Fix {
    let address = litellm.address().unwrap_or_default();
    let root = by_hand::url(litellm.settings().scheme, &address, "");
    let title = match who {
        "claude-code" => format!(
            "write ANTHROPIC_BASE_URL={root} where claude-code takes it from, without /v1 \
             (the environment, or env of ~/.claude/settings.json)"
        ),
        "codex" => {
            format!("write base_url = \"{root}/v1\" into the provider of ~/.codex/config.toml")
        }
        _ => format!("write {root}/v1 as the base URL of the client that asks"),
    };
    Fix::manual("by-hand", title, Vec::new())
}
