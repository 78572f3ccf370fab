//! LiteLLM asks the proxy under a path that it does not have.

use super::api_base::{self, SHOWN};
use super::{UPSTREAM_WRONG_PATH, upstream_address};
use crate::by_hand;
use crate::model::{Evidence, Finding, Subject, Verdict};
use crate::state::View;
use crate::upstream::{Deployment, deployments, provider, sent_model};

/// The ways of asking that put their own paths behind `api_base`: `/chat/completions`, `/responses`.
const LIKE_OPENAI: [&str; 5] = [
    "openai",
    "text-completion-openai",
    "custom_openai",
    "hosted_vllm",
    "litellm_proxy",
];

/// Finds each `api_base` that leads to the proxy and lacks its `/v1`.
pub fn look(litellm: View<'_>, proxy: View<'_>, verdict: &mut Verdict) {
    let snapshot = litellm.snapshot;
    let all = deployments(snapshot);
    let wrong: Vec<&Deployment<'_>> = all
        .iter()
        .filter(|deployment| is_like_openai(litellm, deployment))
        .filter(|deployment| {
            let leads = deployment.address.as_ref();
            leads.is_some_and(|address| address.leads_to(proxy))
                && deployment.base.url().is_some_and(|url| !has_v1(url))
        })
        .collect();
    if !wrong.is_empty() {
        verdict.push(finding(litellm, proxy, &wrong));
    }
}

fn is_like_openai(litellm: View<'_>, deployment: &Deployment<'_>) -> bool {
    match provider(litellm.snapshot, deployment) {
        Some(provider) => LIKE_OPENAI.contains(&provider),
        // LiteLLM tells the provider by the name of the model.
        None => {
            sent_model(litellm.snapshot, deployment).is_some_and(|model| model.starts_with("gpt-"))
        }
    }
}

/// Whether the path of a URL ends in one `/v1`: the proxy has its routes below `/v1`, and below
/// `/api/provider/<name>/v1`.
fn has_v1(url: &str) -> bool {
    let path = path_of(url);
    path.rsplit('/').next() == Some("v1") && path != "/v1/v1"
}

/// `/v1` of `http://127.0.0.1:8317/v1/?x`.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    path.trim().trim_end_matches('/')
}

fn finding(litellm: View<'_>, proxy: View<'_>, wrong: &[&Deployment<'_>]) -> Finding {
    let snapshot = litellm.snapshot;
    let config = &snapshot.configs.litellm;
    let first = wrong[0];
    let place = config.place(&api_base::entry(litellm, first));
    let path = match path_of(first.base.url().unwrap_or_default()) {
        "" => "no path".to_owned(),
        path => format!("the path {path}"),
    };
    let mut finding = Finding::new(
        &UPSTREAM_WRONG_PATH,
        Subject::Service(litellm.name.into()),
        format!(
            "api_base of {} has {path} ({place})",
            api_base::names(wrong)
        ),
        format!(
            "{} has its routes below /v1, and {} puts /chat/completions right behind api_base: \
             every request is 404",
            proxy.name, litellm.name
        ),
    )
    .brief("its upstream path is wrong");
    finding = upstream_address::weigh(finding, litellm);
    for deployment in wrong.iter().take(SHOWN) {
        let entry = api_base::entry(litellm, deployment);
        let url = deployment.base.url().unwrap_or_default();
        finding = finding.evidence(
            Evidence::new("config", format!("api_base: {url}"), config.place(&entry))
                .expected(api_base::right(litellm, proxy, deployment))
                .command(by_hand::show_entry(snapshot, config, &entry)),
        );
    }
    if let Some(row) = refused_row(proxy) {
        finding = finding.evidence(row);
    }
    finding.fix(api_base::set(litellm, proxy, wrong))
}

/// The line of the proxy's log with a 404 for a request of LiteLLM. Example:
/// `[GIN] 2026/11/23 - 10:00:00 | 404 | 1ms | 127.0.0.1 | POST "/chat/completions"`.
fn refused_row(proxy: View<'_>) -> Option<Evidence> {
    const PATHS: [&str; 3] = ["\"/chat/completions\"", "\"/responses\"", "\"/models\""];
    let log = proxy.service.log.known()?;
    let line = log.lines.iter().rev().find(|line| {
        line.contains(" 404 |") && PATHS.iter().any(|path| line.trim_end().ends_with(path))
    })?;
    let mut row = Evidence::new("log", line.trim(), &log.path).expected("a path below /v1");
    row.command = by_hand::tail(proxy);
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_an_api_base_ends_in_v1() {
        for url in [
            "http://127.0.0.1:8317/v1",
            "http://127.0.0.1:8317/v1/",
            "http://[::1]:8317/api/provider/openai/v1",
            "http://127.0.0.1:8317/v1?x=/y",
        ] {
            assert!(has_v1(url), "{url}");
        }
        for url in [
            "http://127.0.0.1:8317",
            "http://127.0.0.1:8317/",
            "http://127.0.0.1:8317/v1/v1",
            "http://127.0.0.1:8317/v1/chat/completions",
            "http://127.0.0.1:8317/openai",
            "",
        ] {
            assert!(!has_v1(url), "{url}");
        }
    }
}
