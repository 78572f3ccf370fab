//! Our service runs on another port than the configured one.

use super::{DRIFTED_PORT, weigh};
use crate::by_hand;
use crate::logs;
use crate::model::{Evidence, Finding, Fix, Identity, Owner, Socket, Subject};
use crate::places;
use crate::state::{View, address_key, asked_host};
use crate::steps;

/// Ports on which a login is called back; listening there is no drift.
const CALLBACK_PORTS: [u16; 5] = [1455, 8085, 11451, 51121, 54545];

/// The finding for a service whose own process listens, and not where it should.
pub fn find(view: &View<'_>) -> Option<Finding> {
    let port = view.settings().port?;
    if view.owns_port() {
        return None;
    }
    let own: Vec<&Socket> = view
        .own_sockets()
        .into_iter()
        .filter(|socket| !CALLBACK_PORTS.contains(&socket.port))
        .collect();
    let announced = announced(view);
    let proven = own.iter().copied().find(|socket| {
        answers_right(view, socket) || announced.as_ref().is_some_and(|(_, at)| *at == socket.port)
    });
    let socket = proven.or_else(|| own.first().copied())?;
    let pid = match &socket.owner {
        Owner::Known { pids } => {
            let main = view.main_process().map(|process| process.pid);
            main.filter(|pid| pids.contains(pid))
                .or_else(|| pids.iter().min().copied())
                .unwrap_or_default()
        }
        Owner::Hidden { .. } => return None,
    };
    let mut finding = Finding::new(
        &DRIFTED_PORT,
        Subject::Service(view.name.into()),
        format!(
            "{} (pid {pid}) listens on {}, not on {port}",
            view.name, socket.port
        ),
        cause(view, port),
    )
    .brief(format!("listens on {} instead", socket.port))
    .evidence(
        Evidence::new(
            "listener",
            format!("{}  pid {pid}", address_key(&socket.address, socket.port)),
            "/proc/net/tcp",
        )
        .expected(format!("port {port}"))
        .command(format!("ss -ltnp 'sport = :{}'", socket.port)),
    )
    .evidence(places::setting_row(view, "port", &port.to_string()));
    if let Some((line, _)) = announced {
        let log = view.service.log.known().map_or("", |log| log.path.as_str());
        finding = finding.evidence(Evidence::new("log", line, log).command(format!(
            "grep 'running on' {}",
            crate::shell::path(view.snapshot, log)
        )));
    }
    if proven.is_none() {
        finding = finding.likely();
    }
    finding = finding.fix(restart(view, port));
    Some(weigh(finding, view))
}

fn cause(view: &View<'_>, port: u16) -> String {
    if view.rivals().is_empty() {
        format!(
            "{port} was taken, or another port was configured, when {} started; {port} is free now",
            view.name
        )
    } else {
        format!(
            "{port} was taken when {} started, and it moved without a word",
            view.name
        )
    }
}

/// The log line in which LiteLLM says where it listens.
fn announced(view: &View<'_>) -> Option<(String, u16)> {
    let log = view.service.log.known()?;
    log.lines
        .iter()
        .rev()
        .find_map(|line| Some((line.clone(), logs::announced_port(line)?)))
}

fn answers_right(view: &View<'_>, socket: &Socket) -> bool {
    let key = address_key(asked_host(&socket.address), socket.port);
    let targets = view.snapshot.probes.get(view.name);
    targets
        .and_then(|targets| targets.get(&key))
        .is_some_and(|probes| {
            matches!(probes.identity(), Identity::Litellm | Identity::Cliproxyapi)
        })
}

/// A restart takes the configured port once it is free; until then it is no remedy yet, and the finding
/// is an effect of whoever holds the port.
fn restart(view: &View<'_>, port: u16) -> Fix {
    let title = format!(
        "once {port} is free, stop {0} and start {0} again",
        view.name
    );
    steps::restart_by_rule(*view, title, by_hand::restart(*view))
}
