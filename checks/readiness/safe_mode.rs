//! CLIProxyAPI serves nobody while its keys are those of the template.

use super::SAFE_MODE;
use crate::by_hand;
use crate::model::{
    Answer, BodyClass, EntryValue, Evidence, Finding, Fix, SecretClass, SecretKind, ServiceKind,
    Severity, Snapshot, Subject, Value, Verdict,
};
use crate::state::View;
use crate::steps::Edits;
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
    .fix(fix(snapshot, proxy.name, &keys, &at));
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

/// The file is read anew as soon as it is written, so nothing is restarted. A key that a client sends
/// is another key than before then; that is told by the next look.
fn fix(snapshot: &Snapshot, name: &str, keys: &[String], at: &str) -> Fix {
    let mut edits = Edits::new(snapshot);
    for path in keys {
        let random = Value::Random(SecretKind::UpstreamKey);
        edits.set(&snapshot.configs.cliproxyapi, path, random);
    }
    let title = format!(
        "write a long random key instead of each template key at {at}; LiteLLM needs the same as api_key \
         then"
    );
    edits.fix("set-api-keys", name, title, Vec::new())
}
