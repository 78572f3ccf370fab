//! Places that name different ports of one service.

use super::PORT_MISMATCH;
use crate::by_hand;
use crate::model::{
    ConfigFile, EntryValue, Evidence, Finding, Fix, Safety, ServiceKind, Snapshot, Subject, Verdict,
};
use crate::state::{View, services};
use crate::upstream::Address;
use crate::words;

/// The port that LiteLLM takes when nobody gives it one.
const LITELLM_DEFAULT: u16 = 4000;

/// A place that gives a service another port than `services.X.port`.
struct Other<'a> {
    /// What it says, in words: `port: 8318`, `no port`.
    says: String,
    /// `file:line`.
    place: String,
    /// The text to write there; none where the line must be added.
    write: String,
    /// Config and entry, for the command that shows it.
    shown: (&'a ConfigFile, String),
    /// Whether the service itself takes its port from there.
    moves: bool,
}

/// Finds services whose ports differ.
pub fn look(snapshot: &Snapshot, verdict: &mut Verdict) {
    for view in services(snapshot) {
        let Some(port) = view.settings().port else {
            continue;
        };
        let mut others = Vec::new();
        match view.service.kind {
            ServiceKind::Litellm => others.extend(argument(view, port)),
            ServiceKind::Cliproxyapi => {
                others.extend(own_file(view, port));
                others.extend(auth_urls(snapshot, port));
            }
            ServiceKind::Other => {}
        }
        if !others.is_empty() {
            verdict.push(finding(view, port, &others));
        }
    }
}

/// The path of an entry of a service, under its present or its older name.
fn entry(view: View<'_>, key: &str) -> String {
    let path = format!("services.{}.{key}", view.name);
    let legacy = format!("services.cliproxyapi.{key}");
    let config = &view.snapshot.configs.flowgate;
    let is_legacy = view.service.kind == ServiceKind::Cliproxyapi
        && config.entry(&path).is_none()
        && config.entry(&legacy).is_some();
    if is_legacy { legacy } else { path }
}

/// `--port` of the arguments, or its absence where the running process shows what follows from it.
fn argument(view: View<'_>, port: u16) -> Option<Other<'_>> {
    let config = &view.snapshot.configs.flowgate;
    let args = &view.settings().args;
    let found = args.iter().enumerate().find_map(|(index, arg)| {
        if let Some(value) = arg.strip_prefix("--port=") {
            return Some((index, value));
        }
        let value = args.get(index + 1)?;
        (arg == "--port").then_some((index + 1, value.as_str()))
    });
    let whole = entry(view, "command.args");
    let Some((index, value)) = found else {
        let takes_its_own = port != LITELLM_DEFAULT
            && !view.owns_port()
            && view
                .own_sockets()
                .iter()
                .any(|socket| socket.port == LITELLM_DEFAULT);
        return takes_its_own.then(|| Other {
            says: format!("no --port, so it takes {LITELLM_DEFAULT}"),
            place: config.place(&whole),
            write: format!("--port, \"{port}\" at the end of {whole}"),
            shown: (config, whole),
            moves: true,
        });
    };
    if value.parse() == Ok(port) || value.parse::<u16>().is_err() {
        return None;
    }
    let item = format!("{whole}[{index}]");
    let shown = if config.entry(&item).is_some() {
        item
    } else {
        whole
    };
    Some(Other {
        says: format!("--port {value}"),
        place: config.place(&shown),
        write: format!("--port \"{port}\""),
        shown: (config, shown),
        moves: true,
    })
}

/// `port` of cliproxyapi.yaml. Without one, or with 0, the program takes any free port.
fn own_file(view: View<'_>, port: u16) -> Option<Other<'_>> {
    let config = &view.snapshot.configs.cliproxyapi;
    // What listens where flowgate.yaml says was started before its file was changed, or by another.
    let serves_there = view.owns_port() || view.is_identified() && !view.is_running();
    if !config.is_loaded() || serves_there {
        return None;
    }
    let says = match config.entry("port").map(|entry| &entry.value) {
        None | Some(EntryValue::Null) => "no port, so it takes any free one".to_owned(),
        Some(EntryValue::Int(0)) => "port: 0, so it takes any free one".into(),
        Some(EntryValue::Int(number)) if *number != i64::from(port) => format!("port: {number}"),
        _ => return None,
    };
    Some(Other {
        says,
        place: config.place("port"),
        write: format!("port: {port}"),
        shown: (config, "port".into()),
        moves: true,
    })
}

/// Login endpoints of this machine at another port.
fn auth_urls(snapshot: &Snapshot, port: u16) -> Vec<Other<'_>> {
    let config = &snapshot.configs.flowgate;
    let mut found = Vec::new();
    for provider in snapshot.credentials.providers.values() {
        for (key, url) in [
            ("auth_url_endpoint", &provider.auth_url_endpoint),
            ("status_endpoint", &provider.status_endpoint),
        ] {
            let Some(address) = url.as_deref().and_then(Address::of_url) else {
                continue;
            };
            if !address.is_local() || address.port == port {
                continue;
            }
            let entry = format!("{}.{key}", provider.entry);
            found.push(Other {
                says: format!("{key} leads to port {}", address.port),
                place: config.place(&entry),
                write: format!("port {port} in {key}"),
                shown: (config, entry),
                moves: false,
            });
        }
    }
    found
}

fn finding(view: View<'_>, port: u16, others: &[Other<'_>]) -> Finding {
    let flowgate = &view.snapshot.configs.flowgate;
    let setting = entry(view, "port");
    let first = &others[0];
    let mut finding = Finding::new(
        &PORT_MISMATCH,
        Subject::Service(view.name.into()),
        format!(
            "{} is to be at {port} ({}), and {} says {}",
            view.name,
            flowgate.place(&setting),
            first.place,
            first.says
        ),
        cause(view, port, others),
    )
    .brief("ports differ")
    .evidence(
        Evidence::new("config", format!("port: {port}"), flowgate.place(&setting))
            .command(by_hand::show_entry(view.snapshot, flowgate, &setting)),
    );
    for other in others {
        let (config, path) = &other.shown;
        finding = finding.evidence(
            Evidence::new("config", &other.says, &other.place)
                .expected(format!("{port}"))
                .command(by_hand::show_entry(view.snapshot, config, path)),
        );
    }
    if !view.owns_port() {
        for socket in view.own_sockets().into_iter().take(3) {
            let address = crate::state::address_key(&socket.address, socket.port);
            finding = finding.evidence(
                Evidence::new(
                    "listener",
                    format!("{} listens at {address}", view.name),
                    "socket table",
                )
                .command(format!("ss -ltnp 'sport = :{}'", socket.port)),
            );
        }
    }
    finding.fix(fix(view, others))
}

fn cause(view: View<'_>, port: u16, others: &[Other<'_>]) -> String {
    let elsewhere = view
        .own_sockets()
        .into_iter()
        .find(|socket| socket.port != port)
        .filter(|_| !view.owns_port());
    match elsewhere {
        Some(socket) => format!(
            "pid {} listens at {}, where nobody asks for it",
            view.main_process().map_or(0, |process| process.pid),
            crate::state::address_key(&socket.address, socket.port)
        ),
        None if others.iter().any(|other| other.moves) => {
            format!("at its next start it listens elsewhere than at {port}")
        }
        None => "a login asks at a port where the service is not".into(),
    }
}

fn fix(view: View<'_>, others: &[Other<'_>]) -> Fix {
    let texts: Vec<String> = others
        .iter()
        .map(|other| format!("{} at {}", other.write, other.place))
        .collect();
    let text = words::list(&texts);
    if others.iter().any(|other| other.moves) {
        let title = format!("write {text}, then restart {}", view.name);
        return Fix::new("set-port", Safety::Unsafe, title, by_hand::restart(view));
    }
    Fix::new(
        "set-port",
        Safety::Unsafe,
        format!("write {text}"),
        Vec::new(),
    )
}
