//! LiteLLM drops entries of its model list without a word.

use jiff::SignedDuration;

use super::MODELS_DROPPED;
use super::process::subject;
use super::source;
use crate::by_hand;
use crate::model::{EntryValue, EnvVariable, Evidence, Finding, Fix, Severity, Snapshot, Verdict};
use crate::state::{View, started_at};
use crate::upstream::{Deployment, deployments, listed_models};
use crate::words;

/// Providers that every release knows: a deployment of one is dropped for another reason.
const COMMON: [&str; 6] = [
    "openai",
    "anthropic",
    "azure",
    "gemini",
    "vertex_ai",
    "litellm_proxy",
];

/// So many entries are shown.
const SHOWN: usize = 5;

/// Finds entries of `model_list` whose name the running LiteLLM does not list.
pub fn look(litellm: View<'_>, verdict: &mut Verdict) {
    let snapshot = litellm.snapshot;
    if !litellm.is_running() || !litellm.is_identified() || has_database(litellm) {
        return;
    }
    let Some(listed) = listed_models(litellm) else {
        return;
    };
    if was_changed(litellm) {
        return;
    }
    let all = deployments(snapshot);
    let dropped: Vec<&Deployment<'_>> = all
        .iter()
        .filter(|deployment| {
            deployment
                .model
                .is_some_and(|name| !name.contains('*') && !listed.contains(&name))
        })
        .collect();
    if !dropped.is_empty() {
        verdict.push(finding(litellm, &listed, &dropped));
    }
}

/// With a database a key may be one that sees some models alone.
fn has_database(litellm: View<'_>) -> bool {
    let config = &litellm.snapshot.configs.litellm;
    let variable = litellm
        .service
        .environment
        .known()
        .and_then(|environment| environment.get("DATABASE_URL"));
    config.entry("general_settings.database_url").is_some()
        || !matches!(variable, None | Some(EnvVariable::Empty))
}

/// Whether the list that runs may be an older one than that of the file.
fn was_changed(litellm: View<'_>) -> bool {
    let changes = litellm.service.changed_entries.known();
    if let Some(changes) = changes {
        return changes
            .iter()
            .any(|change| change.entry.starts_with("model_list"));
    }
    let written = litellm.snapshot.configs.litellm.modified_at;
    let process = litellm.main_process();
    let (Some(written), Some(process)) = (written, process) else {
        return false;
    };
    // It reads the file some seconds after its start; the age of a process is not told exactly.
    written.duration_since(started_at(litellm.snapshot, process)) > SignedDuration::from_secs(1)
}

fn finding(litellm: View<'_>, listed: &[&str], dropped: &[&Deployment<'_>]) -> Finding {
    let snapshot = litellm.snapshot;
    let config = &snapshot.configs.litellm;
    let names: Vec<&str> = dropped
        .iter()
        .filter_map(|deployment| deployment.model)
        .take(SHOWN)
        .collect();
    let mut finding = Finding::new(
        &MODELS_DROPPED,
        subject(litellm),
        format!(
            "{} drops {} of its model_list: {}",
            litellm.name,
            words::count(dropped.len(), "entry"),
            words::list(&names)
        ),
        why(snapshot, dropped[0]),
    )
    .brief("drops models");
    if listed.is_empty() {
        finding = finding.at(Severity::Error);
        finding.impact = crate::model::Impact::Outage;
    }
    if !litellm.is_wanted() {
        finding = finding.at(Severity::Info);
    }
    for deployment in dropped.iter().take(SHOWN) {
        let entry = format!("{}.model", deployment.path);
        let model = config.text(&entry).unwrap_or("nothing that can be told");
        finding = finding.evidence(
            Evidence::new("config", format!("model: {model}"), config.place(&entry))
                .expected("a provider that LiteLLM knows, then /, then a model")
                .command(by_hand::show_entry(snapshot, config, &entry)),
        );
    }
    finding = finding.evidence(list_row(litellm, listed));
    if let Some(row) = log_row(litellm) {
        finding = finding.evidence(row);
    }
    finding.fix(fix(litellm, dropped))
}

/// What of an entry LiteLLM cannot use (`facts/litellm.md` 3.3).
fn why(snapshot: &Snapshot, deployment: &Deployment<'_>) -> String {
    let config = &snapshot.configs.litellm;
    let is_no_number = |key: &&str| {
        let entry = config.entry(&format!("{}.{key}", deployment.path));
        matches!(
            entry.map(|entry| &entry.value),
            Some(EntryValue::Text(_) | EntryValue::Secret { .. } | EntryValue::Map(_))
        )
    };
    if let Some(key) = ["rpm", "tpm"].into_iter().find(is_no_number) {
        return format!("{key} of it is no number; nothing fails until a client asks for it");
    }
    let model = config.text(&format!("{}.model", deployment.path));
    match model.and_then(|model| model.split_once('/')) {
        None => "its model names no provider; nothing fails until a client asks for it".into(),
        Some((provider, _)) if COMMON.contains(&provider) => "LiteLLM cannot use it, as when a \
             value is of another type than it expects, such as a key that is a number without \
             quotes; nothing fails until a client asks for it"
            .into(),
        Some((provider, _)) => format!(
            "LiteLLM cannot use it, as when it does not know the provider {provider}; nothing \
             fails until a client asks for it"
        ),
    }
}

fn list_row(litellm: View<'_>, listed: &[&str]) -> Evidence {
    let address = litellm.address().unwrap_or_default();
    let url = by_hand::url(litellm.settings().scheme, &address, "/v1/models");
    let keyed = litellm
        .serving_probes()
        .and_then(|probes| probes.models.values().next());
    let command = match keyed {
        Some(keyed) if keyed.key.is_some() => {
            by_hand::list_with_key(litellm.snapshot, &keyed.key_from, &url)
        }
        _ => by_hand::ask(&url),
    };
    let shown: Vec<&str> = listed.iter().copied().take(SHOWN).collect();
    let seen = match shown.is_empty() {
        true => "no model is listed".to_owned(),
        false => format!("listed: {}", words::list(&shown)),
    };
    Evidence::new("answer", seen, url).command(command)
}

/// LiteLLM's own word on it. Example: `Error creating deployment: litellm.BadRequestError: LLM
/// Provider NOT provided., ignoring and continuing with other deployments.`
fn log_row(litellm: View<'_>) -> Option<Evidence> {
    let log = litellm.service.log.known()?;
    let line = log
        .lines
        .iter()
        .find(|line| line.contains("Error creating deployment: "))?;
    let mut row = Evidence::new("log", line.trim(), &log.path);
    row.command = by_hand::tail(litellm);
    Some(row)
}

fn fix(litellm: View<'_>, dropped: &[&Deployment<'_>]) -> Fix {
    let first = dropped[0];
    let entry = format!("{}.model", first.path);
    let place = source::place(litellm, &entry, &first.path);
    let model = litellm.snapshot.configs.litellm.text(&entry);
    let write = match model {
        Some(model) if !model.contains('/') => format!("model: openai/{model}"),
        _ => "model: openai/ and the name of a model".into(),
    };
    Fix::manual(
        "by-hand",
        format!("write {write} at {place}, then restart {}", litellm.name),
        super::edit::commands(litellm),
    )
}
