//! CLIProxyAPIPlus refuses the key that LiteLLM sends.

use super::UPSTREAM_KEY_REJECTED;
use crate::by_hand::{self, short};
use crate::model::{
    EntryValue, Evidence, Finding, Fix, SecretClass, Snapshot, Subject, UnknownDatum, Value,
    Verdict,
};
use crate::state::View;
use crate::steps::{self, Edits};
use crate::upstream::{Deployment, Fate, Key, deployments, fate, tried};
use crate::words;

/// Variables that make the proxy take its config from elsewhere (`facts/cliproxyapi.md` 1.3).
const STORES: [&str; 3] = ["PGSTORE_DSN", "GITSTORE_GIT_URL", "OBJECTSTORE_ENDPOINT"];

/// How a deployment's key is judged.
enum Judgement {
    /// It is accepted.
    Accepted,
    /// An answer refused it.
    RefusedByAnswer(String),
    /// It is not among the keys of the proxy's file.
    NotInFile,
    /// Nothing tells; why.
    Unknown(String),
    /// Another finding speaks of it.
    Elsewhere,
}

/// Finds keys of deployments at our proxy which it refuses.
pub fn look(litellm: View<'_>, proxy: View<'_>, verdict: &mut Verdict) {
    let mut refused = Vec::new();
    let mut unknown = None;
    for deployment in deployments(litellm.snapshot) {
        let leads_here = deployment
            .address
            .as_ref()
            .is_some_and(|address| address.is_local() && address.leads_to(proxy));
        if !leads_here {
            continue;
        }
        match judge(proxy, &deployment) {
            Judgement::Accepted | Judgement::Elsewhere => {}
            Judgement::Unknown(why) => {
                unknown.get_or_insert(why);
            }
            refusal => refused.push((deployment, refusal)),
        }
    }
    if !refused.is_empty() {
        verdict.push(finding(litellm, proxy, &refused));
    } else if let Some(why) = unknown {
        verdict.unknowns.push(UnknownDatum {
            what: format!("whether {} accepts the key of {}", proxy.name, litellm.name),
            why,
            command: None,
            optional: !(litellm.is_wanted() && proxy.is_wanted()),
        });
    }
}

fn judge(proxy: View<'_>, deployment: &Deployment<'_>) -> Judgement {
    if proxy.is_starting() {
        return by_file(proxy.snapshot, deployment);
    }
    // A copy of the program on the port refuses our keys rightly: the port is the matter then.
    let is_ours = proxy.is_running() || proxy.accepts_a_key();
    match tried(proxy, deployment).filter(|_| is_ours) {
        Some((_, answer)) => match fate(answer) {
            Fate::Accepted => Judgement::Accepted,
            Fate::Refused => Judgement::RefusedByAnswer(answer.describe()),
            Fate::SafeMode => Judgement::Elsewhere,
            Fate::Open => by_file(proxy.snapshot, deployment),
        },
        None => by_file(proxy.snapshot, deployment),
    }
}

/// Without an answer the keys of the file decide, where it is the one that the proxy reads.
fn by_file(snapshot: &Snapshot, deployment: &Deployment<'_>) -> Judgement {
    let config = &snapshot.configs.cliproxyapi;
    let environment = crate::state::service_of(snapshot, crate::model::ServiceKind::Cliproxyapi)
        .and_then(|view| view.service.environment.known());
    let reads_elsewhere = environment
        .is_some_and(|variables| STORES.iter().any(|name| variables.contains_key(*name)));
    if !config.is_loaded() || reads_elsewhere || config.entry("auth.providers").is_some() {
        return Judgement::Elsewhere;
    }
    let Some(keys) = file_keys(snapshot) else {
        return Judgement::Elsewhere;
    };
    match deployment.key {
        // A list of nothing but empty texts lets nobody in.
        _ if keys.is_empty() && has_keys(snapshot) => Judgement::NotInFile,
        _ if keys.is_empty() => Judgement::Accepted,
        Key::Given(key) if keys.contains(&key) => Judgement::Accepted,
        Key::Given(_) | Key::Absent | Key::Unset(_) => Judgement::NotInFile,
        Key::Variable(name) => Judgement::Unknown(format!(
            "it is the variable {name}, whose value is not known"
        )),
    }
}

/// The fingerprints of `api-keys`; none when one of them cannot be told.
fn file_keys(snapshot: &Snapshot) -> Option<Vec<&str>> {
    let config = &snapshot.configs.cliproxyapi;
    let count = match config.entry("api-keys").map(|entry| &entry.value) {
        None | Some(EntryValue::Null) => 0,
        Some(EntryValue::List(count)) => *count,
        Some(_) => return None,
    };
    (0..count)
        .filter_map(
            |index| match config.entry(&format!("api-keys[{index}]"))?.value {
                EntryValue::Secret {
                    ref fingerprint,
                    class: SecretClass::Ordinary | SecretClass::WellKnown,
                } => Some(Some(fingerprint.as_str())),
                // Nobody can send it.
                EntryValue::Null
                | EntryValue::Secret {
                    class: SecretClass::Empty,
                    ..
                } => None,
                // A template key is safe mode in one edition, and a key in the other.
                _ => Some(None),
            },
        )
        .collect()
}

/// Whether `api-keys` has an item, of whatever kind.
fn has_keys(snapshot: &Snapshot) -> bool {
    let keys = snapshot.configs.cliproxyapi.entry("api-keys");
    keys.is_some_and(|entry| matches!(entry.value, EntryValue::List(count) if count > 0))
}

fn finding(litellm: View<'_>, proxy: View<'_>, refused: &[(Deployment<'_>, Judgement)]) -> Finding {
    let snapshot = litellm.snapshot;
    let config = &snapshot.configs.litellm;
    let (first, judgement) = &refused[0];
    let is_proven = matches!(judgement, Judgement::RefusedByAnswer(_));
    let verb = if is_proven { "refuses" } else { "will refuse" };
    let mut finding = Finding::new(
        &UPSTREAM_KEY_REJECTED,
        Subject::Service(litellm.name.into()),
        format!(
            "{} {verb} {} ({})",
            proxy.name,
            match &first.key {
                Key::Absent | Key::Unset(_) => {
                    format!("{}, which has no key for it", litellm.name)
                }
                key => format!("{} of {}", describe(key), litellm.name),
            },
            place(litellm, first)
        ),
        cause(snapshot, first),
    )
    .brief("upstream key refused");
    if !is_proven {
        finding = finding.likely();
    }
    for (deployment, judgement) in refused.iter().take(5) {
        let mut row = Evidence::new(
            "config",
            format!("{} sends {}", name(deployment), describe(&deployment.key)),
            place(litellm, deployment),
        )
        .command(by_hand::show_name(snapshot, &config.path, "api_key"));
        if let Judgement::RefusedByAnswer(said) = judgement {
            row.observed = format!("{}, answered {said}", row.observed);
            if let Some((keyed, _)) =
                tried(proxy, deployment).filter(|(keyed, _)| keyed.key.is_some())
            {
                let address = proxy.address().unwrap_or_default();
                let url = by_hand::url(proxy.settings().scheme, &address, "/v1/models");
                row.command = Some(by_hand::ask_with_key(snapshot, &keyed.key_from, &url));
            }
        }
        finding = finding.evidence(row);
    }
    finding
        .evidence(keys_row(snapshot))
        .fix(fix(litellm, proxy, refused))
}

fn cause(snapshot: &Snapshot, deployment: &Deployment<'_>) -> String {
    let config = &snapshot.configs.cliproxyapi;
    let listed = file_keys(snapshot);
    let shown: Vec<&str> = listed.iter().flatten().map(|key| short(key)).collect();
    match (&deployment.key, listed.as_deref()) {
        (Key::Unset(name), _) => format!(
            "api_key is {name} of its environment, which is not set, and {} asks for a key",
            config.path
        ),
        (Key::Absent, _) => format!("api_key is absent, and {} asks for one", config.path),
        (Key::Given(key), Some(keys)) if keys.contains(key) => format!(
            "{} lists it, so the running process has not read the file since",
            config.place("api-keys")
        ),
        (_, Some(keys)) if !keys.is_empty() => format!(
            "it is not among api-keys of {} ({})",
            config.place("api-keys"),
            shown.join(", ")
        ),
        _ => format!("it is not among the keys that {} was given", config.path),
    }
}

fn keys_row(snapshot: &Snapshot) -> Evidence {
    let config = &snapshot.configs.cliproxyapi;
    let keys = file_keys(snapshot).unwrap_or_default();
    let shown: Vec<&str> = keys.iter().map(|key| short(key)).collect();
    let seen = if shown.is_empty() {
        "no key that can be compared".to_owned()
    } else {
        format!("api-keys: {}", words::list(&shown))
    };
    Evidence::new("config", seen, config.place("api-keys")).command(by_hand::show_name(
        snapshot,
        &config.path,
        "api-keys",
    ))
}

fn name<'a>(deployment: &'a Deployment<'_>) -> &'a str {
    deployment.model.unwrap_or(&deployment.path)
}

fn describe(key: &Key<'_>) -> String {
    match key {
        Key::Given(fingerprint) => format!("the key {}", short(fingerprint)),
        Key::Variable(name) => format!("the key in {name}"),
        Key::Unset(name) => format!("no key, since {name} is not set"),
        Key::Absent => "no key".into(),
    }
}

fn place(litellm: View<'_>, deployment: &Deployment<'_>) -> String {
    let config = &litellm.snapshot.configs.litellm;
    let key = format!("{}.api_key", deployment.path);
    let base = format!("{}.api_base", deployment.path);
    config.place(if config.entry(&key).is_some() {
        &key
    } else {
        &base
    })
}

/// Every deployment whose key is stale is named, else the next look would find the next of them.
/// The rendered file is overwritten at the next activation, so the source is named too.
fn fix(litellm: View<'_>, proxy: View<'_>, refused: &[(Deployment<'_>, Judgement)]) -> Fix {
    let snapshot = litellm.snapshot;
    let keys = file_keys(snapshot).unwrap_or_default();
    let is_in_file = |key: &Key<'_>| matches!(key, Key::Given(key) if keys.contains(key));
    let flowgate = &snapshot.configs.flowgate;
    let mut places = Vec::new();
    for (deployment, _) in refused.iter().filter(|(one, _)| !is_in_file(&one.key)) {
        let source = format!("litellm_base.{}.api_key", deployment.path);
        if flowgate.entry(&source).is_some() {
            places.push(flowgate.place(&source));
        }
        places.push(place(litellm, deployment));
    }
    places.dedup();
    if places.is_empty() {
        let title = format!("restart {}, so that it reads its file", proxy.name);
        return steps::restart_asked(proxy, title, by_hand::restart(proxy));
    }
    let title = format!(
        "write a key of {} as api_key at {}, then restart {}",
        snapshot.configs.cliproxyapi.place("api-keys"),
        words::list(&places),
        litellm.name
    );
    let mut edits = Edits::new(snapshot);
    for (deployment, _) in refused.iter().filter(|(one, _)| !is_in_file(&one.key)) {
        set_key(&mut edits, snapshot, deployment, &keys);
    }
    steps::litellm::take_up(&mut edits, litellm);
    edits.fix(
        "set-upstream-key",
        litellm.name,
        title,
        by_hand::restart(litellm),
    )
}

/// Gives a deployment the first key of the proxy's file. A key that comes from a variable is one of
/// the environment, which no edit of a config reaches.
fn set_key(edits: &mut Edits<'_>, snapshot: &Snapshot, deployment: &Deployment<'_>, keys: &[&str]) {
    let entry = format!("{}.api_key", deployment.path);
    let is_variable = snapshot.configs.litellm.text(&entry).is_some();
    if keys.is_empty() || is_variable {
        return edits.give_up();
    }
    let key = Value::CopyOf {
        file: snapshot.configs.cliproxyapi.path.clone(),
        entry: Some("api-keys[0]".into()),
    };
    steps::litellm::set(
        edits,
        snapshot,
        &entry,
        key,
        |value| matches!(value, EntryValue::Secret { fingerprint, .. } if keys.contains(&fingerprint.as_str())),
    );
}
