//! Which ports a session listens at.

use std::collections::HashSet;
use std::net::IpAddr;

use super::session::{Member, Session};
use crate::platform::{self, TcpSocket};

/// The listeners of this machine, and which of them belong to one session.
pub struct Listening {
    sockets: Vec<TcpSocket>,
    own: HashSet<u64>,
    /// The members of the session that hold one of the listeners.
    holders: Vec<Member>,
}

impl Listening {
    /// Looks. The members of the session are searched only when somebody listens at `port` who is not
    /// its leader, or when `everywhere` is asked for: a look at every process costs more than one at
    /// the sockets.
    pub fn look(session: &Session, port: u16, everywhere: bool) -> Self {
        let sockets = platform::listeners();
        let is_at_port = |socket: &TcpSocket| socket.port == port;
        if everywhere {
            return Self::of(sockets, session.members());
        }
        if !sockets.iter().any(is_at_port) {
            return Self::of(sockets, Vec::new());
        }
        let looked = Self::of(sockets, session.leader().into_iter().collect());
        let mut at_port = looked.sockets.iter().filter(|socket| is_at_port(socket));
        match at_port.all(|socket| looked.is_own(socket)) {
            true => looked,
            false => Self::of(looked.sockets, session.members()),
        }
    }

    /// The same again, when whoever held the listeners is there still: no other process is looked at.
    pub fn look_again(session: &Session, holders: &[Member]) -> Self {
        let holders = holders.iter().copied();
        Self::of(
            platform::listeners(),
            holders.filter(|member| session.has(*member)).collect(),
        )
    }

    fn of(sockets: Vec<TcpSocket>, members: Vec<Member>) -> Self {
        let inodes: HashSet<u64> = sockets.iter().map(|socket| socket.inode).collect();
        let mut own = HashSet::new();
        let mut holders = Vec::new();
        for member in members {
            let held = platform::sockets_of(member.pid);
            let before = own.len();
            own.extend(held.into_iter().filter(|inode| inodes.contains(inode)));
            // A worker that shares the sockets of its parent adds none.
            if own.len() > before {
                holders.push(member);
            }
        }
        Self {
            sockets,
            own,
            holders,
        }
    }

    /// The members of the session that hold the listeners.
    pub fn holders(&self) -> &[Member] {
        &self.holders
    }

    /// Whether anybody listens at a port, at whatever address.
    pub fn is_at(&self, port: u16) -> bool {
        self.sockets.iter().any(|socket| socket.port == port)
    }

    /// Whether whoever connects to this address reaches the session. The listener of exactly this
    /// address goes before one of every address; all that share it must be of the session.
    pub fn owns(&self, address: Option<IpAddr>, port: u16) -> bool {
        let at = |is_meant: &dyn Fn(&TcpSocket) -> bool| -> Vec<&TcpSocket> {
            let sockets = self.sockets.iter();
            sockets
                .filter(|socket| socket.port == port && is_meant(socket))
                .collect()
        };
        let meant = match address {
            None => return at(&|_| true).iter().any(|socket| self.is_own(socket)),
            Some(address) => {
                let exact = at(&|socket| socket.address == address);
                let family = at(&|socket| {
                    socket.address.is_unspecified() && socket.address.is_ipv4() == address.is_ipv4()
                });
                [exact, family, at(&|socket| socket.address.is_unspecified())]
                    .into_iter()
                    .find(|sockets| !sockets.is_empty())
                    .unwrap_or_default()
            }
        };
        !meant.is_empty() && meant.iter().all(|socket| self.is_own(socket))
    }

    /// The ports of the session, and at which address.
    pub fn own_ports(&self) -> Vec<(IpAddr, u16)> {
        let own = self.sockets.iter().filter(|socket| self.is_own(socket));
        own.map(|socket| (socket.address, socket.port)).collect()
    }

    /// The inodes of the listeners of the session at a port.
    pub fn own_inodes(&self, port: u16) -> HashSet<u64> {
        let own = self.sockets.iter().filter(|socket| self.is_own(socket));
        own.filter(|socket| socket.port == port)
            .map(|socket| socket.inode)
            .collect()
    }

    fn is_own(&self, socket: &TcpSocket) -> bool {
        socket.inode != 0 && self.own.contains(&socket.inode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::TcpState;

    fn listening(sockets: &[(&str, u64)], own: &[u64]) -> Listening {
        Listening {
            sockets: sockets
                .iter()
                .map(|(address, inode)| TcpSocket {
                    address: address.parse().unwrap(),
                    port: 4000,
                    remote: None,
                    state: TcpState::Listen,
                    inode: *inode,
                    uid: 0,
                })
                .collect(),
            own: own.iter().copied().collect(),
            holders: Vec::new(),
        }
    }

    #[test]
    fn the_listener_that_a_client_reaches_must_be_ours() {
        let owns = |listening: &Listening| listening.owns("127.0.0.1".parse().ok(), 4000);
        assert!(owns(&listening(&[("127.0.0.1", 1)], &[1])));
        assert!(owns(&listening(&[("0.0.0.0", 1)], &[1])));
        assert!(owns(&listening(&[("::", 1)], &[1])));
        // A stranger at the very address takes the connections from our wildcard.
        assert!(!owns(&listening(&[("127.0.0.1", 2), ("0.0.0.0", 1)], &[1])));
        assert!(!owns(&listening(&[("127.0.0.1", 2)], &[1])));
        // Two that share the port by SO_REUSEPORT share the connections.
        assert!(!owns(&listening(
            &[("127.0.0.1", 1), ("127.0.0.1", 2)],
            &[1]
        )));
        assert!(!owns(&listening(&[("127.0.0.2", 1)], &[1])));
        assert!(!owns(&listening(&[], &[1])));
    }
}
