//! A deployment takes its key from a variable that LiteLLM does not have.

use std::collections::BTreeMap;

use super::MISSING_ENVIRONMENT;
use super::process::subject;
use crate::by_hand;
use crate::model::{ConfigFile, EnvFile, Evidence, Finding, Fix, Impact, Severity, Verdict};
use crate::shell;
use crate::state::View;
use crate::upstream::{Deployment, Key, default_model, deployments};
use crate::words;

/// Finds variables that the running LiteLLM lacks. In `master_key` it would not run, and without an
/// `api_base` it goes to a vendor: those are other findings.
pub fn look(litellm: View<'_>, verdict: &mut Verdict) {
    let all = deployments(litellm.snapshot);
    let mut lacking: BTreeMap<&str, Vec<&Deployment<'_>>> = BTreeMap::new();
    for deployment in &all {
        if let Key::Unset(name) = deployment.key {
            lacking.entry(name).or_default().push(deployment);
        }
    }
    if !lacking.is_empty() {
        verdict.push(finding(litellm, &all, &lacking));
    }
}

fn finding(
    litellm: View<'_>,
    all: &[Deployment<'_>],
    lacking: &BTreeMap<&str, Vec<&Deployment<'_>>>,
) -> Finding {
    let snapshot = litellm.snapshot;
    let config = &snapshot.configs.litellm;
    let default = default_model(snapshot, all);
    let hits_default = lacking
        .values()
        .flatten()
        .any(|deployment| default.is_some() && deployment.model == default);
    let names: Vec<&str> = lacking.keys().copied().collect();
    let models: Vec<&str> = lacking
        .values()
        .flatten()
        .map(|deployment| deployment.model.unwrap_or(&deployment.path))
        .collect();
    let mut shown = models.clone();
    shown.dedup();
    shown.truncate(5);
    let mut finding = Finding::new(
        &MISSING_ENVIRONMENT,
        subject(litellm),
        format!(
            "{} has no {} in its environment, and {} {} its key from there",
            litellm.name,
            words::list(&names),
            words::list(&shown),
            if models.len() == 1 { "takes" } else { "take" },
        ),
        "it was started from a shell that does not have it; nothing is said at the start, and every \
         request to that model fails",
    )
    .brief(format!("{} not set", words::list(&names)));
    if !hits_default {
        finding.severity = Severity::Warning;
        finding.impact = Impact::Risk;
    }
    if !litellm.is_wanted() {
        finding = finding.at(Severity::Info);
    }
    for (name, deployments) in lacking {
        for deployment in deployments.iter().take(5) {
            finding = finding.evidence(config_row(litellm, config, name, deployment));
        }
        finding = finding.evidence(environment_row(litellm, name));
    }
    finding.fix(fix(litellm, &names))
}

fn config_row(
    litellm: View<'_>,
    config: &ConfigFile,
    name: &str,
    deployment: &Deployment<'_>,
) -> Evidence {
    let entry = format!("{}.api_key", deployment.path);
    Evidence::new(
        "config",
        format!("api_key: os.environ/{name}"),
        config.place(&entry),
    )
    .command(by_hand::show_entry(litellm.snapshot, config, &entry))
}

fn environment_row(litellm: View<'_>, name: &str) -> Evidence {
    let pid = litellm.main_process().map_or(0, |process| process.pid);
    let is_empty = litellm
        .service
        .environment
        .known()
        .is_some_and(|environment| environment.contains_key(name));
    let seen = if is_empty { "empty" } else { "not set" };
    Evidence::new(
        "environment",
        format!("{name} {seen}"),
        format!("pid {pid}"),
    )
    .expected("a value")
    .command(format!(
        "tr '\\0' '\\n' < /proc/{pid}/environ | cut -d= -f1 | grep -x {}",
        shell::quote(name)
    ))
}

fn fix(litellm: View<'_>, names: &[&str]) -> Fix {
    let holds = |file: &&EnvFile| {
        let has = |name: &&str| file.names.iter().any(|one| one == name);
        !file.is_read && names.iter().any(has)
    };
    let kept = litellm.service.env_files.iter().find(holds);
    let (title, load) = match kept {
        Some(file) => (
            format!(
                "{} holds it, and {} does not read that file: load it, then restart {}",
                file.path, litellm.name, litellm.name
            ),
            Some(format!(
                "set -a; . {}; set +a",
                shell::sourced(litellm.snapshot, &file.path)
            )),
        ),
        None => (
            format!(
                "set {} in the shell that starts {}, then restart it",
                words::list(names),
                litellm.name
            ),
            None,
        ),
    };
    let commands = load.into_iter().chain(by_hand::restart(litellm)).collect();
    Fix::manual("by-hand", title, commands)
}
