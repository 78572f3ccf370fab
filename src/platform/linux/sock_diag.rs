//! The listeners of this machine, asked of the kernel itself: a look that costs the same however many
//! connections there are. The tables of `/proc/net` walk through every slot for connections, which
//! takes milliseconds on a machine with much memory.
//!
//! Source: `sock_diag(7)`; the layout is that of `linux/inet_diag.h`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

use crate::platform::{TcpSocket, TcpState};

/// The kernel answers before the call comes back; this only guards against one that does not.
const PATIENCE: Duration = Duration::from_millis(500);

/// The kernel puts no more into one datagram.
const DATAGRAM: usize = 32 * 1024;

/// `nlmsghdr`: length, type, flags, sequence, pid.
const HEADER: usize = 16;

/// `inet_diag_req_v2` behind a header.
const REQUEST: usize = HEADER + 56;

/// `inet_diag_msg`: family, state, two bytes, then ports, addresses, 16 bytes more, and at the end five
/// words of which the last two are the uid and the inode.
const MESSAGE: usize = 72;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const DONE: u16 = 3;
const ERROR: u16 = 2;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const DUMP: u16 = 0x301;
/// Something changed while the answer was made, so a row may be missing.
const INTERRUPTED: u16 = 0x10;
const TCP: u8 = 6;
const LISTEN: u8 = 10;

/// The listeners of both families.
///
/// # Errors
/// Where the kernel does not answer, or not in one piece.
pub fn listeners() -> io::Result<Vec<TcpSocket>> {
    let mut sockets = Vec::new();
    for family in [AddressFamily::INET, AddressFamily::INET6] {
        // Asked anew for each, so that nothing of one answer can be taken for the other.
        ask(family, &mut sockets)?;
    }
    Ok(sockets)
}

fn ask(family: AddressFamily, sockets: &mut Vec<TcpSocket>) -> io::Result<()> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(netlink::SOCK_DIAG),
    )?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    send(&socket, &request(family.as_raw() as u8), SendFlags::empty())?;
    let mut datagram = vec![0; DATAGRAM];
    loop {
        let (read, _) = recv(&socket, &mut datagram[..], RecvFlags::empty())?;
        match take(&datagram[..read], sockets) {
            Taken::More if read > 0 => {}
            Taken::Done => return Ok(()),
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

fn request(family: u8) -> [u8; REQUEST] {
    let mut request = [0; REQUEST];
    request[..4].copy_from_slice(&(REQUEST as u32).to_ne_bytes());
    request[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request[6..8].copy_from_slice(&DUMP.to_ne_bytes());
    request[HEADER] = family;
    request[HEADER + 1] = TCP;
    request[HEADER + 4..HEADER + 8].copy_from_slice(&(1u32 << LISTEN).to_ne_bytes());
    request
}

/// What a datagram was.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    /// Others follow.
    More,
    /// It was the last one.
    Done,
    /// It says that it is not the whole truth, or makes no sense.
    Unusable,
}

fn take(mut datagram: &[u8], sockets: &mut Vec<TcpSocket>) -> Taken {
    while datagram.len() >= HEADER {
        let length = u32_at(datagram, 0) as usize;
        let (kind, flags) = (u16_at(datagram, 4), u16_at(datagram, 6));
        if length < HEADER || length > datagram.len() || flags & INTERRUPTED != 0 {
            return Taken::Unusable;
        }
        match kind {
            DONE => return Taken::Done,
            ERROR => return Taken::Unusable,
            SOCK_DIAG_BY_FAMILY if length >= HEADER + MESSAGE => {
                sockets.extend(socket_of(&datagram[HEADER..length]));
            }
            _ => {}
        }
        datagram = &datagram[length.next_multiple_of(4).min(datagram.len())..];
    }
    match datagram.is_empty() {
        true => Taken::More,
        false => Taken::Unusable,
    }
}

/// A row; none of another state than asked for.
fn socket_of(row: &[u8]) -> Option<TcpSocket> {
    let address = row.get(8..24)?;
    let address = match AddressFamily::from_raw(row[0].into()) {
        AddressFamily::INET => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(&address[..4]).ok()?)),
        AddressFamily::INET6 => {
            IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(address).ok()?)).to_canonical()
        }
        _ => return None,
    };
    (row[1] == LISTEN).then(|| TcpSocket {
        address,
        port: u16::from_be_bytes([row[4], row[5]]),
        remote: None,
        state: TcpState::Listen,
        uid: u32_at(row, MESSAGE - 8),
        inode: u32_at(row, MESSAGE - 4).into(),
    })
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map_or(0, u32::from_ne_bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    let two = bytes.get(at..at + 2).and_then(|two| two.try_into().ok());
    two.map_or(0, u16::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use proptest::prelude::*;

    use super::super::socket::table_listeners;
    use super::*;

    #[test]
    fn both_ways_to_ask_show_the_same_listeners() {
        let made: Vec<TcpListener> = ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"]
            .into_iter()
            .filter_map(|at| TcpListener::bind(at).ok())
            .collect();
        assert!(made.len() >= 2);
        let (asked, read) = (listeners().unwrap(), table_listeners());
        for listener in &made {
            let at = listener.local_addr().unwrap();
            let of = |sockets: &[TcpSocket]| -> Vec<TcpSocket> {
                let here = |socket: &&TcpSocket| socket.port == at.port();
                sockets.iter().filter(here).cloned().collect()
            };
            assert_eq!(of(&asked).len(), 1, "{at}");
            assert_eq!(of(&asked), of(&read), "{at}");
        }
    }

    #[test]
    fn an_answer_that_is_not_whole_is_no_answer() {
        let message = |kind: u16, flags: u16| {
            let mut bytes = vec![0; HEADER];
            bytes[..4].copy_from_slice(&(HEADER as u32).to_ne_bytes());
            bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
            bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
            bytes
        };
        let taken = |bytes: &[u8]| take(bytes, &mut Vec::new());
        assert_eq!(taken(&message(DONE, 0)), Taken::Done);
        assert_eq!(taken(&message(DONE, INTERRUPTED)), Taken::Unusable);
        assert_eq!(taken(&message(ERROR, 0)), Taken::Unusable);
        assert_eq!(taken(&message(DONE, 0)[..HEADER - 1]), Taken::Unusable);
    }

    proptest! {
        #[test]
        fn no_datagram_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            take(&bytes, &mut Vec::new());
        }
    }
}
