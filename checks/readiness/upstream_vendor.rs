//! A deployment without an `api_base`: requests and key leave for a vendor.

use super::api_base::{self, SHOWN};
use super::{UPSTREAM_IS_VENDOR, upstream_address};
use crate::by_hand;
use crate::model::{EntryValue, EnvFile, Evidence, Finding, Subject, Verdict};
use crate::shell;
use crate::state::View;
use crate::upstream::{Base, Deployment, Key, deployments, provider};
use crate::words;

/// Finds deployments that should lead to the proxy and have no address: the variable in their
/// `api_base` is not set, or nothing is written there and the key is one for the proxy, or no
/// deployment leads anywhere else. One with a key of its own goes to its vendor on purpose.
pub fn look(litellm: View<'_>, proxy: View<'_>, verdict: &mut Verdict) {
    let all = deployments(litellm.snapshot);
    let none_leads = all
        .iter()
        .all(|deployment| matches!(deployment.base, Base::Absent | Base::Unset(_)));
    let lost: Vec<&Deployment<'_>> = all
        .iter()
        .filter(|deployment| match deployment.base {
            Base::Unset(_) => true,
            Base::Absent => {
                is_for_the_proxy(litellm, proxy, &all, deployment)
                    || none_leads && is_like_the_proxy(litellm, deployment)
            }
            Base::Url(_) | Base::Unseen => false,
        })
        .collect();
    if !lost.is_empty() {
        verdict.push(finding(litellm, proxy, &lost));
    }
}

/// Whether its key is one that the proxy accepts, or that is sent there with another model.
fn is_for_the_proxy(
    litellm: View<'_>,
    proxy: View<'_>,
    all: &[Deployment<'_>],
    deployment: &Deployment<'_>,
) -> bool {
    let leads = |other: &&Deployment<'_>| {
        let address = other.address.as_ref();
        address.is_some_and(|address| address.leads_to(proxy))
    };
    let shares = all
        .iter()
        .filter(leads)
        .any(|other| other.key == deployment.key);
    match deployment.key {
        Key::Given(fingerprint) => shares || accepts(litellm, fingerprint),
        Key::Variable(_) => shares,
        Key::Unset(_) | Key::Absent => false,
    }
}

fn accepts(litellm: View<'_>, key: &str) -> bool {
    let entries = &litellm.snapshot.configs.cliproxyapi.entries;
    entries.iter().any(|(path, entry)| {
        path.starts_with("api-keys[")
            && matches!(&entry.value, EntryValue::Secret { fingerprint, .. } if fingerprint == key)
    })
}

/// Whether the proxy could serve it: it speaks like OpenAI or Anthropic.
fn is_like_the_proxy(litellm: View<'_>, deployment: &Deployment<'_>) -> bool {
    matches!(
        provider(litellm.snapshot, deployment),
        Some("openai" | "anthropic")
    )
}

fn finding(litellm: View<'_>, proxy: View<'_>, lost: &[&Deployment<'_>]) -> Finding {
    let snapshot = litellm.snapshot;
    let vendor = match provider(snapshot, lost[0]) {
        Some("openai") => "api.openai.com".to_owned(),
        Some("anthropic") => "api.anthropic.com".to_owned(),
        Some("gemini") => "generativelanguage.googleapis.com".to_owned(),
        Some(other) => format!("the public endpoint of {other}"),
        None => "the public endpoint of its vendor".to_owned(),
    };
    let variables = variables(lost);
    let cause = match variables.is_empty() {
        true => format!(
            "it has no api_base, so {} takes that of the vendor",
            litellm.name
        ),
        false => format!(
            "api_base is taken from {}, which {} does not have in its environment",
            words::list(&variables),
            litellm.name
        ),
    };
    let mut finding = Finding::new(
        &UPSTREAM_IS_VENDOR,
        Subject::Service(litellm.name.into()),
        format!(
            "{} sends requests and key of {} to {vendor}, not to {}",
            litellm.name,
            api_base::names(lost),
            proxy.name
        ),
        cause,
    )
    .brief(format!("sends to {vendor}"));
    finding = upstream_address::weigh(finding, litellm);
    for deployment in lost.iter().take(SHOWN) {
        finding = finding.evidence(config_row(litellm, proxy, deployment));
    }
    for name in &variables {
        finding = finding.evidence(environment_row(litellm, name));
    }
    let fix = api_base::set(litellm, proxy, lost);
    match kept_in(litellm, &variables) {
        Some(file) => {
            let load = format!("set -a; . {}; set +a", shell::sourced(snapshot, &file.path));
            let mut commands = vec![load];
            commands.extend(by_hand::restart(litellm));
            let title = format!(
                "{} holds it, and {} does not read that file: load it, then restart {}",
                file.path, litellm.name, litellm.name
            );
            finding
                .fix(fix)
                .fix(crate::model::Fix::manual("by-hand", title, commands))
        }
        None => finding.fix(fix),
    }
}

/// The variables that are missing, each once.
fn variables<'a>(lost: &[&Deployment<'a>]) -> Vec<&'a str> {
    let mut names: Vec<&str> = lost
        .iter()
        .filter_map(|deployment| match deployment.base {
            Base::Unset(name) => Some(name),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn kept_in<'a>(litellm: View<'a>, variables: &[&str]) -> Option<&'a EnvFile> {
    let holds = |file: &&EnvFile| {
        let has = |name: &&str| file.names.iter().any(|one| one == name);
        !file.is_read && variables.iter().any(has)
    };
    litellm.service.env_files.iter().find(holds)
}

fn config_row(litellm: View<'_>, proxy: View<'_>, deployment: &Deployment<'_>) -> Evidence {
    let snapshot = litellm.snapshot;
    let config = &snapshot.configs.litellm;
    let entry = api_base::entry(litellm, deployment);
    let name = api_base::name(deployment);
    let (seen, at) = match deployment.base {
        Base::Unset(variable) => (format!("api_base: os.environ/{variable}"), entry),
        _ if config.entry(&entry).is_some() => (format!("{name}: api_base is empty"), entry),
        _ => (
            format!("{name} has no api_base"),
            format!("{}.model", deployment.path),
        ),
    };
    Evidence::new("config", seen, config.place(&at))
        .expected(format!(
            "api_base: {}",
            api_base::right(litellm, proxy, deployment)
        ))
        .command(by_hand::show_entry(snapshot, config, &at))
}

fn environment_row(litellm: View<'_>, name: &str) -> Evidence {
    let pid = litellm.main_process().map_or(0, |process| process.pid);
    Evidence::new(
        "environment",
        format!("{name} not set"),
        format!("pid {pid}"),
    )
    .expected("a URL")
    .command(format!(
        "tr '\\0' '\\n' < /proc/{pid}/environ | cut -d= -f1 | grep -x {}",
        shell::quote(name)
    ))
}
