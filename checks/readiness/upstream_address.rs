//! LiteLLM sends requests to an address of this machine where nothing is.

use super::UPSTREAM_UNREACHABLE;
use crate::by_hand;
use crate::model::{
    ConfigFile, Evidence, Finding, Fix, Impact, Outcome, Safety, Severity, Snapshot, Subject,
    UnknownDatum, Verdict,
};
use crate::state::{View, address_key, all_sockets, asked_host};
use crate::upstream::{Address, Deployment, deployments};

/// Finds each `api_base` that names a dead address, other than that of the proxy: whether the
/// proxy runs is another matter. A remote address is never judged.
pub fn look(litellm: View<'_>, proxy: View<'_>, verdict: &mut Verdict) {
    let snapshot = litellm.snapshot;
    let mut dead = Vec::new();
    for deployment in deployments(snapshot) {
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
    finding.fix(fix(litellm, dead, &right))
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

/// The rendered file is overwritten at the next activation, so the source is named too.
fn fix(litellm: View<'_>, dead: &[(Deployment<'_>, Address)], right: &str) -> Fix {
    let snapshot = litellm.snapshot;
    let flowgate = &snapshot.configs.flowgate;
    let mut places: Vec<String> = Vec::new();
    let mut note = |place: String| {
        if !places.contains(&place) {
            places.push(place);
        }
    };
    for (deployment, _) in dead.iter().take(5) {
        let source = format!("litellm_base.{}.api_base", deployment.path);
        if flowgate.entry(&source).is_some() {
            note(flowgate.place(&source));
        }
        note(place(&snapshot.configs.litellm, deployment));
    }
    Fix::new(
        "set-api-base",
        Safety::Unsafe,
        format!(
            "write api_base: http://{right}/v1 at {}, then restart {}",
            crate::words::list(&places),
            litellm.name
        ),
        by_hand::restart(litellm),
    )
}
