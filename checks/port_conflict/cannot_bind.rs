//! The address cannot be bound, whoever may hold the port.

use std::collections::BTreeMap;

use super::{CANNOT_BIND, move_port, weigh};
use crate::holder::served_by_another;
use crate::logs;
use crate::model::{
    BindState, Evidence, Finding, Fix, ServiceKind, Subject, UnknownDatum, Verdict,
};
use crate::places;
use crate::shell::quote;
use crate::state::{View, address_key};
use crate::steps::{self, Edits};
use crate::words;

/// Why a bind fails.
enum Fault {
    /// The address belongs to no interface here.
    NotHere(String),
    /// The text is no address.
    NoAddress { host: String, why: String },
    /// The right is missing.
    NotPermitted(String),
    /// The file of CLIProxyAPIPlus spells an IPv6 address without brackets.
    NoBrackets { line: u32, host: String },
}

/// The finding for an address that no start can get, and the bind tests that failed themselves.
pub fn find(view: &View<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    // Somebody else's service is bound by somebody else, who may have other rights.
    if !view.settings().managed || view.owns_port() || served_by_another(view).is_some() {
        return verdict;
    }
    let states = view
        .snapshot
        .binds
        .get(view.name)
        .map(|report| &report.addresses);
    verdict
        .unknowns
        .extend(states.and_then(|states| unknown(view, states)));
    let fault = states
        .and_then(fault)
        .or_else(|| missing_brackets(view))
        .or_else(|| unresolved(view));
    if let (Some(fault), Some(port)) = (fault, view.settings().port) {
        verdict.push(weigh(make(view, port, &fault), view));
    }
    verdict
}

/// A host that stands for several addresses is served by those that are there.
fn fault(states: &BTreeMap<String, BindState>) -> Option<Fault> {
    let has = |wanted: &BindState| states.iter().find(|(_, state)| *state == wanted);
    if let Some((address, _)) = has(&BindState::NotPermitted) {
        return Some(Fault::NotPermitted(address.clone()));
    }
    let invalid = states.iter().find_map(|(host, state)| match state {
        BindState::Invalid { why } => Some(Fault::NoAddress {
            host: host.clone(),
            why: why.clone(),
        }),
        _ => None,
    });
    let is_nowhere = states
        .values()
        .all(|state| *state == BindState::NotAvailable);
    let not_here =
        || has(&BindState::NotAvailable).map(|(address, _)| Fault::NotHere(address.clone()));
    invalid.or_else(|| not_here().filter(|_| is_nowhere))
}

/// CLIProxyAPIPlus joins host and port as text: `::1` gives `address ::1:8317: too many colons`.
fn missing_brackets(view: &View<'_>) -> Option<Fault> {
    let config = &view.snapshot.configs.cliproxyapi;
    let entry = config.entry("host")?;
    let host = config.text("host")?;
    let is_bare = view.service.kind == ServiceKind::Cliproxyapi
        && host.contains(':')
        && !host.starts_with('[');
    is_bare.then(|| Fault::NoBrackets {
        line: entry.position.line,
        host: host.to_owned(),
    })
}

/// No name server is asked about a host; the program did, and said what came of it. Example: `listen
/// tcp: lookup 127.0.0.l: no such host`.
fn unresolved(view: &View<'_>) -> Option<Fault> {
    let host = view.snapshot.configs.cliproxyapi.text("host")?;
    let said = logs::deciding(view.service.kind, view.start_lines()?)?;
    let is_it = view.service.kind == ServiceKind::Cliproxyapi
        && !view.is_running()
        && said.contains(&format!("listen tcp: lookup {host}"));
    is_it.then(|| Fault::NoAddress {
        host: host.to_owned(),
        why: "the name was not resolved at its last start".into(),
    })
}

fn unknown(view: &View<'_>, states: &BTreeMap<String, BindState>) -> Option<UnknownDatum> {
    states.iter().find_map(|(address, state)| match state {
        BindState::Unknown { why } => Some(UnknownDatum {
            what: format!("whether {} can bind {address}", view.name),
            why: why.clone(),
            command: None,
            optional: !view.is_wanted(),
        }),
        _ => None,
    })
}

fn make(view: &View<'_>, port: u16, fault: &Fault) -> Finding {
    let name = view.name;
    let host_place = match fault {
        Fault::NotHere(host) | Fault::NoAddress { host, .. } => host_place(view, host),
        Fault::NotPermitted(_) | Fault::NoBrackets { .. } => places::place_of(view, "host"),
    };
    let port_place = places::place_of(view, "port");
    let (symptom, cause, brief) = match fault {
        Fault::NotHere(address) => (
            format!("{name} cannot bind {address}: it is no address of this machine"),
            format!("{host_place} names {address}"),
            format!("{address} is not on this machine"),
        ),
        Fault::NoAddress { host, why } => (
            format!("{name} cannot bind {host}: {why}"),
            format!("{host_place} names {host}"),
            format!("{host} is no address"),
        ),
        Fault::NotPermitted(address) => (
            format!(
                "{name} may not bind {}: user {} lacks the right",
                address_key(address, port),
                view.snapshot.host.user.name
            ),
            format!("{port_place} gives {port} to {name}, and low ports are reserved for root"),
            format!("port {port} is reserved"),
        ),
        Fault::NoBrackets { line, host } => (
            format!("{name} cannot bind {host}: an IPv6 host needs brackets in its config"),
            format!(
                "{}:{line} says host: \"{host}\"",
                view.snapshot.configs.cliproxyapi.path
            ),
            format!("{host} lacks its brackets"),
        ),
    };
    let mut finding = Finding::new(&CANNOT_BIND, Subject::Service(name.into()), symptom, cause)
        .brief(brief)
        .evidence(bind_row(view, port, fault));
    finding = match fault {
        Fault::NotPermitted(_) => finding
            .evidence(places::setting_row(view, "port", &port.to_string()))
            .fix(set_port(view, port)),
        _ => finding
            .evidence(host_row(view, fault))
            .fix(set_host(view, fault)),
    };
    finding
}

/// Where a host is written: the file of CLIProxyAPIPlus where it alone says so, else flowgate.yaml.
fn host_place(view: &View<'_>, host: &str) -> String {
    match own_host(view, host) {
        Some(place) => place,
        None => places::place_of(view, "host"),
    }
}

/// The line of the file of CLIProxyAPIPlus that names a host which flowgate.yaml does not.
fn own_host(view: &View<'_>, host: &str) -> Option<String> {
    let config = &view.snapshot.configs.cliproxyapi;
    let bare = |text: &str| text.trim_matches(['[', ']']).to_owned();
    let is_own = view.service.kind == ServiceKind::Cliproxyapi
        && config.text("host").map(bare) == Some(bare(host))
        && bare(&view.settings().host) != bare(host);
    is_own.then(|| config.place("host"))
}

fn bind_row(view: &View<'_>, port: u16, fault: &Fault) -> Evidence {
    let (observed, command) = match fault {
        Fault::NotHere(address) => (
            format!("{}: address not available", address_key(address, port)),
            "ip -brief address".to_owned(),
        ),
        Fault::NoAddress { host, why } => (
            format!("{host}: {why}"),
            format!("getent ahosts {}", quote(host)),
        ),
        Fault::NotPermitted(address) => (
            format!("{}: permission denied", address_key(address, port)),
            "sysctl net.ipv4.ip_unprivileged_port_start".to_owned(),
        ),
        Fault::NoBrackets { host, .. } => (
            format!("address {host}:{port}: too many colons in address"),
            format!(
                "grep -n '^host' {}",
                crate::shell::path(view.snapshot, &view.snapshot.configs.cliproxyapi.path)
            ),
        ),
    };
    Evidence::new("bind test", observed, "bind")
        .expected("an address that can be bound")
        .command(command)
}

fn host_row(view: &View<'_>, fault: &Fault) -> Evidence {
    let config = &view.snapshot.configs.cliproxyapi;
    match (fault, config.entry("host")) {
        (Fault::NoBrackets { host, .. }, Some(entry)) => {
            places::line_row(view.snapshot, config, entry, "host", &format!("\"{host}\""))
        }
        (Fault::NotHere(host) | Fault::NoAddress { host, .. }, Some(entry))
            if own_host(view, host).is_some() =>
        {
            places::line_row(view.snapshot, config, entry, "host", host)
        }
        _ => places::setting_row(view, "host", &view.settings().host),
    }
}

fn set_host(view: &View<'_>, fault: &Fault) -> Fix {
    let title = match fault {
        Fault::NoBrackets { line, host } => format!(
            "write \"[{host}]\" instead of \"{host}\" at {}:{line}",
            view.snapshot.configs.cliproxyapi.path
        ),
        Fault::NotHere(host) | Fault::NoAddress { host, .. } if own_host(view, host).is_some() => {
            format!(
                "write {} instead of {host} at {}",
                view.settings().host,
                host_place(view, host)
            )
        }
        _ => {
            let host = &view.settings().host;
            let places = places::host_places(view, host);
            let places: Vec<String> = places.iter().map(ToString::to_string).collect();
            match places.as_slice() {
                [] => format!(
                    "write 127.0.0.1 as host at {}",
                    places::place_of(view, "host")
                ),
                places => format!(
                    "write 127.0.0.1 instead of {host} at {}",
                    words::list(places)
                ),
            }
        }
    };
    let mut edits = Edits::new(view.snapshot);
    match fault {
        Fault::NoBrackets { host, .. } => {
            let config = &view.snapshot.configs.cliproxyapi;
            edits.set_text(config, "host", &format!("[{host}]"));
            edits.then(steps::come_up(*view));
        }
        Fault::NotHere(host) | Fault::NoAddress { host, .. } if own_host(view, host).is_some() => {
            let config = &view.snapshot.configs.cliproxyapi;
            edits.set_text(config, "host", &view.settings().host);
            edits.then(steps::come_up(*view));
        }
        _ => steps::port::set_host(&mut edits, view, "127.0.0.1"),
    }
    edits.fix("set-host", view.name, title, Vec::new())
}

/// The next free port may be reserved as well; then the usual one is the way out.
fn set_port(view: &View<'_>, port: u16) -> Fix {
    let report = view.snapshot.binds.get(view.name);
    let usual = match view.service.kind {
        ServiceKind::Litellm => 4000,
        ServiceKind::Cliproxyapi => 8317,
        ServiceKind::Other => 8000,
    };
    let free = report
        .and_then(|report| report.next_free_port)
        .filter(|&free| free >= 1024)
        .unwrap_or(usual);
    move_port::fix_as("set-port", view, port, free)
}
