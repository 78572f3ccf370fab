//! Whoever reaches the port may use the gateway: no key is asked for.

use std::net::IpAddr;

use super::OPEN_GATEWAY;
use super::source;
use crate::by_hand;
use crate::config::overridden;
use crate::model::{
    EntryValue, Evidence, Finding, Fix, Impact, KeyedAnswer, Literal, Manager, Relation,
    ServiceKind, Severity, Socket, Subject, Value, Verdict,
};
use crate::places;
use crate::state::{View, address_key, all_sockets, owners};
use crate::steps::{self, Edits};
use crate::suggest;
use crate::words;

/// Who can reach an open port.
enum Reach<'a> {
    /// Other machines: the listener is bound to more than loopback.
    Machines(&'a Socket),
    /// Only this machine.
    Local,
    /// It runs in a container: what is published, its engine knows.
    Container,
}

/// Finds a service that serves without a key: one that did, or a proxy whose file holds none.
pub fn look(view: View<'_>, verdict: &mut Verdict) {
    let served = served_without_a_key(view);
    if served.is_none() && !is_open_by_file(view) {
        return;
    }
    let reach = reach(view);
    let config = match view.service.kind {
        ServiceKind::Litellm => &view.snapshot.configs.litellm,
        _ => &view.snapshot.configs.cliproxyapi,
    };
    let (symptom, brief) = match &reach {
        Reach::Machines(socket) => (
            format!(
                "{} serves every machine that reaches {}, without a key",
                view.name,
                address_key(&socket.address, socket.port)
            ),
            "open to other machines",
        ),
        Reach::Local => (
            format!(
                "{} serves every program and user of this machine, without a key",
                view.name
            ),
            "open to this machine",
        ),
        Reach::Container => (
            format!(
                "{} serves without a key; whether other machines reach its container is not known",
                view.name
            ),
            "open in its container",
        ),
    };
    let entry = key_entry(view.service.kind);
    let mut finding = Finding::new(
        &OPEN_GATEWAY,
        Subject::Service(view.name.into()),
        symptom,
        match suggest::misspelt(config, entry) {
            Some(key) => format!(
                "{} says {key}, which is ignored: the key is {entry}",
                config.place(key)
            ),
            None => format!("{} holds no key for its clients", config.place(entry)),
        },
    )
    .brief(brief);
    if !matches!(reach, Reach::Machines(_)) {
        finding = finding.at(Severity::Warning);
    }
    if served.is_none() {
        finding = finding.likely();
    }
    finding.impact = Impact::Exposure;
    finding
        .evidence
        .extend(served.map(|one| answer_row(view, one)));
    if let Reach::Machines(socket) = &reach {
        finding = finding.evidence(
            Evidence::new(
                "listener",
                address_key(&socket.address, socket.port),
                "socket table",
            )
            .expected("127.0.0.1")
            .command(format!("ss -ltn 'sport = :{}'", socket.port)),
        );
    }
    finding = finding.evidence(
        Evidence::new("config", keys_in_words(view), config.place(entry))
            .expected("a key that nobody else knows")
            .command(by_hand::show_name(view.snapshot, &config.path, entry)),
    );
    if matches!(reach, Reach::Machines(_)) {
        finding = finding.fix(set_host(view));
    }
    verdict.push(finding.fix(set_key(view)));
}

/// The request without a key that was answered with the list of models.
fn served_without_a_key<'a>(view: View<'a>) -> Option<&'a KeyedAnswer> {
    if view.service.kind == ServiceKind::Other || !(view.is_identified() || view.is_running()) {
        return None;
    }
    view.serving_probes()?.models.values().find(|keyed| {
        let answer = keyed.answer.known();
        keyed.key.is_none() && answer.is_some_and(|answer| answer.is_success())
    })
}

/// Whether a proxy that runs and was not asked reads a file without keys (`facts/cliproxyapi.md` 2.2).
fn is_open_by_file(view: View<'_>) -> bool {
    let config = &view.snapshot.configs.cliproxyapi;
    let was_asked = view.serving_probes().is_some_and(|probes| {
        probes
            .models
            .values()
            .any(|one| one.answer.known().is_some())
    });
    let has_no_keys = match config.entry("api-keys").map(|entry| &entry.value) {
        None | Some(EntryValue::Null) => true,
        Some(EntryValue::List(count)) => *count == 0,
        Some(_) => false,
    };
    view.service.kind == ServiceKind::Cliproxyapi
        && view.is_running()
        && !was_asked
        && config.is_loaded()
        && has_no_keys
        && config.entry("auth.providers").is_none()
        && !overridden::is(view)
}

fn reach<'a>(view: View<'a>) -> Reach<'a> {
    let snapshot = view.snapshot;
    let is_forwarded = |socket: &Socket| {
        owners(snapshot, socket)
            .iter()
            .any(|process| process.relation == Relation::Forwarder)
    };
    let own = view.own_sockets();
    let port = own
        .first()
        .map(|socket| socket.port)
        .or(view.settings().port);
    let outward = all_sockets(snapshot)
        .filter(|socket| Some(socket.port) == port && !is_loopback(&socket.address))
        .find(|socket| {
            own.iter().any(|one| std::ptr::eq(*one, *socket))
                || own.is_empty() && (view.is_identified() || is_forwarded(socket))
        });
    let is_boxed = snapshot.host.container
        || view
            .processes()
            .any(|process| matches!(process.manager, Some(Manager::Container { .. })));
    match outward {
        Some(_) if is_boxed => Reach::Container,
        Some(socket) => Reach::Machines(socket),
        None => Reach::Local,
    }
}

fn is_loopback(address: &str) -> bool {
    address
        .parse::<IpAddr>()
        .is_ok_and(|ip| ip.to_canonical().is_loopback())
}

fn key_entry(kind: ServiceKind) -> &'static str {
    match kind {
        ServiceKind::Litellm => super::master_key::MASTER_KEY,
        _ => "api-keys",
    }
}

fn keys_in_words(view: View<'_>) -> &'static str {
    match view.service.kind {
        ServiceKind::Litellm => "no master_key in force",
        _ => "no api-keys",
    }
}

fn answer_row(view: View<'_>, keyed: &KeyedAnswer) -> Evidence {
    let address = view.address().unwrap_or_default();
    let url = by_hand::url(view.settings().scheme, &address, "/v1/models");
    let said = keyed
        .answer
        .known()
        .map_or_else(String::new, |answer| answer.describe());
    Evidence::new("answer", format!("{said} without a key"), url.clone())
        .expected("401")
        .command(by_hand::ask(&url))
}

fn set_host(view: View<'_>) -> Fix {
    let host = &view.settings().host;
    let mut places: Vec<String> = places::host_places(&view, host)
        .iter()
        .map(ToString::to_string)
        .collect();
    let own = &view.snapshot.configs.cliproxyapi;
    if view.service.kind == ServiceKind::Cliproxyapi {
        // It binds what its own file says, and everything when that says nothing.
        places.push(own.place("host"));
    }
    if places.is_empty() {
        places.push(places::place_of(&view, "host"));
    }
    places.dedup();
    let title = format!(
        "write 127.0.0.1 as host at {}, then restart {}",
        words::list(&places),
        view.name
    );
    let mut edits = Edits::new(view.snapshot);
    if view.service.kind == ServiceKind::Cliproxyapi {
        let loopback = Value::Literal(Literal::Text("127.0.0.1".into()));
        edits.set_or_insert(own, "", "host", loopback);
    }
    steps::port::set_host(&mut edits, &view, "127.0.0.1");
    edits.fix("set-host", view.name, title, by_hand::restart(view))
}

/// A list that is not there, or empty, is written by hand.
fn set_key(view: View<'_>) -> Fix {
    let key = "a long random key such as sk- and 32 random letters";
    match view.service.kind {
        ServiceKind::Litellm => Fix::manual(
            "by-hand",
            format!(
                "write {key} as {} into {}, then restart {}",
                super::master_key::MASTER_KEY,
                source::place(view, super::master_key::MASTER_KEY, "general_settings"),
                view.name
            ),
            by_hand::restart(view),
        ),
        _ => Fix::manual(
            "set-api-keys",
            format!(
                "write api-keys with one line `  - KEY` into {}, KEY being {key}, and the same KEY as \
                 api_key of each model that LiteLLM sends there",
                view.snapshot.configs.cliproxyapi.place("api-keys")
            ),
            Vec::new(),
        ),
    }
}
