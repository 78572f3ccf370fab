//! A client asks for a model that LiteLLM does not offer.

use std::collections::BTreeMap;

use super::CLIENT_UNKNOWN_MODEL;
use crate::by_hand;
use crate::clients;
use crate::logs::ClientRequest;
use crate::model::{ClientConfig, ClientEntry, Evidence, Finding, Fix, Subject, Verdict};
use crate::state::View;
use crate::suggest;
use crate::upstream::{default_model, deployments, listed_models};
use crate::words;

/// Finds refused models in LiteLLM's log, and models of the configs that flowgate wrote which LiteLLM
/// does not list.
pub fn look(litellm: View<'_>, verdict: &mut Verdict) {
    let offered = listed_models(litellm).unwrap_or_default();
    let mut refused: BTreeMap<&str, &ClientRequest<'_>> = BTreeMap::new();
    let requests = clients::requests(litellm);
    for request in &requests {
        let open = clients::since_served(&requests, request.client);
        let last = open.iter().rev().find(|open| open.unknown_model.is_some());
        if let Some(last) = last {
            refused.insert(request.client, last);
        }
    }
    for (name, request) in refused {
        let model = request.unknown_model.unwrap_or_default();
        // A model that is offered by now was refused by an older config.
        if offered.contains(&model) {
            continue;
        }
        let written =
            clients::readable(litellm.snapshot).find(|(record, _)| clients::kind(record) == name);
        let told = Told {
            client: name,
            model,
            seen: Some(request),
            written,
        };
        verdict.push(told.finding(litellm, &offered));
    }
    for (record, client) in clients::readable(litellm.snapshot) {
        let name = clients::kind(record);
        let is_told = verdict.findings.iter().any(|finding| {
            finding.spec.id == CLIENT_UNKNOWN_MODEL.id
                && finding.subject == Subject::Client(name.into())
        });
        let missing = client
            .models
            .values()
            .find(|model| !is_offered(model, &offered));
        if let Some(missing) =
            missing.filter(|_| !is_told && clients::is_pointed_at(client, litellm))
        {
            let told = Told {
                client: name,
                model: &missing.text,
                seen: None,
                written: Some((record, client)),
            };
            verdict.push(told.finding(litellm, &offered));
        }
    }
}

/// Of an empty list nothing can be told, and a pattern may stand for anything.
fn is_offered(model: &ClientEntry, offered: &[&str]) -> bool {
    offered.is_empty()
        || offered.contains(&model.text.as_str())
        || offered.iter().any(|name| name.contains('*'))
}

struct Told<'a> {
    client: &'a str,
    model: &'a str,
    seen: Option<&'a ClientRequest<'a>>,
    written: Option<(&'a str, &'a ClientConfig)>,
}

impl Told<'_> {
    fn finding(&self, litellm: View<'_>, offered: &[&str]) -> Finding {
        let snapshot = litellm.snapshot;
        let all = deployments(snapshot);
        let near = suggest::closest(self.model, offered)
            .or_else(|| default_model(snapshot, &all).filter(|name| offered.contains(name)));
        let hint = match near {
            Some(near) => format!("; the nearest that it offers is {near}"),
            None => String::new(),
        };
        let mut finding = Finding::new(
            &CLIENT_UNKNOWN_MODEL,
            Subject::Client(self.client.into()),
            format!(
                "{} asks for model {}, which {} does not offer",
                self.client, self.model, litellm.name
            ),
            format!("its model was renamed in one place only, or never was here{hint}"),
        )
        .brief("asks for an unknown model");
        if let Some(seen) = self.seen {
            let log = litellm.service.log.known().map(|log| log.path.clone());
            let mut row = Evidence::new(
                "log",
                format!("{} (model {})", seen.line, self.model),
                log.unwrap_or_default(),
            );
            if let Some(command) = by_hand::tail(litellm) {
                row = row.command(command);
            }
            finding = finding.evidence(row);
        }
        let own = self.written.and_then(|(_, client)| {
            let mut models = client.models.iter();
            let (path, entry) = models.find(|(_, entry)| entry.text == self.model)?;
            Some((client, path, entry))
        });
        if let Some((client, path, entry)) = own {
            let offers = words::list(&offered.iter().take(3).copied().collect::<Vec<_>>());
            let mut row = Evidence::new(
                "config",
                format!("{path} is {}", entry.text),
                clients::place(client, entry.line),
            )
            .command(clients::show(snapshot, client, &entry.text));
            if !offered.is_empty() {
                row = row.expected(format!("one of {offers}"));
            }
            finding = finding.evidence(row);
        }
        // flowgate writes the default model; that helps only when it is offered.
        let default = default_model(snapshot, &all).filter(|name| offered.contains(name));
        match (self.written, own, default) {
            (Some((record, client)), Some(_), Some(_)) => {
                finding.fix(clients::point(snapshot, record, client))
            }
            _ => finding.fix(by_person(self, near)),
        }
    }
}

fn by_person(told: &Told<'_>, near: Option<&str>) -> Fix {
    let near = near.unwrap_or("a model of /v1/models");
    let title = match told.client {
        "claude-code" => format!(
            "write {near} into ANTHROPIC_MODEL, ANTHROPIC_DEFAULT_OPUS_MODEL, \
             ANTHROPIC_DEFAULT_SONNET_MODEL and ANTHROPIC_DEFAULT_HAIKU_MODEL of claude-code, or add \
             {} to model_list",
            told.model
        ),
        client => format!(
            "write {near} as the model of {client}, or add {} to model_list",
            told.model
        ),
    };
    Fix::manual("by-hand", title, Vec::new())
}
