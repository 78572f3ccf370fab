//! Another program holds the same port on the other address family: who says `localhost` may get it.

use super::{SPLIT_STACK, stop_holder};
use crate::by_hand;
use crate::holder::{Claim, Holder, may_be_own};
use crate::model::{
    ConfigFile, EntryValue, Evidence, Finding, Fix, Impact, Literal, Relation, ServiceKind,
    Severity, Socket, Subject, Value,
};
use crate::state::{View, address_key, all_sockets, owners, service_of};
use crate::steps::{self, Edits};
use crate::upstream::Address;
use crate::words;

/// A URL of the user's files that says `localhost` and the port of the service.
struct Url<'a> {
    config: &'a ConfigFile,
    path: &'a str,
    text: &'a str,
}

/// The finding for a service that serves one family while a stranger serves the other.
pub fn find(view: &View<'_>) -> Option<Finding> {
    let port = view.settings().port.filter(|_| view.owns_port())?;
    let own = view.own_sockets();
    let is_own = |socket: &Socket| own.iter().any(|one| std::ptr::eq(*one, socket));
    // `localhost` is both loopback addresses; which of them ours answers depends on its binds.
    let ours = |host: &str| {
        own.iter()
            .any(|socket| socket.port == port && serves(socket, host))
    };
    let free_family = match (ours("127.0.0.1"), ours("::1")) {
        (true, false) => "::1",
        (false, true) => "127.0.0.1",
        _ => return None,
    };
    let strangers: Vec<&Socket> = all_sockets(view.snapshot)
        .filter(|socket| socket.port == port && !is_own(socket) && serves(socket, free_family))
        .filter(|socket| !is_transparent(view, socket))
        .collect();
    if strangers.is_empty() {
        return None;
    }
    let holder = holder_of(view, strangers);
    let urls = localhost_urls(view, port);
    let other = address_key(free_family, port);
    let mut finding = Finding::new(
        &SPLIT_STACK,
        Subject::Service(view.name.into()),
        format!(
            "{other} is held by {}, while {} serves {}",
            holder.describe(),
            view.name,
            own.iter()
                .find(|socket| socket.port == port)
                .map_or_else(String::new, |socket| address_key(&socket.address, port)),
        ),
        match urls.as_slice() {
            [] => "who asks localhost may reach either of them".to_owned(),
            [first, ..] => format!(
                "{} says localhost, which may be either of them",
                first.config.place(first.path)
            ),
        },
    )
    .brief(format!("{} holds {other}", holder.short()));
    for socket in &holder.sockets {
        finding = finding.evidence(
            Evidence::new(
                "listener",
                format!(
                    "{} {}",
                    address_key(&socket.address, socket.port),
                    holder.describe()
                ),
                "socket table",
            )
            .command(format!("ss -ltnp 'sport = :{port}'")),
        );
    }
    for url in urls.iter().take(3) {
        finding = finding.evidence(
            Evidence::new("config", url.text, url.config.place(url.path))
                .expected("127.0.0.1 or [::1] instead of localhost")
                .command(by_hand::show_entry(view.snapshot, url.config, url.path)),
        );
    }
    if urls.is_empty() {
        finding = finding.at(Severity::Info);
    } else {
        finding.impact = Impact::Risk;
        finding = finding.fix(set_host(view, &urls, free_family));
    }
    Some(finding.fix(stop_holder::fix(view, &holder, port)))
}

/// Whether a listener answers at a loopback address. An IPv6 wildcard counts for its own family
/// alone: where it takes IPv4 too, ours could not have bound the port.
fn serves(socket: &Socket, host: &str) -> bool {
    match host {
        "::1" => matches!(socket.address.as_str(), "::1" | "::"),
        _ => matches!(socket.address.as_str(), "127.0.0.1" | "0.0.0.0"),
    }
}

/// What only passes connections on, belongs to a run of ours, or may.
fn is_transparent(view: &View<'_>, socket: &Socket) -> bool {
    may_be_own(view, socket)
        || owners(view.snapshot, socket)
            .iter()
            .any(|process| process.serves().is_some() || process.relation == Relation::Forwarder)
}

fn holder_of<'a>(view: &View<'a>, sockets: Vec<&'a Socket>) -> Holder<'a> {
    let mut holder = Holder {
        claim: Claim::Foreign,
        sockets,
        processes: Vec::new(),
        bare_pids: Vec::new(),
        hidden_uid: None,
    };
    holder.name_owners(view);
    holder
}

/// Every URL of flowgate.yaml and of LiteLLM's config that names `localhost` with a port.
fn localhost_urls<'a>(view: &View<'a>, port: u16) -> Vec<Url<'a>> {
    let configs = &view.snapshot.configs;
    [&configs.flowgate, &configs.litellm]
        .into_iter()
        .flat_map(|config| {
            config.entries.iter().filter_map(move |(path, entry)| {
                let EntryValue::Text(text) = &entry.value else {
                    return None;
                };
                let address = Address::of_url(text)?;
                (address.host == "localhost" && address.port == port).then_some(Url {
                    config,
                    path,
                    text,
                })
            })
        })
        .collect()
}

/// In each URL the address that ours serves. Those of LiteLLM's config are written where it is rendered
/// from.
fn set_host(view: &View<'_>, urls: &[Url<'_>], free_family: &str) -> Fix {
    let snapshot = view.snapshot;
    let ours = if free_family == "::1" {
        "127.0.0.1"
    } else {
        "[::1]"
    };
    let places: Vec<String> = urls.iter().map(|url| url.config.place(url.path)).collect();
    let title = format!(
        "write {ours} instead of localhost at {}",
        words::list(&places)
    );
    let mut edits = Edits::new(snapshot);
    let is_litellms = |url: &Url<'_>| url.config.path == snapshot.configs.litellm.path;
    for url in urls {
        let to = url.text.replacen("localhost", ours, 1);
        if is_litellms(url) {
            let literal = Value::Literal(Literal::Text(to));
            steps::litellm::set(&mut edits, snapshot, url.path, literal, |_| false);
        } else {
            edits.set_text(url.config, url.path, &to);
        }
    }
    let litellm = service_of(snapshot, ServiceKind::Litellm);
    if let Some(litellm) = litellm.filter(|_| urls.iter().any(is_litellms)) {
        steps::litellm::take_up(&mut edits, litellm);
    }
    edits.fix("set-host", view.name, title, Vec::new())
}
