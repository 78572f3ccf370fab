//! Places that name different ports of one service.

use super::PORT_MISMATCH;
use crate::by_hand;
use crate::model::{
    ConfigFile, EntryValue, Evidence, Finding, Fix, Literal, ServiceKind, Snapshot, Subject, Value,
    Verdict,
};
use crate::places;
use crate::state::{View, services};
use crate::steps::{self, Edits};
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
    /// What is to stand there.
    then: Then<'a>,
    /// Whether the service itself takes its port from there.
    moves: bool,
}

/// What is to stand at a place that says another port.
enum Then<'a> {
    /// The port as `--port`.
    Argument,
    /// The port as `port` of the own file.
    OwnFile,
    /// This URL with the port.
    Url(&'a str),
    /// What no edit of a value or a line makes.
    ByHand,
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
    let whole = places::setting_path(&view, "command.args");
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
            then: Then::ByHand,
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
        then: Then::Argument,
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
        then: Then::OwnFile,
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
                then: Then::Url(url.as_deref().unwrap_or_default()),
                moves: false,
            });
        }
    }
    found
}

fn finding(view: View<'_>, port: u16, others: &[Other<'_>]) -> Finding {
    let flowgate = &view.snapshot.configs.flowgate;
    let setting = places::setting_path(&view, "port");
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
    finding.fix(fix(view, port, others))
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

fn fix(view: View<'_>, port: u16, others: &[Other<'_>]) -> Fix {
    let texts: Vec<String> = others
        .iter()
        .map(|other| format!("{} at {}", other.write, other.place))
        .collect();
    let text = words::list(&texts);
    let mut edits = Edits::new(view.snapshot);
    for other in others {
        let (config, entry) = &other.shown;
        match other.then {
            Then::Argument => {
                let is_other = |value: &str| value.parse() != Ok(port);
                steps::port::set_argument(
                    &mut edits,
                    &view,
                    &["--port"],
                    &port.to_string(),
                    is_other,
                );
            }
            Then::OwnFile => {
                let number = Value::Literal(Literal::Int(i64::from(port)));
                edits.set_or_insert(config, "", "port", number);
            }
            Then::Url(url) => steps::port::set_url(&mut edits, config, entry, url, port),
            Then::ByHand => edits.give_up(),
        }
    }
    if others.iter().any(|other| other.moves) {
        edits.then(steps::come_up(view));
        let title = format!("write {text}, then restart {}", view.name);
        return edits.fix("set-port", view.name, title, by_hand::restart(view));
    }
    edits.fix("set-port", view.name, format!("write {text}"), Vec::new())
}
