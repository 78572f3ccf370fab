//! A hop that is up and lists no model.

use super::NO_MODELS;
use crate::by_hand;
use crate::logins::{Logins, is_unread, unseen};
use crate::model::{
    EntryValue, Evidence, Finding, Fix, KeyedAnswer, ServiceKind, Severity, Subject, Verdict,
};
use crate::state::View;
use crate::suggest;
use crate::words;

/// Finds an empty list at a hop that accepted the key.
pub fn look(view: View<'_>, verdict: &mut Verdict) {
    let Some(probes) = view.serving_probes() else {
        return;
    };
    let lists: Vec<(&KeyedAnswer, usize)> = probes
        .models
        .values()
        .filter(|keyed| {
            keyed
                .answer
                .known()
                .is_some_and(|answer| answer.is_success())
        })
        .filter_map(|keyed| Some((keyed, keyed.models.known()?.len())))
        .collect();
    let Some((keyed, _)) = lists.first() else {
        return;
    };
    if lists.iter().any(|(_, count)| *count > 0) {
        return;
    }
    let (cause, fix) = match view.service.kind {
        ServiceKind::Litellm => litellm(view),
        ServiceKind::Cliproxyapi => cliproxyapi(view),
        ServiceKind::Other => return,
    };
    let mut finding = Finding::new(
        &NO_MODELS,
        Subject::Service(view.name.into()),
        format!("{} is up and lists no model", view.name),
        cause,
    )
    .brief("lists no model")
    .evidence(list_row(view, keyed));
    if view.service.kind == ServiceKind::Litellm {
        let config = &view.snapshot.configs.litellm;
        finding = finding.evidence(
            Evidence::new("config", model_list(view), config.place("model_list"))
                .expected("at least one entry")
                .command(by_hand::show_name(
                    view.snapshot,
                    &config.path,
                    "model_list",
                )),
        );
    }
    if !view.is_wanted() {
        finding = finding.at(Severity::Info);
    }
    verdict.push(finding.fix(fix));
}

fn list_row(view: View<'_>, keyed: &KeyedAnswer) -> Evidence {
    let address = view.address().unwrap_or_default();
    let url = by_hand::url(view.settings().scheme, &address, "/v1/models");
    let command = match keyed.key {
        Some(_) => by_hand::list_with_key(view.snapshot, &keyed.key_from, &url),
        None => by_hand::ask(&url),
    };
    Evidence::new("answer", "200 with an empty list", url)
        .expected("at least one model")
        .command(command)
}

fn model_list(view: View<'_>) -> String {
    match view
        .snapshot
        .configs
        .litellm
        .entry("model_list")
        .map(|entry| &entry.value)
    {
        Some(EntryValue::List(0)) => "model_list is empty".into(),
        Some(EntryValue::List(count)) => {
            format!("model_list has {}", words::count(*count, "entry"))
        }
        Some(_) => "model_list is no list".into(),
        None => "no model_list".into(),
    }
}

fn litellm(view: View<'_>) -> (String, Fix) {
    let snapshot = view.snapshot;
    let config = &snapshot.configs.litellm;
    let flowgate = &snapshot.configs.flowgate;
    let place = if flowgate.entry("litellm_base").is_some() {
        let list = "litellm_base.model_list";
        let known = flowgate.entry(list).map_or("litellm_base", |_| list);
        flowgate.place(known)
    } else {
        config.place("model_list")
    };
    let cause = match config.entry("model_list").map(|entry| &entry.value) {
        Some(EntryValue::List(count)) if *count > 0 => format!(
            "it drops every one of the {} of model_list ({})",
            words::count(*count, "entry"),
            config.place("model_list")
        ),
        _ => match suggest::misspelt(config, "model_list") {
            Some(key) => format!(
                "{} says {key}, which is ignored: the key is model_list",
                config.place(key)
            ),
            None => format!("{}: {}", config.place("model_list"), model_list(view)),
        },
    };
    let fix = Fix::manual(
        "by-hand",
        format!(
            "write an entry with model_name, model, api_base and api_key under model_list at {place}, then restart {}",
            view.name
        ),
        by_hand::restart(view),
    );
    (cause, fix)
}

fn cliproxyapi(view: View<'_>) -> (String, Fix) {
    let snapshot = view.snapshot;
    let logins = Logins::of(snapshot);
    let usable = logins.providers();
    let elsewhere = logins.usable().find(|(_, file)| is_unread(file, snapshot));
    let cause = match (usable.as_slice(), elsewhere) {
        ([], _) if unseen(snapshot).is_empty() => "it has no credential that it could use".into(),
        ([], _) => "whether it has a usable credential cannot be seen".into(),
        ([_], Some((path, _))) => format!("{path} lies in a dir that it does not read"),
        (names, _) => format!("it does not use its credential for {}", words::list(names)),
    };
    let fix = Fix::manual(
        "by-hand",
        format!(
            "log in to a provider, or look at the end of the log of {}",
            view.name
        ),
        by_hand::tail(view).into_iter().collect(),
    );
    (cause, fix)
}
