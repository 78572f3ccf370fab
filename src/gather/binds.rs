//! Whether a service could bind its port now: the last word on "free".

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use flowgate_checks::model::{BindReport, BindState, ServiceKind};
use rustix::io::Errno;

use crate::gateway::hosts::{self, Host};
use crate::sys::bind;

/// So many ports above the configured one are tried.
const TRIES: u16 = 50;

/// Tests every address that a service of this kind will bind for its host, and looks for the next
/// port that all of them can bind; ports in `taken` belong to the other services.
///
/// A test binds with `SO_REUSEADDR` and closes at once, without listening: nobody can connect to it,
/// a service that starts in this moment is not kept from its port, and a port in TIME_WAIT is free,
/// as it is for both programs.
pub fn test(kind: ServiceKind, host: &str, port: u16, taken: &BTreeSet<u16>) -> BindReport {
    let (addresses, any_family) = match hosts::addresses(kind, host) {
        Host::Addresses {
            addresses,
            any_family,
        } => (addresses, any_family),
        Host::Invalid(why) => return single(host, BindState::Invalid { why }),
        Host::Unresolved => {
            let why = format!("only a name server knows {host}, and none is asked");
            return single(host, BindState::Unknown { why });
        }
    };
    let mut report = BindReport {
        addresses: try_all(&addresses, port, any_family),
        next_free_port: None,
    };
    let is_bindable = report
        .addresses
        .values()
        .all(|state| matches!(state, BindState::Free | BindState::InUse));
    if is_bindable {
        report.next_free_port = next_free_port(&addresses, port, any_family, taken);
    }
    report
}

/// Tests the two loopback addresses at which a browser looks for a callback port.
pub fn test_loopbacks(port: u16) -> BTreeMap<String, BindState> {
    let loopbacks = [
        IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
    ];
    try_all(&loopbacks, port, true)
}

fn single(host: &str, state: BindState) -> BindReport {
    BindReport {
        addresses: BTreeMap::from([(host.to_owned(), state)]),
        next_free_port: None,
    }
}

fn next_free_port(
    addresses: &[IpAddr],
    port: u16,
    any_family: bool,
    taken: &BTreeSet<u16>,
) -> Option<u16> {
    (1..=TRIES)
        .filter_map(|step| port.checked_add(step))
        .filter(|candidate| !taken.contains(candidate))
        .find(|candidate| {
            try_all(addresses, *candidate, any_family)
                .values()
                .all(|state| *state == BindState::Free)
        })
}

fn try_all(addresses: &[IpAddr], port: u16, any_family: bool) -> BTreeMap<String, BindState> {
    let mut states: BTreeMap<String, BindState> = addresses
        .iter()
        .map(|address| {
            (
                address.to_string(),
                try_bind(SocketAddr::new(*address, port)),
            )
        })
        .collect();
    // A machine without IPv6 is no fault where the program takes what is there.
    if any_family
        && states
            .values()
            .any(|state| *state != BindState::NotAvailable)
    {
        states.retain(|_, state| *state != BindState::NotAvailable);
    }
    states
}

fn try_bind(address: SocketAddr) -> BindState {
    match bind::bind_and_close(address) {
        Ok(()) => BindState::Free,
        Err(Errno::ADDRINUSE) => BindState::InUse,
        Err(Errno::ADDRNOTAVAIL | Errno::AFNOSUPPORT) => BindState::NotAvailable,
        Err(Errno::ACCESS | Errno::PERM) => BindState::NotPermitted,
        Err(error) => BindState::Unknown {
            why: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn state(report: &BindReport, address: &str) -> BindState {
        report.addresses[address].clone()
    }

    fn litellm(host: &str, port: u16) -> BindReport {
        test(ServiceKind::Litellm, host, port, &BTreeSet::new())
    }

    #[test]
    fn a_held_port_is_in_use_and_the_next_free_one_is_named() {
        let held = TcpListener::bind("127.71.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        let report = litellm("127.71.0.1", port);
        assert_eq!(state(&report, "127.71.0.1"), BindState::InUse);
        if let Some(next) = report.next_free_port {
            assert!(next > port && next <= port + TRIES);
        }
    }

    #[test]
    fn a_port_that_was_let_go_is_free() {
        let held = TcpListener::bind("127.71.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        drop(held);
        assert_eq!(
            state(&litellm("127.71.0.1", port), "127.71.0.1"),
            BindState::Free
        );
    }

    #[test]
    fn a_port_in_time_wait_is_free() {
        let held = TcpListener::bind("127.71.0.1:0").unwrap();
        let address = held.local_addr().unwrap();
        let mut client = TcpStream::connect(address).unwrap();
        let (server, _) = held.accept().unwrap();
        // Whoever closes first keeps the connection in TIME_WAIT, at the port of the listener.
        drop(server);
        let _ = client.read(&mut [0; 1]).unwrap();
        drop(client);
        drop(held);
        let waits = crate::platform::table_sockets()
            .sockets
            .iter()
            .any(|socket| socket.port == address.port());
        assert!(
            waits,
            "nothing is in TIME_WAIT, so this would prove nothing"
        );
        assert_eq!(
            state(&litellm("127.71.0.1", address.port()), "127.71.0.1"),
            BindState::Free
        );
    }

    #[test]
    fn a_wildcard_bind_fails_on_a_holder_of_one_address() {
        let held = TcpListener::bind("127.71.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        assert_eq!(
            state(&litellm("0.0.0.0", port), "0.0.0.0"),
            BindState::InUse
        );
        let report = test(ServiceKind::Cliproxyapi, "", port, &BTreeSet::new());
        assert_eq!(state(&report, "0.0.0.0"), BindState::InUse);
    }

    #[test]
    fn a_test_keeps_nobody_from_the_port() {
        let probe = TcpListener::bind("127.71.0.1:0").unwrap();
        let address = probe.local_addr().unwrap();
        drop(probe);
        assert_eq!(bind::bind_and_close(address), Ok(()));
        TcpListener::bind(address).unwrap();
    }

    #[test]
    fn an_address_of_another_machine_is_not_available() {
        let report = litellm("192.0.2.1", 4000);
        assert_eq!(state(&report, "192.0.2.1"), BindState::NotAvailable);
        assert_eq!(report.next_free_port, None);
        let report = litellm("127.0.0.256", 4000);
        assert!(matches!(
            state(&report, "127.0.0.256"),
            BindState::Invalid { .. }
        ));
    }

    #[test]
    fn ports_of_the_other_services_are_not_proposed() {
        let held = TcpListener::bind("127.71.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        let taken: BTreeSet<u16> = (1..10).filter_map(|step| port.checked_add(step)).collect();
        let report = test(ServiceKind::Litellm, "127.71.0.1", port, &taken);
        if let Some(next) = report.next_free_port {
            assert!(!taken.contains(&next));
        }
        assert_eq!(
            next_free_port(&["127.0.0.1".parse().unwrap()], u16::MAX, false, &taken),
            None
        );
    }
}
