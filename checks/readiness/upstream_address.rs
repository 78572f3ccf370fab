//! LiteLLM sends requests to an address of this machine where nothing is.

use super::{UPSTREAM_UNREACHABLE, api_base};
use crate::by_hand;
use crate::model::{
    ConfigFile, Evidence, Finding, Impact, Outcome, Severity, Snapshot, Subject, UnknownDatum,
    Verdict,
};
use crate::state::{View, address_key, all_sockets, asked_host};
use crate::upstream::{Address, Deployment, deployments};

/// Finds each `api_base` that names a dead address, other than that of the proxy: whether the
/// proxy runs is another matter. A remote address is never judged.
pub fn look(litellm: View<'_>, proxy: View<'_>, verdict: &mut Verdict) {
    let snapshot = litellm.snapshot;
    let mut dead = Vec::new();
    let all = deployments(snapshot);
    let schemeless: Vec<&Deployment<'_>> = all.iter().filter(|one| has_no_scheme(one)).collect();
    if !schemeless.is_empty() {
        return verdict.push(no_scheme(litellm, proxy, &schemeless));
    }
    for deployment in all {
        let Some(address) = deployment.address.clone() else {
            continue;
        };
        if !address.is_local() || address.leads_to(proxy) {
            continue;
        }
        match listens(snapshot, &address) {
            Some(true) => {}
            Some(false) => dead.push((deployment, address)),
            None => verdict.unknowns.push(UnknownDatum {
                what: format!("whether anything is at {address}"),
                why: "the listeners of this machine could not be looked at".into(),
                command: Some(format!("ss -ltn 'sport = :{}'", address.port)),
                optional: !litellm.is_wanted(),
            }),
        }
    }
    if !dead.is_empty() {
        verdict.push(finding(litellm, proxy, &dead));
    }
}

/// Whether an `api_base` is written, and no URL: `127.0.0.1:8317/v1`, `http:/127.0.0.1:8317`. Of other
/// ways of asking (`bedrock`, `vertex_ai`) it may be a name.
fn has_no_scheme(deployment: &Deployment<'_>) -> bool {
    let Some(url) = deployment.base.url() else {
        return false;
    };
    let url = url.trim();
    let is_local = || Address::of_url(&format!("http://{url}")).is_some_and(|one| one.is_local());
    !url.contains("://") && (url.starts_with("http") || is_local())
}

/// LiteLLM ends such a request in itself, with a 500 whose reason is in its log alone
/// (`facts/litellm.md` 3.3).
fn no_scheme(litellm: View<'_>, proxy: View<'_>, wrong: &[&Deployment<'_>]) -> Finding {
    let snapshot = litellm.snapshot;
    let config = &snapshot.configs.litellm;
    let entry = api_base::entry(litellm, wrong[0]);
    let mut finding = Finding::new(
        &UPSTREAM_UNREACHABLE,
        Subject::Service(litellm.name.into()),
        format!(
            "api_base of {} is no URL ({})",
            api_base::names(wrong),
            config.place(&entry)
        ),
        "it does not begin with http:// or https://, so every request fails before it is sent",
    )
    .brief("its upstream is no URL");
    finding = weigh(finding, litellm);
    for deployment in wrong.iter().take(api_base::SHOWN) {
        let entry = api_base::entry(litellm, deployment);
        let url = deployment.base.url().unwrap_or_default();
        finding = finding.evidence(
            Evidence::new("config", format!("api_base: {url}"), config.place(&entry))
                .expected(api_base::right(litellm, proxy, deployment))
                .command(by_hand::show_entry(snapshot, config, &entry)),
        );
    }
    finding.fix(api_base::set(litellm, proxy, wrong))
}

/// Whether anything listens at an address; none when neither sockets nor a probe tell.
fn listens(snapshot: &Snapshot, address: &Address) -> Option<bool> {
    if snapshot.sockets.known().is_some() {
        let found =
            all_sockets(snapshot).any(|socket| address.reaches(&socket.address, socket.port));
        return Some(found);
    }
    let key = address_key(asked_host(&address.host), address.port);
    let probes = snapshot
        .probes
        .values()
        .find_map(|targets| targets.get(&key))?;
    let answer = probes.root.known()?;
    Some(answer.outcome != Outcome::Refused)
}

fn finding(litellm: View<'_>, proxy: View<'_>, dead: &[(Deployment<'_>, Address)]) -> Finding {
    let snapshot = litellm.snapshot;
    let config = &snapshot.configs.litellm;
    let (first, address) = &dead[0];
    let right = proxy.address().unwrap_or_default();
    let mut finding = Finding::new(
        &UPSTREAM_UNREACHABLE,
        Subject::Service(litellm.name.into()),
        format!(
            "{} sends requests to {address}, where nothing listens ({})",
            litellm.name,
            place(config, first)
        ),
        format!("{} is at {right}", proxy.name),
    )
    .brief(format!("nothing at {address}"));
    finding = weigh(finding, litellm);
    finding = finding.evidence(
        Evidence::new("listener", format!("none at {address}"), "socket table")
            .expected(format!("{} at {right}", proxy.name))
            .command(format!("ss -ltn 'sport = :{}'", address.port)),
    );
    for (deployment, address) in dead.iter().take(5) {
        finding = finding.evidence(
            Evidence::new(
                "config",
                format!("api_base of {} leads to {address}", name(deployment)),
                place(config, deployment),
            )
            .command(by_hand::show_entry(
                snapshot,
                config,
                &format!("{}.api_base", deployment.path),
            )),
        );
    }
    let deployments: Vec<&Deployment<'_>> = dead.iter().map(|(deployment, _)| deployment).collect();
    finding.fix(api_base::set(litellm, proxy, &deployments))
}

/// While LiteLLM does not run, an address that its config names is a risk alone.
pub fn weigh(mut finding: Finding, litellm: View<'_>) -> Finding {
    if !litellm.is_running() && !litellm.is_identified() {
        finding.severity = Severity::Warning;
        finding.impact = Impact::Risk;
    }
    finding
}

fn name<'a>(deployment: &'a Deployment<'_>) -> &'a str {
    deployment.model.unwrap_or(&deployment.path)
}

fn place(config: &ConfigFile, deployment: &Deployment<'_>) -> String {
    config.place(&format!("{}.api_base", deployment.path))
}
