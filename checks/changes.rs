//! What changed since a service was last ready.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    ConfigFile, EntryValue, Finding, LastReady, Observed, ServiceKind, Snapshot, Subject,
};
use crate::state::{View, services};
use crate::upstream::{Base, Key, deployments};
use crate::words;

/// So many changes are named in a line.
const NAMED: usize = 3;

/// One change since a service was last ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The service that was ready.
    pub service: String,
    /// What changed: `services.litellm.port`, `config/cliproxyapi.yaml: api-keys[0]`.
    pub what: String,
    /// What it was; null where that is a secret, or is not known any more.
    pub before: Option<String>,
    /// What it is; null where that is a secret, or it is not there any more.
    pub after: Option<String>,
    /// Keys of the findings that it is proven to explain.
    pub explains: Vec<String>,
}

/// Everything that changed since the services were last ready, in the order of their names.
pub fn changes(snapshot: &Snapshot, findings: &[Finding]) -> Vec<Change> {
    services(snapshot)
        .filter_map(|view| Some((view, view.service.last_ready.as_ref()?)))
        .flat_map(|(view, then)| of_service(view, then, findings))
        .collect()
}

fn of_service(view: View<'_>, then: &LastReady, findings: &[Finding]) -> Vec<Change> {
    let change = |what: String, before: Option<String>, after: Option<String>| Change {
        service: view.name.into(),
        what,
        before,
        after,
        explains: Vec::new(),
    };
    let mut all = Vec::new();
    let port = view.settings().port;
    if then.port.is_some() && then.port != port {
        let text = |port: Option<u16>| port.map(|port| port.to_string());
        let what = format!("services.{}.port", view.name);
        all.push(change(what, text(then.port), text(port)));
    }
    if then.program_changed == Observed::Known(true) {
        let program = view.service.program.known();
        let what = format!("program of {}", view.name);
        all.push(change(what, None, program.map(|one| one.path.clone())));
    }
    if let Some(config) = view.own_config() {
        for entry in then.changed_entries.known().into_iter().flatten() {
            let mut one = change(
                format!("{}: {}", config.path, entry.entry),
                None,
                shown(config, &entry.entry),
            );
            one.explains = of_running(view, &entry.entry, findings);
            all.push(one);
        }
    }
    for (names, before, after) in [
        (&then.variables_gone, Some("set"), None),
        (&then.variables_new, None, Some("set")),
    ] {
        for name in names {
            let mut one = change(
                format!("environment of {}: {name}", view.name),
                before.map(str::to_owned),
                after.map(str::to_owned),
            );
            one.explains = of_variable(view, name, findings);
            all.push(one);
        }
    }
    all
}

/// The value of an entry, when it is known to be no secret.
fn shown(config: &ConfigFile, entry: &str) -> Option<String> {
    match &config.entry(entry)?.value {
        EntryValue::Text(text) | EntryValue::Number(text) => Some(text.clone()),
        EntryValue::Int(number) => Some(number.to_string()),
        EntryValue::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// What runs without a change is the older config.
fn of_running(view: View<'_>, entry: &str, findings: &[Finding]) -> Vec<String> {
    let is_not_taken_up = view
        .service
        .changed_entries
        .known()
        .is_some_and(|changes| changes.iter().any(|change| change.entry == entry));
    if !is_not_taken_up {
        return Vec::new();
    }
    keys(view, &["config/running-config-differs"], findings)
}

/// A variable that is gone explains what lacks it.
fn of_variable(view: View<'_>, name: &str, findings: &[Finding]) -> Vec<String> {
    if view.service.kind != ServiceKind::Litellm {
        return Vec::new();
    }
    let all = deployments(view.snapshot);
    let mut ids = Vec::new();
    if all.iter().any(|one| one.key == Key::Unset(name)) {
        ids.push("readiness/missing-environment");
    }
    if all.iter().any(|one| one.base == Base::Unset(name)) {
        ids.push("readiness/upstream-is-vendor");
    }
    keys(view, &ids, findings)
}

fn keys(view: View<'_>, ids: &[&str], findings: &[Finding]) -> Vec<String> {
    let subject = Subject::Service(view.name.into());
    findings
        .iter()
        .filter(|finding| ids.contains(&finding.spec.id) && finding.subject == subject)
        .map(Finding::key)
        .collect()
}

/// When the service of a finding was last ready and what changed since, in one line: `last ready
/// 14:02 UTC; no config or program changed`. None for other subjects, and where nothing is recorded.
pub fn since(snapshot: &Snapshot, finding: &Finding, changes: &[Change]) -> Option<String> {
    let Subject::Service(name) = &finding.subject else {
        return None;
    };
    let then = snapshot.services.get(name)?.last_ready.as_ref()?;
    let now = snapshot.clock.gathered_at;
    let form = match then.at.strftime("%F").to_string() == now.strftime("%F").to_string() {
        true => "%H:%M UTC",
        false => "%F %H:%M UTC",
    };
    let of_it: Vec<&str> = changes
        .iter()
        .filter(|change| change.service == *name)
        .map(|change| change.what.as_str())
        .collect();
    let changed = match of_it.as_slice() {
        [] if then.changed_entries.why_unknown().is_some() => {
            "what changed in its config cannot be told".to_owned()
        }
        [] => "no config or program changed".to_owned(),
        all => {
            let mut named = all[..all.len().min(NAMED)].to_vec();
            let more = format!("{} more", all.len().saturating_sub(NAMED));
            if all.len() > NAMED {
                named.push(&more);
            }
            format!("changed: {}", words::list(&named))
        }
    };
    Some(format!("last ready {}; {changed}", then.at.strftime(form)))
}
