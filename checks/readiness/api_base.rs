//! The remedy of an `api_base` that does not lead to the proxy.

use super::edit::{self, Edit};
use super::source;
use crate::by_hand;
use crate::model::{Fix, Safety};
use crate::state::View;
use crate::upstream::{Deployment, provider};
use crate::words;

/// So many deployments are named.
pub const SHOWN: usize = 5;

/// The fix `set-api-base` of the deployments.
pub fn set(litellm: View<'_>, proxy: View<'_>, deployments: &[&Deployment<'_>]) -> Fix {
    let snapshot = litellm.snapshot;
    let edits: Vec<Edit> = deployments
        .iter()
        .map(|deployment| Edit {
            entry: entry(litellm, deployment),
            to: right(litellm, proxy, deployment),
        })
        .collect();
    let mut urls: Vec<&str> = edits.iter().map(|edit| edit.to.as_str()).collect();
    urls.sort_unstable();
    urls.dedup();
    let mut places: Vec<String> = Vec::new();
    for deployment in deployments {
        let place = source::place(litellm, &entry(litellm, deployment), &deployment.path);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.truncate(SHOWN);
    let restart = match litellm.is_running() {
        true => format!(", then restart {}", litellm.name),
        false => String::new(),
    };
    let title = format!(
        "write api_base: {} at {}{restart}",
        words::list(&urls),
        words::list(&places)
    );
    let fix = Fix::new(
        "set-api-base",
        Safety::Unsafe,
        title,
        edit::commands(litellm),
    );
    match edit::steps(litellm, &edits) {
        steps if steps.is_empty() || snapshot.configs.litellm.path.is_empty() => fix,
        steps => fix.with_steps(steps),
    }
}

/// The entry in which the address of a deployment is written.
pub fn entry(litellm: View<'_>, deployment: &Deployment<'_>) -> String {
    let config = &litellm.snapshot.configs.litellm;
    let other = format!("{}.base_url", deployment.path);
    match config.entry(&other) {
        Some(_) => other,
        None => format!("{}.api_base", deployment.path),
    }
}

/// The address of the proxy as a deployment needs it: the way of Anthropic adds `/v1` by itself.
pub fn right(litellm: View<'_>, proxy: View<'_>, deployment: &Deployment<'_>) -> String {
    let path = match provider(litellm.snapshot, deployment) {
        Some("anthropic") => "",
        _ => "/v1",
    };
    by_hand::url(
        proxy.settings().scheme,
        &proxy.address().unwrap_or_default(),
        path,
    )
}

/// A deployment in words: its model name, else its path.
pub fn name<'a>(deployment: &'a Deployment<'_>) -> &'a str {
    deployment.model.unwrap_or(&deployment.path)
}

/// The names of deployments as a phrase, each once.
pub fn names(deployments: &[&Deployment<'_>]) -> String {
    let mut names: Vec<&str> = deployments.iter().map(|one| name(one)).collect();
    names.dedup();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let rest = format!("{more} more");
    if more > 0 {
        names.push(&rest);
    }
    words::list(&names)
}
