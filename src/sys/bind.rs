//! The bind test: the last word on whether a port is free.

use std::net::SocketAddr;

use rustix::net::{AddressFamily, SocketFlags, SocketType};

/// Binds an address and lets it go at once, without listening.
///
/// With `SO_REUSEADDR`, so that a port in TIME_WAIT is free, as it is for both programs; nobody can
/// connect to it, and a service that starts in this moment is not kept from its port.
///
/// # Errors
/// What the bind fails with: `ADDRINUSE` when the address is held.
pub fn bind_and_close(address: SocketAddr) -> rustix::io::Result<()> {
    let family = if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let socket = rustix::net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    rustix::net::sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        // Each family is tested by itself; together they say what a dual-stack bind would.
        rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
    }
    rustix::net::bind(&socket, &address)
}
