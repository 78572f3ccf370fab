//! Two services of flowgate.yaml are given one port.

use std::cmp::Reverse;

use super::{SAME_PORT_TWICE, listener_row, weigh};
use crate::model::{Evidence, Finding, Fix, Snapshot, Subject};
use crate::places::{self, Place};
use crate::state::{View, meets, services};
use crate::steps::{self, Edits};
use crate::words;

/// One finding for each pair, on the service that does not get the port.
pub fn find(snapshot: &Snapshot) -> Vec<Finding> {
    let views: Vec<View<'_>> = services(snapshot).collect();
    let mut findings: Vec<Finding> = Vec::new();
    for (index, one) in views.iter().enumerate() {
        for other in &views[index + 1..] {
            let Some(port) = shared_port(one, other) else {
                continue;
            };
            let (keeps, gives_way) = if is_ahead(one, other) {
                (one, other)
            } else {
                (other, one)
            };
            let finding = make(keeps, gives_way, port);
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

/// Whether the first keeps the port: it has it now, or stands earlier in the file.
fn is_ahead(one: &View<'_>, other: &View<'_>) -> bool {
    match (one.owns_port(), other.owns_port()) {
        (true, false) => true,
        (false, true) => false,
        _ => place_in_file(one) <= place_in_file(other),
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

fn make(keeps: &View<'_>, loser: &View<'_>, port: u16) -> Finding {
    let snapshot = loser.snapshot;
    let (one, other) = (
        places::place_of(keeps, "port"),
        places::place_of(loser, "port"),
    );
    let mut finding = Finding::new(
        &SAME_PORT_TWICE,
        Subject::Service(loser.name.into()),
        format!(
            "{} and {} are both given port {port} ({one}, {other})",
            keeps.name, loser.name
        ),
        "one port has one holder: the service that starts second cannot have it",
    )
    .brief(format!("port given to {} too", keeps.name))
    .evidence(places::setting_row(keeps, "port", &port.to_string()))
    .evidence(places::setting_row(loser, "port", &port.to_string()))
    .evidence(
        Evidence::new("listener", listening(loser, keeps, port), "/proc/net/tcp")
            .command(listener_row::look(snapshot, port)),
    );
    finding = finding.fix(set_port(loser, port));
    weigh_pair(finding, keeps, loser)
}

fn listening(loser: &View<'_>, keeps: &View<'_>, port: u16) -> String {
    let owner = [keeps, loser].into_iter().find(|view| view.owns_port());
    match owner {
        Some(view) => format!("{} listens on {port}", view.name),
        None => format!("neither of the two listens on {port}"),
    }
}

/// The pair matters as soon as one of the two is wanted.
fn weigh_pair(finding: Finding, keeps: &View<'_>, loser: &View<'_>) -> Finding {
    let judge = if keeps.is_wanted() { keeps } else { loser };
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
    let report = view.snapshot.binds.get(view.name);
    let Some(free) = report.and_then(|report| report.next_free_port) else {
        let title = format!("write another port instead of {port} at {places}");
        return Fix::manual("set-port", title, Vec::new());
    };
    let mut edits = Edits::new(view.snapshot);
    steps::port::set_own(&mut edits, view, port, free);
    edits.then(steps::come_up(*view));
    let title = format!("write {free} instead of {port} at {places}");
    edits.fix("set-port", view.name, title, Vec::new())
}
