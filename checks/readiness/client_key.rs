//! LiteLLM refuses the key of its clients.

use super::CLIENT_KEY_REJECTED;
use crate::by_hand::{self, short, split_place};
use crate::model::{
    EntryValue, Evidence, Finding, Fix, KeyedAnswer, Severity, Subject, UnknownDatum, Value,
    Verdict,
};
use crate::state::View;
use crate::steps::{self, Edits};
use crate::upstream::{Fate, fate};

/// The entry of the key that LiteLLM accepts.
const MASTER_KEY: &str = "general_settings.master_key";

/// Finds keys that LiteLLM refuses.
pub fn look(litellm: View<'_>, verdict: &mut Verdict) {
    if litellm.is_starting() {
        return;
    }
    let Some(probes) = litellm.serving_probes() else {
        return;
    };
    let fates: Vec<(&KeyedAnswer, Fate)> = probes
        .models
        .values()
        .filter(|keyed| keyed.key.is_some())
        .filter_map(|keyed| Some((keyed, fate(keyed.answer.known()?))))
        .collect();
    let refused: Vec<&KeyedAnswer> = fates
        .iter()
        .filter(|(_, fate)| *fate == Fate::Refused)
        .map(|(keyed, _)| *keyed)
        .collect();
    if !refused.is_empty() {
        verdict.push(finding(litellm, &refused));
    } else if fates.is_empty() && litellm.is_identified() {
        let why = probes.withheld.clone().unwrap_or_else(|| {
            "flowgate knows no client key, and an empty one is never sent".into()
        });
        verdict.unknowns.push(UnknownDatum {
            what: format!("whether {} accepts a client", litellm.name),
            why,
            command: None,
            optional: true,
        });
    }
}

fn finding(litellm: View<'_>, refused: &[&KeyedAnswer]) -> Finding {
    let config = &litellm.snapshot.configs.litellm;
    let own = match config.entry(MASTER_KEY).map(|entry| &entry.value) {
        Some(EntryValue::Secret { fingerprint, .. }) => Some(fingerprint.as_str()),
        _ => None,
    };
    let first = refused[0];
    let sent = first.key.as_deref().unwrap_or_default();
    let cause = match own {
        Some(own) if own == sent => format!(
            "{} holds this key, so {} runs with an older one: it reads its config at the start alone",
            config.place(MASTER_KEY),
            litellm.name
        ),
        Some(own) => format!(
            "master_key of {} is {}, and {} holds {}",
            config.place(MASTER_KEY),
            short(own),
            first.key_from,
            short(sent)
        ),
        None => format!(
            "{} names no master_key, so it comes from the environment of {}",
            config.path, litellm.name
        ),
    };
    let mut finding = Finding::new(
        &CLIENT_KEY_REJECTED,
        Subject::Service(litellm.name.into()),
        format!(
            "{} refuses the client key {} of {}",
            litellm.name,
            short(sent),
            first.key_from
        ),
        cause,
    )
    .brief("client key refused");
    if !litellm.is_wanted() {
        finding = finding.at(Severity::Info);
    }
    for keyed in refused {
        finding = finding.evidence(answer_row(litellm, keyed));
    }
    if let Some(own) = own {
        finding = finding.evidence(
            Evidence::new(
                "config",
                format!("master_key fingerprint {}", short(own)),
                config.place(MASTER_KEY),
            )
            .command(by_hand::show_name(
                litellm.snapshot,
                &config.path,
                "master_key",
            )),
        );
    }
    finding.fix(fix(litellm, first, own))
}

fn answer_row(litellm: View<'_>, keyed: &KeyedAnswer) -> Evidence {
    let seen = keyed
        .answer
        .known()
        .map_or_else(String::new, |answer| answer.describe());
    let sent = keyed.key.as_deref().map_or("no key", short);
    let address = litellm.address().unwrap_or_default();
    let url = by_hand::url(litellm.settings().scheme, &address, "/v1/models");
    Evidence::new("answer", format!("{seen} to key {sent}"), &keyed.key_from)
        .expected("200 with a list of models")
        .command(by_hand::ask_with_key(
            litellm.snapshot,
            &keyed.key_from,
            &url,
        ))
}

fn fix(litellm: View<'_>, refused: &KeyedAnswer, own: Option<&str>) -> Fix {
    let config = &litellm.snapshot.configs.litellm;
    if own.is_some() && own == refused.key.as_deref() {
        let title = format!("restart {}, so that it reads {}", litellm.name, config.path);
        return steps::restart_asked(litellm, title, by_hand::restart(litellm));
    }
    let (file, line) = split_place(&refused.key_from);
    let target = match line {
        Some(line) => format!("{file}:{line}"),
        None => file.to_owned(),
    };
    let title = match own {
        Some(_) => format!(
            "write the master_key of {} into {target}",
            config.place(MASTER_KEY)
        ),
        None => format!(
            "write the LITELLM_MASTER_KEY with which {} was started into {target}",
            litellm.name
        ),
    };
    let mut edits = Edits::new(litellm.snapshot);
    match (own, line) {
        (Some(_), None) => edits.set_key_file(
            file,
            Value::CopyOf {
                file: config.path.clone(),
                entry: Some(MASTER_KEY.into()),
            },
        ),
        // What a variable holds stands in no file.
        _ => edits.give_up(),
    }
    edits.fix("set-client-key", litellm.name, title, Vec::new())
}
