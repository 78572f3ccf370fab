//! The plain facts that every platform gives in the same form.

use std::net::IpAddr;
use std::path::PathBuf;

use thiserror::Error;

/// Where a TCP socket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TcpState {
    /// It waits for connections.
    Listen,
    /// It is connected.
    Established,
    /// Anything else.
    Other,
}

/// One TCP socket, as the kernel lists it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TcpSocket {
    /// Local address; an IPv4 address in IPv6 clothes is given as the IPv4 one.
    pub address: IpAddr,
    /// Local port.
    pub port: u16,
    /// Address and port of the other end of one that is connected.
    pub remote: Option<(IpAddr, u16)>,
    /// Where it stands.
    pub state: TcpState,
    /// Inode, by which its owners are found; 0 when it has none any more.
    pub inode: u64,
    /// Uid of whoever made it.
    pub uid: u32,
}

/// What one source of sockets said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Witness {
    /// The sockets that it named.
    pub sockets: Vec<TcpSocket>,
    /// Why it may have left some out, as a fragment; none when it said everything it knows.
    pub fault: Option<String>,
}

/// The identity and the state of a process, as the kernel tells everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessStat {
    /// Process id.
    pub pid: u32,
    /// Short name.
    pub name: String,
    /// State letter; `Z` and `X` are dead.
    pub state: char,
    /// Parent.
    pub parent: u32,
    /// Session.
    pub session: u32,
    /// Start time in clock ticks after boot.
    pub start_time: u64,
    /// CPU time used so far, in clock ticks.
    pub cpu_ticks: u64,
}

impl ProcessStat {
    /// Whether it has ended, although its entry is still there.
    pub fn is_dead(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// A process that has ended and whose entry is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedProcess {
    /// Its parent.
    pub parent: u32,
    /// Its start time in clock ticks after boot.
    pub start_time: u64,
    /// Its status as `wait` gives it; none when the kernel does not tell this user.
    pub status: Option<i32>,
}

/// One mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted.
    pub point: PathBuf,
    /// Whether programs on it cannot be executed.
    pub noexec: bool,
    /// Its kind: `ext4`.
    pub kind: String,
    /// Whether it keeps no modes: every file has those of the mount, and `chmod` changes nothing.
    pub without_modes: bool,
}

/// Why a fact of another process could not be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReachError {
    /// There is no such process.
    #[error("no such process")]
    Gone,
    /// It belongs to somebody else.
    #[error("permission denied")]
    Denied,
    /// The kernel gave no such fact.
    #[error("not to be seen")]
    Hidden,
}
