//! CLIProxyAPI serves nobody while its keys are those of the template.

use super::{SAFE_MODE, edit};
use crate::by_hand;
use crate::model::{
    Answer, BodyClass, EntryValue, Evidence, Finding, Fix, SecretClass, SecretKind, ServiceKind,
    Severity, Snapshot, Subject, Value, Verdict,
};
use crate::state::{View, service_of};
use crate::steps::{self, Edits};
use crate::upstream::{Deployment, deployments};
use crate::words;

/// Finds the safe mode by what the port answers (`facts/real-stack.md` 4): the file alone does not
/// tell, since CLIProxyAPIPlus takes template keys for keys like any other.
pub fn look(proxy: View<'_>, verdict: &mut Verdict) {
    if proxy.service.kind != ServiceKind::Cliproxyapi || !proxy.is_identified() {
        return;
    }
    let Some(answer) = said(proxy) else {
        return;
    };
    let snapshot = proxy.snapshot;
    let config = &snapshot.configs.cliproxyapi;
    let keys = template_keys(snapshot);
    let places: Vec<String> = keys.iter().map(|key| config.place(key)).collect();
    let at = match places.as_slice() {
        [] => config.place("api-keys"),
        places => words::list(places),
    };
    let address = proxy.address().unwrap_or_default();
    let path = answer.request.split_whitespace().last().unwrap_or("/");
    let url = by_hand::url(proxy.settings().scheme, &address, path);
    let mut finding = Finding::new(
        &SAFE_MODE,
        Subject::Service(proxy.name.into()),
        format!(
            "{} is in safe mode and refuses every request: its api-keys are those of the template",
            proxy.name
        ),
        format!("everybody knows the key at {at}"),
    )
    .brief("safe mode: template api-keys")
    .evidence(
        Evidence::new("answer", answer.describe(), url.clone())
            .expected("its identity, and no word of an example key")
            .command(by_hand::ask(&url)),
    )
    .evidence(
        Evidence::new("config", "template api-keys", config.place("api-keys"))
            .expected("keys that nobody else knows")
            .command(by_hand::show_name(snapshot, &config.path, "api-keys")),
    )
    .fix(fix(proxy, &keys, &at));
    if !proxy.is_wanted() {
        finding = finding.at(Severity::Info);
    }
    verdict.push(finding);
}

/// The answer that shows it: the page at `/`, or the refusal of a request.
fn said<'a>(proxy: View<'a>) -> Option<&'a Answer> {
    let probes = proxy.serving_probes()?;
    let keyless = [&probes.root, &probes.readiness];
    let keyed = probes.models.values().map(|keyed| &keyed.answer);
    let all: Vec<&Answer> = keyed
        .chain(keyless)
        .filter_map(|answer| answer.known())
        .collect();
    all.into_iter()
        .find(|answer| answer.body() == Some(&BodyClass::CliproxySafeMode))
}

/// The entries of `api-keys` that hold what the template ships.
fn template_keys(snapshot: &Snapshot) -> Vec<String> {
    let config = &snapshot.configs.cliproxyapi;
    let count = match config.entry("api-keys").map(|entry| &entry.value) {
        Some(EntryValue::List(count)) => *count,
        _ => 0,
    };
    (0..count.min(50))
        .map(|index| format!("api-keys[{index}]"))
        .filter(|path| {
            matches!(
                config.entry(path).map(|entry| &entry.value),
                Some(EntryValue::Secret {
                    class: SecretClass::Template,
                    ..
                })
            )
        })
        .collect()
}

/// A key that LiteLLM sends already and that is its own becomes one of the proxy; else a new one is
/// made, and everything that leads here sends it from then on: a proxy that lets nobody else in would
/// answer LiteLLM with a refusal. The proxy reads its file as soon as it is written.
fn fix(proxy: View<'_>, keys: &[String], at: &str) -> Fix {
    let snapshot = proxy.snapshot;
    let config = &snapshot.configs.cliproxyapi;
    let senders: Vec<Deployment<'_>> = deployments(snapshot)
        .into_iter()
        .filter(|one| {
            let address = one.address.as_ref();
            address.is_some_and(|address| address.is_local() && address.leads_to(proxy))
        })
        .collect();
    let own = senders.iter().find_map(|one| own_key(snapshot, one));
    let first = keys.first().map(|key| Value::CopyOf {
        file: config.path.clone(),
        entry: Some(key.clone()),
    });
    let mut edits = Edits::new(snapshot);
    for (index, key) in keys.iter().enumerate() {
        let random = Value::Random(SecretKind::UpstreamKey);
        let value = own.clone().filter(|_| index == 0).unwrap_or(random);
        edits.set(config, key, value);
    }
    let mut places = Vec::new();
    for sender in senders
        .iter()
        .filter(|one| own_key(snapshot, one) != own || own.is_none())
    {
        let entry = key_entry(sender);
        places.push(steps::litellm::place(snapshot, &entry));
        // What a variable holds stands in no config.
        match first
            .clone()
            .filter(|_| snapshot.configs.litellm.text(&entry).is_none())
        {
            Some(first) => steps::litellm::set(&mut edits, snapshot, &entry, first, |_| false),
            None => edits.give_up(),
        }
    }
    places.dedup();
    let mut title = format!("write a long random key instead of each template key at {at}");
    let mut commands = Vec::new();
    if !places.is_empty() {
        title.push_str(&format!(
            ", and the same as api_key at {}",
            words::list(&places)
        ));
        if let Some(file) = kept_key(snapshot)
            && let Some(first) = first
        {
            edits.set_key_file(file, first);
        }
        if let Some(litellm) = service_of(snapshot, ServiceKind::Litellm) {
            steps::litellm::take_up(&mut edits, litellm);
            commands = edit::commands(litellm);
        }
    }
    edits.fix("set-api-keys", proxy.name, title, commands)
}

/// The entry of the key that a deployment sends.
fn key_entry(sender: &Deployment<'_>) -> String {
    format!("{}.api_key", sender.path)
}

/// The key that a deployment sends, where it stands in a config and nobody else knows it.
fn own_key(snapshot: &Snapshot, sender: &Deployment<'_>) -> Option<Value> {
    let (config, path) = steps::litellm::source(snapshot, &key_entry(sender))?;
    let is_own = matches!(
        config.entry(&path)?.value,
        EntryValue::Secret {
            class: SecretClass::Ordinary,
            ..
        }
    );
    is_own.then(|| Value::CopyOf {
        file: config.path.clone(),
        entry: Some(path),
    })
}

/// The file in which flowgate keeps the key, when there is one.
fn kept_key(snapshot: &Snapshot) -> Option<&String> {
    let mut files = snapshot.files.keys();
    files.find(|path| path.ends_with("/secrets/upstream.key"))
}
