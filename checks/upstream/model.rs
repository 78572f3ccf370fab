//! The models of the deployments: who is asked for which.

use std::collections::BTreeSet;

use super::Deployment;
use crate::model::{Answer, EntryValue, Snapshot};
use crate::state::View;

/// A longer list is not known whole.
const LONGEST_LIST: usize = 200;

/// The models that a service lists to a key that it accepts, each once; none when no list was got,
/// or not the whole of it.
pub fn listed_models(view: View<'_>) -> Option<Vec<&str>> {
    let answers = view.serving_probes()?.models.values();
    let lists: Vec<&Vec<String>> = answers
        .filter(|keyed| keyed.answer.known().is_some_and(Answer::is_success))
        .filter_map(|keyed| keyed.models.known())
        .collect();
    if lists.is_empty() || lists.iter().any(|list| list.len() >= LONGEST_LIST) {
        return None;
    }
    let all: BTreeSet<&str> = lists.into_iter().flatten().map(String::as_str).collect();
    Some(all.into_iter().collect())
}

/// The model that clients ask for unless they say otherwise (FINDINGS, "Default model").
pub fn default_model<'a>(snapshot: &'a Snapshot, all: &[Deployment<'a>]) -> Option<&'a str> {
    let configured = snapshot.configs.flowgate.text("integration.default_model");
    let router = || {
        all.iter()
            .filter_map(|deployment| deployment.model)
            .find(|model| *model == "router-default")
    };
    configured
        .or_else(router)
        .or_else(|| all.first().and_then(|deployment| deployment.model))
}

/// The provider in whose way a deployment speaks: `openai` of `openai/gpt-5`; none when none is written.
pub fn provider<'a>(snapshot: &'a Snapshot, deployment: &Deployment<'_>) -> Option<&'a str> {
    let config = &snapshot.configs.litellm;
    let own = format!("{}.custom_llm_provider", deployment.path);
    config
        .text(&own)
        .or_else(|| Some(written(snapshot, deployment)?.split_once('/')?.0))
}

/// The model for which a deployment asks the hop behind: `gpt-5` of `openai/gpt-5`. None when it is
/// no text, or a pattern.
pub fn sent_model<'a>(snapshot: &'a Snapshot, deployment: &Deployment<'_>) -> Option<&'a str> {
    let model = written(snapshot, deployment)?;
    let sent = match provider(snapshot, deployment) {
        Some(provider) => model
            .strip_prefix(provider)
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(model),
        None => model,
    };
    (!sent.is_empty() && !sent.contains('*')).then_some(sent)
}

fn written<'a>(snapshot: &'a Snapshot, deployment: &Deployment<'_>) -> Option<&'a str> {
    let entry = snapshot
        .configs
        .litellm
        .entry(&format!("{}.model", deployment.path))?;
    match &entry.value {
        EntryValue::Text(text) => Some(text),
        _ => None,
    }
}
