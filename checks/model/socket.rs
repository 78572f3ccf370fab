//! Who listens, and what a service could bind.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One TCP listener. Dual-stack and wildcard binds of one process are separate rows here;
/// the checks merge them by owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Socket {
    /// Local address without port and brackets: `127.0.0.1`, `::`.
    pub address: String,
    /// Local port.
    pub port: u16,
    /// Who holds it.
    pub owner: Owner,
    /// Inodes of the sockets, sorted; several with `SO_REUSEPORT`.
    #[serde(default)]
    pub inodes: Vec<u64>,
    /// Who is connected to it; none when nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<Clients>,
}

/// Who is connected to a listener; the doctor itself is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Clients {
    /// The processes at the other ends, sorted.
    pub pids: Vec<u32>,
    /// Connections whose other end cannot be seen: it is on another machine, or belongs to another user.
    pub unseen: u32,
}

/// Who holds a socket. A hidden owner is still an owner: the port is not free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Owner {
    /// These processes, sorted by pid.
    #[serde(rename_all = "camelCase")]
    Known {
        /// The pids, sorted.
        pids: Vec<u32>,
    },
    /// A process that this user may not see.
    #[serde(rename_all = "camelCase")]
    Hidden {
        /// The uid of the socket.
        uid: u32,
    },
}

/// What a service could bind now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct BindReport {
    /// Bind test of every address that the service will use, by address without port.
    pub addresses: BTreeMap<String, BindState>,
    /// The next port above the configured one that every address can bind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_free_port: Option<u16>,
}

/// Outcome of one bind test (bind with `SO_REUSEADDR`, no listen).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BindState {
    /// The bind succeeded.
    Free,
    /// Somebody holds it (`EADDRINUSE`).
    InUse,
    /// No address of this machine (`EADDRNOTAVAIL`), or no such address family.
    NotAvailable,
    /// The right is missing (`EACCES`).
    NotPermitted,
    /// The text is no address: a host name that does not resolve, IPv6 in the wrong spelling.
    #[serde(rename_all = "camelCase")]
    Invalid {
        /// Why, as a fragment.
        why: String,
    },
    /// The test itself failed.
    #[serde(rename_all = "camelCase")]
    Unknown {
        /// Why, as a fragment.
        why: String,
    },
}
