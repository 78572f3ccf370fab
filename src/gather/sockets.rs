//! Every TCP listener, from two witnesses, and who holds it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use flowgate_checks::model::{Clients, Observed, Owner, Socket, Unknown};

use crate::platform::{self, TcpSocket, TcpState, Witness};

/// Every TCP listener of this machine (of this network namespace), with who is connected to it.
///
/// Blocking, and without a deadline of its own.
pub fn listeners() -> Observed<BTreeMap<String, Socket>> {
    let mut witnesses = [platform::kernel_sockets(), platform::table_sockets()];
    let sockets = all(&witnesses);
    let ports = listening_ports(&sockets);
    let is_asked = |socket: &&&TcpSocket| {
        let remote_port = socket.remote.map(|(_, port)| port);
        socket.state == TcpState::Listen || remote_port.is_some_and(|port| ports.contains(&port))
    };
    let inodes = sockets
        .iter()
        .filter(is_asked)
        .map(|socket| socket.inode)
        .collect();
    let owners = platform::socket_owners(&inodes);
    // A connection that ended while its owner was looked for, such as a probe of our own, is no client.
    let later = platform::table_sockets();
    if later.fault.is_none() {
        let stands: HashSet<_> = later.sockets.iter().map(ends).collect();
        for witness in &mut witnesses {
            witness
                .sockets
                .retain(|socket| socket.remote.is_none() || stands.contains(&ends(socket)));
        }
    }
    merge(&witnesses, &owners)
}

/// Both ends of a socket.
fn ends(socket: &TcpSocket) -> (IpAddr, u16, Option<(IpAddr, u16)>) {
    (socket.address, socket.port, socket.remote)
}

fn all(witnesses: &[Witness]) -> HashSet<&TcpSocket> {
    witnesses
        .iter()
        .flat_map(|witness| &witness.sockets)
        .collect()
}

fn listening_ports(sockets: &HashSet<&TcpSocket>) -> HashSet<u16> {
    sockets
        .iter()
        .filter(|socket| socket.state == TcpState::Listen)
        .map(|socket| socket.port)
        .collect()
}

/// Puts the witnesses together by address, port and inode: a socket that either names is there.
///
/// When every witness may have left something out, the listeners are unknown: a list with holes
/// would call a port free.
pub fn merge(
    witnesses: &[Witness],
    owners: &HashMap<u64, BTreeSet<u32>>,
) -> Observed<BTreeMap<String, Socket>> {
    let faults: Vec<&str> = witnesses
        .iter()
        .filter_map(|witness| witness.fault.as_deref())
        .collect();
    if !witnesses.is_empty() && faults.len() == witnesses.len() {
        return Observed::Unknown(Unknown {
            why: faults.join("; "),
            command: Some("ss -ltnp".into()),
        });
    }
    let sockets = all(witnesses);
    let listening: Vec<&TcpSocket> = sockets
        .iter()
        .copied()
        .filter(|socket| socket.state == TcpState::Listen)
        .collect();
    let mut listeners = group(&listening, owners);
    count_clients(&mut listeners, &sockets, owners);
    Observed::Known(listeners)
}

/// Tells each listener who is connected to it. A connection on this machine is two sockets, each the
/// other's mirror image; the doctor's own are no client.
fn count_clients(
    listeners: &mut BTreeMap<String, Socket>,
    sockets: &HashSet<&TcpSocket>,
    owners: &HashMap<u64, BTreeSet<u32>>,
) {
    let by_ends: HashMap<_, u64> = sockets
        .iter()
        .filter_map(|socket| Some(((socket.address, socket.port, socket.remote?), socket.inode)))
        .collect();
    let mut served: BTreeMap<u16, Vec<&TcpSocket>> = BTreeMap::new();
    for socket in sockets.iter().filter(|socket| socket.remote.is_some()) {
        served.entry(socket.port).or_default().push(socket);
    }
    for listener in listeners.values_mut() {
        let mut clients = Clients::default();
        let mut pids = BTreeSet::new();
        let is_wildcard = matches!(listener.address.as_str(), "0.0.0.0" | "::");
        for socket in served.get(&listener.port).into_iter().flatten() {
            if !is_wildcard && socket.address.to_string() != listener.address {
                continue;
            }
            let other_end = socket.remote.and_then(|(address, port)| {
                by_ends.get(&(address, port, (socket.address, socket.port)))
            });
            match other_end.and_then(|inode| owners.get(inode)) {
                Some(of_client) => pids.extend(of_client),
                None => clients.unseen += 1,
            }
        }
        pids.remove(&std::process::id());
        clients.pids = pids.into_iter().collect();
        listener.clients = Some(clients);
    }
}

fn group(
    listening: &[&TcpSocket],
    owners: &HashMap<u64, BTreeSet<u32>>,
) -> BTreeMap<String, Socket> {
    let mut places: BTreeMap<String, Vec<&TcpSocket>> = BTreeMap::new();
    for socket in listening {
        let key = std::net::SocketAddr::new(socket.address, socket.port).to_string();
        places.entry(key).or_default().push(socket);
    }
    places
        .into_iter()
        .filter_map(|(key, sockets)| {
            let first = sockets.first()?;
            let inodes: BTreeSet<u64> = sockets.iter().map(|socket| socket.inode).collect();
            let pids: BTreeSet<u32> = inodes
                .iter()
                .filter_map(|inode| owners.get(inode))
                .flatten()
                .copied()
                .collect();
            let owner = if pids.is_empty() {
                // Of several hidden owners the lowest uid, so that the answer is always the same.
                let uid = sockets.iter().map(|socket| socket.uid).min()?;
                Owner::Hidden { uid }
            } else {
                Owner::Known {
                    pids: pids.into_iter().collect(),
                }
            };
            let socket = Socket {
                address: first.address.to_string(),
                port: first.port,
                owner,
                inodes: inodes.into_iter().collect(),
                clients: None,
            };
            Some((key, socket))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn listener(address: &str, port: u16, inode: u64, uid: u32) -> TcpSocket {
        TcpSocket {
            address: address.parse().unwrap(),
            port,
            remote: None,
            state: TcpState::Listen,
            inode,
            uid,
        }
    }

    /// A listener to which nobody is connected.
    fn row(address: &str, pids: Vec<u32>, inode: u64) -> Socket {
        Socket {
            address: address.into(),
            port: 4000,
            owner: Owner::Known { pids },
            inodes: vec![inode],
            clients: Some(Clients::default()),
        }
    }

    fn said(sockets: Vec<TcpSocket>) -> Witness {
        Witness {
            sockets,
            fault: None,
        }
    }

    fn failed() -> Witness {
        Witness {
            sockets: Vec::new(),
            fault: Some("permission denied".into()),
        }
    }

    #[test]
    fn real_listeners_of_both_families_are_seen_with_their_owner() {
        let addresses = ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"];
        let held: Vec<TcpListener> = addresses
            .iter()
            .filter_map(|address| TcpListener::bind(address).ok())
            .collect();
        assert!(held.len() >= 2);
        let listeners = listeners();
        let listeners = listeners.known().unwrap();
        for listener in &held {
            let address = listener.local_addr().unwrap();
            let socket = &listeners[&address.to_string()];
            assert_eq!(socket.address, address.ip().to_string());
            assert_eq!(
                socket.owner,
                Owner::Known {
                    pids: vec![std::process::id()]
                }
            );
            assert_eq!(socket.inodes.len(), 1);
        }
    }

    #[test]
    fn clients_are_told_and_the_doctor_is_none() {
        let end = |local: u16, remote: u16, inode| TcpSocket {
            remote: Some(("127.0.0.1".parse().unwrap(), remote)),
            state: TcpState::Established,
            ..listener("127.0.0.1", local, inode, 1000)
        };
        let sockets = vec![
            listener("127.0.0.1", 4000, 1, 1000),
            // Our own probe, another process, and one whose process cannot be seen.
            end(4000, 50_001, 2),
            end(50_001, 4000, 3),
            end(4000, 50_002, 4),
            end(50_002, 4000, 5),
            end(4000, 50_003, 6),
            end(50_003, 4000, 7),
            // A connection of the same process to elsewhere.
            end(50_004, 8317, 8),
        ];
        let owners = HashMap::from([
            (1, BTreeSet::from([10])),
            (3, BTreeSet::from([std::process::id()])),
            (5, BTreeSet::from([77])),
            (8, BTreeSet::from([78])),
        ]);
        let listeners = merge(&[said(sockets)], &owners);
        let clients = listeners.known().unwrap()["127.0.0.1:4000"].clients.clone();
        let expected = Clients {
            pids: vec![77],
            unseen: 1,
        };
        assert_eq!(clients, Some(expected));
    }

    #[test]
    fn connections_of_this_process_are_not_counted_on_the_machine_either() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let _client = TcpStream::connect(address).unwrap();
        let _served = listener.accept().unwrap();
        let listeners = listeners();
        let socket = &listeners.known().unwrap()[&address.to_string()];
        assert_eq!(socket.clients, Some(Clients::default()));
    }

    #[test]
    fn each_witness_alone_sees_a_real_listener() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        for witness in [platform::kernel_sockets(), platform::table_sockets()] {
            assert_eq!(witness.fault, None);
            assert!(witness.sockets.iter().any(|socket| socket.port == port
                && socket.state == TcpState::Listen
                && socket.inode != 0));
        }
    }

    #[test]
    fn a_socket_in_one_witness_counts_and_one_in_both_counts_once() {
        let both = listener("127.0.0.1", 4000, 7, 1000);
        let late = listener("::1", 4000, 8, 1000);
        let owners = HashMap::from([(7, BTreeSet::from([9, 4]))]);
        let look = merge(&[said(vec![both.clone()]), said(vec![both, late])], &owners);
        let listeners = look.known().unwrap();
        assert_eq!(listeners["127.0.0.1:4000"], row("127.0.0.1", vec![4, 9], 7));
        assert_eq!(listeners["[::1]:4000"].owner, Owner::Hidden { uid: 1000 });
    }

    #[test]
    fn one_whole_witness_is_enough_and_none_is_unknown() {
        let socket = listener("127.0.0.1", 4000, 7, 0);
        let owners = HashMap::new();
        let look = merge(&[failed(), said(vec![socket])], &owners);
        assert_eq!(look.known().unwrap().len(), 1);
        let look = merge(&[failed(), failed()], &owners);
        assert!(look.why_unknown().is_some());
    }

    #[test]
    fn sockets_that_share_a_port_are_one_row() {
        let rows = vec![
            listener("127.0.0.1", 4000, 7, 1000),
            listener("127.0.0.1", 4000, 8, 1000),
        ];
        let owners = HashMap::from([(7, BTreeSet::from([1])), (8, BTreeSet::from([2]))]);
        let look = merge(&[said(rows)], &owners);
        let socket = &look.known().unwrap()["127.0.0.1:4000"];
        assert_eq!(socket.inodes, [7, 8]);
        assert_eq!(socket.owner, Owner::Known { pids: vec![1, 2] });
    }
}
