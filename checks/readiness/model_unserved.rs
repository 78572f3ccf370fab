//! LiteLLM offers models that the proxy behind it does not have.

use std::collections::BTreeMap;

use super::MODEL_UNSERVED;
use super::edit::{self, Edit};
use super::process::subject;
use super::source;
use crate::by_hand;
use crate::model::{Evidence, Finding, Fix, Safety, Severity, Verdict};
use crate::state::View;
use crate::suggest;
use crate::upstream::{Deployment, default_model, deployments, listed_models, sent_model};
use crate::words;

/// So many models are shown.
const SHOWN: usize = 5;

/// Finds offered models of which no deployment is served. Only deployments that lead to the proxy
/// are judged; one that leads elsewhere may serve the model.
pub fn look(litellm: View<'_>, proxy: View<'_>, verdict: &mut Verdict) {
    let snapshot = litellm.snapshot;
    let Some(served) = listed_models(proxy).filter(|served| !served.is_empty()) else {
        return;
    };
    let offered = listed_models(litellm);
    let all = deployments(snapshot);
    let mut groups: BTreeMap<&str, Group<'_, '_>> = BTreeMap::new();
    for deployment in &all {
        let Some(name) = deployment.model.filter(|name| !name.contains('*')) else {
            continue;
        };
        // One that LiteLLM dropped is not offered.
        if offered
            .as_ref()
            .is_some_and(|offered| !offered.contains(&name))
        {
            continue;
        }
        let group = groups.entry(name).or_default();
        let leads = deployment.address.as_ref();
        let sent = sent_model(snapshot, deployment);
        match sent.filter(|_| leads.is_some_and(|address| address.leads_to(proxy))) {
            Some(sent) if !is_served(sent, &served) => group.unserved.push((deployment, sent)),
            Some(_) => group.is_served = true,
            None => group.is_elsewhere = true,
        }
    }
    groups.retain(|_, group| !group.is_elsewhere);
    let is_any_served = groups.values().any(|group| group.is_served);
    let unserved: BTreeMap<&str, &Group<'_, '_>> = groups
        .iter()
        .filter(|(_, group)| !group.is_served)
        .map(|(name, group)| (*name, group))
        .collect();
    if unserved.is_empty() {
        return;
    }
    let default = default_model(snapshot, &all).filter(|name| unserved.contains_key(name));
    verdict.push(finding(
        litellm,
        proxy,
        &unserved,
        &served,
        default.is_some() || !is_any_served,
    ));
}

/// The deployments of one offered name.
#[derive(Default)]
struct Group<'d, 'a> {
    /// Those that lead to the proxy, with the model that it does not have.
    unserved: Vec<(&'d Deployment<'a>, &'a str)>,
    is_served: bool,
    /// Whether one leads somewhere else, or asks for what cannot be told.
    is_elsewhere: bool,
}

/// A name may carry a budget for thinking, `gpt-5(high)`, which no list shows.
fn is_served(model: &str, served: &[&str]) -> bool {
    let bare = model
        .strip_suffix(')')
        .and_then(|rest| rest.rsplit_once('('))
        .map_or(model, |(bare, _)| bare);
    served.contains(&model) || served.contains(&bare)
}

fn finding(
    litellm: View<'_>,
    proxy: View<'_>,
    unserved: &BTreeMap<&str, &Group<'_, '_>>,
    served: &[&str],
    is_outage: bool,
) -> Finding {
    let snapshot = litellm.snapshot;
    let config = &snapshot.configs.litellm;
    let names: Vec<&str> = unserved.keys().copied().take(SHOWN).collect();
    let missing: Vec<(&Deployment<'_>, &str)> = unserved
        .values()
        .flat_map(|group| group.unserved.iter().copied())
        .collect();
    let mut models: Vec<&str> = missing.iter().map(|(_, model)| *model).collect();
    models.sort_unstable();
    models.dedup();
    models.truncate(SHOWN);
    let mut shown: Vec<&str> = served.iter().copied().take(SHOWN).collect();
    let rest = format!("{} more", served.len().saturating_sub(SHOWN));
    if served.len() > SHOWN {
        shown.push(&rest);
    }
    let mut finding = Finding::new(
        &MODEL_UNSERVED,
        subject(litellm),
        format!(
            "{} offers {}, and {} does not have {}",
            litellm.name,
            words::list(&names),
            proxy.name,
            words::list(&models)
        ),
        format!("{} has {}", proxy.name, words::list(&shown)),
    )
    .brief(format!("{} is not served", words::list(&names)));
    if !is_outage || !litellm.is_wanted() {
        finding = finding.at(Severity::Info);
    }
    for (deployment, _) in missing.iter().take(SHOWN) {
        let entry = format!("{}.model", deployment.path);
        let model = config.text(&entry).unwrap_or_default();
        finding = finding.evidence(
            Evidence::new("config", format!("model: {model}"), config.place(&entry))
                .expected(format!("a model of {}", proxy.name))
                .command(by_hand::show_entry(snapshot, config, &entry)),
        );
    }
    finding = finding.evidence(list_row(proxy, &shown));
    finding.fix(fix(litellm, &missing, served))
}

fn list_row(proxy: View<'_>, shown: &[&str]) -> Evidence {
    let address = proxy.address().unwrap_or_default();
    let url = by_hand::url(proxy.settings().scheme, &address, "/v1/models");
    let keyed = proxy
        .serving_probes()
        .and_then(|probes| probes.models.values().next());
    let command = match keyed {
        Some(keyed) if keyed.key.is_some() => {
            by_hand::list_with_key(proxy.snapshot, &keyed.key_from, &url)
        }
        _ => by_hand::ask(&url),
    };
    Evidence::new("answer", format!("listed: {}", words::list(shown)), url).command(command)
}

/// With a near name for each model the edit is certain.
fn fix(litellm: View<'_>, missing: &[(&Deployment<'_>, &str)], served: &[&str]) -> Fix {
    let snapshot = litellm.snapshot;
    let entry = |deployment: &Deployment<'_>| format!("{}.model", deployment.path);
    let edits: Option<Vec<Edit>> = missing
        .iter()
        .map(|(deployment, sent)| {
            let written = snapshot.configs.litellm.text(&entry(deployment))?;
            let near = suggest::closest(sent, served)?;
            let provider = written.strip_suffix(sent)?;
            Some(Edit {
                entry: entry(deployment),
                to: format!("{provider}{near}"),
            })
        })
        .collect();
    let (first, _) = missing[0];
    let place = source::place(litellm, &entry(first), &first.path);
    match edits.as_deref() {
        Some(edits @ [edit, ..]) => {
            let fix = Fix::new(
                "set-model",
                Safety::Unsafe,
                format!(
                    "write model: {} at {place}, then restart {}",
                    edit.to, litellm.name
                ),
                edit::commands(litellm),
            );
            match edit::steps(litellm, edits) {
                steps if steps.is_empty() => fix,
                steps => fix.with_steps(steps),
            }
        }
        _ => Fix::manual(
            "by-hand",
            format!(
                "write a model that is served at {place}, then restart {}; or log in to the \
                 provider that has it",
                litellm.name
            ),
            edit::commands(litellm),
        ),
    }
}
