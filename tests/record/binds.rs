//! What the bind tests would have said, from the listeners of the moment.

use std::collections::{BTreeMap, BTreeSet};

use flowgate::gateway::hosts::{self, Host};
use flowgate_checks::model::{BindReport, BindState, CallbackPort, Observed, Socket};
use flowgate_checks::routes;
use flowgate_checks::state::meets;

use crate::stage::Stage;

/// So many ports above the configured one are tried.
const TRIES: u16 = 50;

type Sockets = Observed<BTreeMap<String, Socket>>;

/// The bind tests of the services.
pub fn of_services(stage: &Stage<'_>, sockets: &Sockets) -> BTreeMap<String, BindReport> {
    let taken: BTreeSet<u16> = stage
        .services()
        .filter_map(|service| service.port)
        .collect();
    let mut reports = BTreeMap::new();
    for service in stage.services() {
        let Host::Addresses { addresses, .. } =
            hosts::interpret(service.kind, &service.host, "127.0.0.1 localhost\n")
        else {
            panic!("{} is no address", service.host);
        };
        let names: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let port = service.port.unwrap();
        let is_free = |port: u16| names.iter().all(|name| !is_held(name, port, sockets));
        let report = BindReport {
            addresses: states(&names, port, sockets),
            next_free_port: (port + 1..=port + TRIES)
                .find(|port| !taken.contains(port) && is_free(*port)),
        };
        reports.insert(service.name.clone(), report);
    }
    reports
}

/// The bind tests of the callback ports of the configured providers.
pub fn of_callbacks(stage: &Stage<'_>, sockets: &Sockets) -> BTreeMap<String, CallbackPort> {
    let loopbacks = ["127.0.0.1".to_owned(), "::1".to_owned()];
    let providers = stage.flowgate.providers.keys();
    providers
        .filter_map(|provider| {
            let port = routes::callback_port(provider)?;
            let addresses = states(&loopbacks, port, sockets);
            Some((provider.clone(), CallbackPort { port, addresses }))
        })
        .collect()
}

fn states(addresses: &[String], port: u16, sockets: &Sockets) -> BTreeMap<String, BindState> {
    let state = |address: &String| match is_held(address, port, sockets) {
        true => BindState::InUse,
        false => BindState::Free,
    };
    addresses
        .iter()
        .map(|address| (address.clone(), state(address)))
        .collect()
}

fn is_held(address: &str, port: u16, sockets: &Sockets) -> bool {
    let mut known = sockets.known().into_iter().flatten();
    known.any(|(_, socket)| socket.port == port && meets(address, &socket.address))
}
