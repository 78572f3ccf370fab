//! Every TCP listener, from two witnesses, and who holds it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use flowgate_checks::model::{Observed, Owner, Socket, Unknown};

use crate::platform::{self, TcpSocket, TcpState, Witness};

/// What the look at the sockets saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketLook {
    /// Every TCP listener, by `address:port` (IPv6 in brackets).
    pub listeners: Observed<BTreeMap<String, Socket>>,
    /// Established connections to each listening port, those of the doctor included.
    pub established: BTreeMap<u16, usize>,
}

/// Looks at the sockets of this machine (of this network namespace).
///
/// Blocking, and without a deadline of its own.
pub fn look() -> SocketLook {
    let witnesses = [platform::kernel_sockets(), platform::table_sockets()];
    let inodes = witnesses
        .iter()
        .flat_map(|witness| &witness.sockets)
        .filter(|socket| socket.state == TcpState::Listen)
        .map(|socket| socket.inode)
        .collect();
    merge(&witnesses, &platform::socket_owners(&inodes))
}

/// Every TCP listener of this machine; see [`look`].
pub fn listeners() -> Observed<BTreeMap<String, Socket>> {
    look().listeners
}

/// Puts the witnesses together by address, port and inode: a socket that either names is there.
///
/// When every witness may have left something out, the listeners are unknown: a list with holes
/// would call a port free.
pub fn merge(witnesses: &[Witness], owners: &HashMap<u64, BTreeSet<u32>>) -> SocketLook {
    let sockets: HashSet<&TcpSocket> = witnesses
        .iter()
        .flat_map(|witness| &witness.sockets)
        .collect();
    let listening: Vec<&TcpSocket> = sockets
        .iter()
        .copied()
        .filter(|socket| socket.state == TcpState::Listen)
        .collect();
    let mut established: BTreeMap<u16, usize> =
        listening.iter().map(|socket| (socket.port, 0)).collect();
    for socket in &sockets {
        if socket.state == TcpState::Established
            && let Some(count) = established.get_mut(&socket.port)
        {
            *count += 1;
        }
    }
    let faults: Vec<&str> = witnesses
        .iter()
        .filter_map(|witness| witness.fault.as_deref())
        .collect();
    let listeners = if !witnesses.is_empty() && faults.len() == witnesses.len() {
        Observed::Unknown(Unknown {
            why: faults.join("; "),
            command: Some("ss -ltnp".into()),
        })
    } else {
        Observed::Known(group(&listening, owners))
    };
    SocketLook {
        listeners,
        established,
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
            state: TcpState::Listen,
            inode,
            uid,
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
        let look = look();
        let listeners = look.listeners.known().unwrap();
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
    fn connections_to_a_listener_are_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let _clients: Vec<TcpStream> = (0..3)
            .map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap())
            .collect();
        let _served: Vec<_> = (0..3).map(|_| listener.accept().unwrap()).collect();
        assert_eq!(look().established[&port], 3);
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
        let listeners = look.listeners.known().unwrap();
        assert_eq!(
            listeners["127.0.0.1:4000"],
            Socket {
                address: "127.0.0.1".into(),
                port: 4000,
                owner: Owner::Known { pids: vec![4, 9] },
                inodes: vec![7],
            }
        );
        assert_eq!(listeners["[::1]:4000"].owner, Owner::Hidden { uid: 1000 });
    }

    #[test]
    fn one_whole_witness_is_enough_and_none_is_unknown() {
        let socket = listener("127.0.0.1", 4000, 7, 0);
        let owners = HashMap::new();
        let look = merge(&[failed(), said(vec![socket])], &owners);
        assert_eq!(look.listeners.known().unwrap().len(), 1);
        let look = merge(&[failed(), failed()], &owners);
        assert!(look.listeners.why_unknown().is_some());
    }

    #[test]
    fn sockets_that_share_a_port_are_one_row() {
        let rows = vec![
            listener("127.0.0.1", 4000, 7, 1000),
            listener("127.0.0.1", 4000, 8, 1000),
        ];
        let owners = HashMap::from([(7, BTreeSet::from([1])), (8, BTreeSet::from([2]))]);
        let look = merge(&[said(rows)], &owners);
        let socket = &look.listeners.known().unwrap()["127.0.0.1:4000"];
        assert_eq!(socket.inodes, [7, 8]);
        assert_eq!(socket.owner, Owner::Known { pids: vec![1, 2] });
    }
}
