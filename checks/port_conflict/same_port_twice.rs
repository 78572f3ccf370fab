//! Two services of flowgate.yaml are given one port.

use std::cmp::Reverse;

use super::{SAME_PORT_TWICE, listener_row, weigh};
use crate::model::{Evidence, Finding, Fix, Safety, Snapshot, Subject};
use crate::places::{self, Place};
use crate::state::{View, meets, services};
use crate::words;

/// One finding for each pair, on the service whose line stands later in the file.
pub fn find(snapshot: &Snapshot) -> Vec<Finding> {
    let views: Vec<View<'_>> = services(snapshot).collect();
    let mut findings: Vec<Finding> = Vec::new();
    for (index, one) in views.iter().enumerate() {
        for other in &views[index + 1..] {
            let Some(port) = shared_port(one, other) else {
                continue;
            };
            let (first, later) = if place_in_file(one) <= place_in_file(other) {
                (one, other)
            } else {
                (other, one)
            };
            let finding = make(first, later, port);
            if findings
                .iter()
                .all(|known| known.subject != finding.subject)
            {
                findings.push(finding);
            }
        }
    }
    findings
}

fn shared_port(one: &View<'_>, other: &View<'_>) -> Option<u16> {
    let port = one.settings().port?;
    let (left, right) = (&one.settings().host, &other.settings().host);
    let meet = meets(left, address(right)) || meets(right, address(left));
    (other.settings().port == Some(port) && meet).then_some(port)
}

/// The address that a bind to a host listens on.
fn address(host: &str) -> &str {
    match host.trim_start_matches('[').trim_end_matches(']') {
        "" => "::",
        "localhost" => "127.0.0.1",
        other => other,
    }
}

/// A default stands in no line, and gives way to what was written.
fn place_in_file(view: &View<'_>) -> (Reverse<bool>, u32, String) {
    let line = places::setting(view, "port").map(|entry| entry.position.line);
    (
        Reverse(line.is_some()),
        line.unwrap_or_default(),
        view.name.to_owned(),
    )
}

fn make(first: &View<'_>, later: &View<'_>, port: u16) -> Finding {
    let snapshot = later.snapshot;
    let (one, other) = (
        places::place_of(first, "port"),
        places::place_of(later, "port"),
    );
    let mut finding = Finding::new(
        &SAME_PORT_TWICE,
        Subject::Service(later.name.into()),
        format!(
            "{} and {} are both given port {port} ({one}, {other})",
            first.name, later.name
        ),
        "one port has one holder: the service that starts second cannot have it",
    )
    .brief(format!("port given to {} too", first.name))
    .evidence(places::setting_row(first, "port", &port.to_string()))
    .evidence(places::setting_row(later, "port", &port.to_string()))
    .evidence(
        Evidence::new("listener", listening(later, first, port), "/proc/net/tcp")
            .command(listener_row::look(snapshot, port)),
    );
    finding = finding.fix(set_port(later, port));
    weigh_pair(finding, first, later)
}

fn listening(later: &View<'_>, first: &View<'_>, port: u16) -> String {
    let owner = [first, later].into_iter().find(|view| view.owns_port());
    match owner {
        Some(view) => format!("{} listens on {port}", view.name),
        None => format!("neither of the two listens on {port}"),
    }
}

/// The pair matters as soon as one of the two is wanted.
fn weigh_pair(finding: Finding, first: &View<'_>, later: &View<'_>) -> Finding {
    let judge = if first.is_wanted() { first } else { later };
    weigh(finding, judge)
}

/// Only what the service itself is given: a URL with this port may mean the other one.
fn set_port(view: &View<'_>, port: u16) -> Fix {
    let places: Vec<String> = places::own_port_places(view, port)
        .iter()
        .map(Place::to_string)
        .collect();
    let places = match places.as_slice() {
        [] => places::place_of(view, "port"),
        places => words::list(places),
    };
    let free = view.snapshot.binds.get(view.name);
    let title = match free.and_then(|report| report.next_free_port) {
        Some(free) => format!("write {free} instead of {port} at {places}"),
        None => format!("write another port instead of {port} at {places}"),
    };
    Fix::new("set-port", Safety::Unsafe, title, Vec::new())
}
