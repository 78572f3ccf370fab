//! Which TCP sockets there are, from two witnesses, and which processes hold them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use netstat2::{AddressFamilyFlags, ProtocolFlags, ProtocolSocketInfo};
use rustix::fs::{Mode, OFlags};

use super::process::process_ids;
use super::{sock_diag, tcp_table};
use crate::platform::{TcpSocket, TcpState, Witness};

/// A table of 100,000 sockets has 15 MB; what is longer is cut, and the witness says so.
const TABLE_LIMIT: u64 = 32 * 1024 * 1024;

/// So much of a table is read at once when its listeners are looked for.
const LISTENERS: usize = 16 * 1024;

/// More sockets than this are not taken from netlink.
const SOCKET_LIMIT: usize = 200_000;

/// The sockets that netlink tells of.
///
/// A netlink error ends the list as if there were no more, and the receive has no deadline
/// (crates.md §3): an empty answer proves nothing, and the caller brings the deadline.
pub fn kernel_sockets() -> Witness {
    catch_unwind(AssertUnwindSafe(read_netlink)).unwrap_or_else(|_| Witness {
        sockets: Vec::new(),
        fault: Some("netlink could not be read".into()),
    })
}

fn read_netlink() -> Witness {
    let mut witness = Witness::default();
    for family in [AddressFamilyFlags::IPV4, AddressFamilyFlags::IPV6] {
        // Without pids: those would be read from /proc by a walk that panics when it may not.
        let rows = match netstat2::iterate_sockets_info_without_pids(family, ProtocolFlags::TCP) {
            Ok(rows) => rows,
            Err(error) => {
                witness.fault = Some(error.to_string());
                continue;
            }
        };
        for row in rows.take(SOCKET_LIMIT) {
            match row {
                Ok(row) => witness.sockets.extend(socket_of(&row)),
                Err(error) => witness.fault = Some(error.to_string()),
            }
        }
    }
    witness
}

fn socket_of(row: &netstat2::SocketInfo) -> Option<TcpSocket> {
    let ProtocolSocketInfo::Tcp(tcp) = &row.protocol_socket_info else {
        return None;
    };
    let state = match tcp.state {
        netstat2::TcpState::Listen => TcpState::Listen,
        netstat2::TcpState::Established => TcpState::Established,
        _ => TcpState::Other,
    };
    Some(TcpSocket {
        address: tcp.local_addr.to_canonical(),
        port: tcp.local_port,
        remote: (state == TcpState::Established)
            .then(|| (tcp.remote_addr.to_canonical(), tcp.remote_port)),
        state,
        inode: u64::from(row.inode),
        uid: row.uid,
    })
}

/// The sockets that the tables of `/proc/net` show: the second witness.
pub fn table_sockets() -> Witness {
    let mut witness = Witness::default();
    for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
        match read_table(Path::new(path)) {
            Ok((table, whole)) => {
                witness.sockets.extend(tcp_table::parse(&table));
                if !whole {
                    witness.fault = Some(format!("{path} is too long"));
                }
            }
            // A kernel without IPv6 has no second table.
            Err(error) if error.kind() == io::ErrorKind::NotFound && path.ends_with('6') => {}
            Err(error) => witness.fault = Some(format!("{path}: {error}")),
        }
    }
    witness
}

/// The listeners of this machine: as the kernel answers, else by the tables of `/proc/net`.
pub fn listeners() -> Vec<TcpSocket> {
    sock_diag::listeners().unwrap_or_else(|_| table_listeners())
}

/// The listeners that the tables of `/proc/net` show; none of a table that cannot be read.
///
/// The kernel lists listeners first. Behind them stand the connections, thousands on a busy machine,
/// so a table is read no further than to the first of these.
pub(super) fn table_listeners() -> Vec<TcpSocket> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let heads = tables.map(|path| read_listeners(Path::new(path)).unwrap_or_default());
    heads.into_iter().flatten().collect()
}

fn read_listeners(path: &Path) -> io::Result<Vec<TcpSocket>> {
    let mut file = File::open(path)?.take(TABLE_LIMIT);
    let mut table = Vec::new();
    let mut piece = vec![0; LISTENERS];
    loop {
        let read = file.read(&mut piece)?;
        table.extend_from_slice(&piece[..read]);
        // The last line may not be whole yet.
        let end = table.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        let whole = if read == 0 { &table } else { &table[..end] };
        let mut sockets = tcp_table::parse(whole);
        let listening = |socket: &TcpSocket| socket.state == TcpState::Listen;
        if read == 0 || sockets.last().is_some_and(|socket| !listening(socket)) {
            sockets.retain(listening);
            return Ok(sockets);
        }
    }
}

/// The table, and whether it is the whole one. The buffer is made first: the kernel fills as much
/// of it as fits in one go, and a table that is read in small bites changes in between.
fn read_table(path: &Path) -> io::Result<(Vec<u8>, bool)> {
    let mut table = Vec::with_capacity(1024 * 1024);
    File::open(path)?
        .take(TABLE_LIMIT)
        .read_to_end(&mut table)?;
    let whole = (table.len() as u64) < TABLE_LIMIT;
    Ok((table, whole))
}

/// The processes that hold these sockets, as far as this user may see them, by inode.
pub fn socket_owners(inodes: &HashSet<u64>) -> HashMap<u64, BTreeSet<u32>> {
    let mut owners: HashMap<u64, BTreeSet<u32>> = HashMap::new();
    if inodes.is_empty() {
        return owners;
    }
    for pid in process_ids() {
        // A process that ends meanwhile, or of another user, is left out.
        let _ = visit_descriptors(pid, |target| {
            if let Some(inode) = socket_inode(target)
                && inodes.contains(&inode)
            {
                owners.entry(inode).or_default().insert(pid);
            }
        });
    }
    owners
}

/// The inodes of the sockets that one process holds; none of a process that this user may not look
/// into.
pub fn sockets_of(pid: u32) -> HashSet<u64> {
    let mut inodes = HashSet::new();
    let _ = visit_descriptors(pid, |target| inodes.extend(socket_inode(target)));
    inodes
}

fn visit_descriptors(pid: u32, mut visit: impl FnMut(&[u8])) -> rustix::io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = rustix::fs::open(format!("/proc/{pid}/fd"), flags, Mode::empty())?;
    let mut entries = rustix::fs::Dir::read_from(&dir)?;
    let mut buffer = [MaybeUninit::<u8>::uninit(); 64];
    while let Some(entry) = entries.read() {
        let entry = entry?;
        let name: &CStr = entry.file_name();
        if name.to_bytes().first() == Some(&b'.') {
            continue;
        }
        if let Ok((target, _)) = rustix::fs::readlinkat_raw(&dir, name, &mut buffer) {
            visit(target);
        }
    }
    Ok(())
}

/// `socket:[31337]` is inode 31337.
fn socket_inode(target: &[u8]) -> Option<u64> {
    let digits = target.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn every_listener_is_found_before_the_connections() {
        let listeners_made: Vec<TcpListener> = (0..300)
            .map(|n| TcpListener::bind(if n % 2 == 0 { "127.0.0.1:0" } else { "[::1]:0" }).unwrap())
            .collect();
        let ports: HashSet<u16> = listeners_made
            .iter()
            .map(|listener| listener.local_addr().unwrap().port())
            .collect();
        let at = listeners_made[0].local_addr().unwrap();
        let _connections: Vec<TcpStream> =
            (0..100).map(|_| TcpStream::connect(at).unwrap()).collect();
        for found in [listeners(), table_listeners()] {
            assert!(found.iter().all(|socket| socket.state == TcpState::Listen));
            let found: HashSet<u16> = found.iter().map(|socket| socket.port).collect();
            assert!(ports.is_subset(&found), "{:?}", ports.difference(&found));
        }
    }
}
