//! Addresses of this machine that may be asked.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use flowgate_checks::model::Scheme;

/// An address that may be asked: always loopback, always a number, never a name to resolve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoopbackTarget {
    address: SocketAddr,
    is_tls: bool,
}

impl LoopbackTarget {
    /// The address at which a service with this `host` is asked; none when that is not loopback.
    ///
    /// - A wildcard (`0.0.0.0`, `::`, nothing) is asked at the loopback of its family.
    /// - `localhost` is asked at 127.0.0.1, which is where both programs bind it
    ///   (`facts/real-stack.md`, "Start"; `facts/litellm.md` 4).
    /// - Another name is not asked: it would have to be resolved.
    pub fn new(host: &str, port: u16, scheme: Scheme) -> Option<Self> {
        if port == 0 {
            return None;
        }
        let host = host.trim();
        let bare = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(host);
        let ip = if bare.is_empty() || bare.eq_ignore_ascii_case("localhost") {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        } else {
            bare.parse::<IpAddr>().ok()?.to_canonical()
        };
        let ip = match ip {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        ip.is_loopback().then(|| Self {
            address: SocketAddr::new(ip, port),
            is_tls: scheme == Scheme::Https,
        })
    }

    /// The address with its port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it is asked over TLS.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The same address in the other scheme.
    pub(super) fn over_tls(self) -> Self {
        Self {
            is_tls: true,
            ..self
        }
    }

    /// The URL of a path that starts with `/`.
    pub(super) fn url(&self, path: &str) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }
}

/// `127.0.0.1:4000`, `[::1]:4000`: the key of its probes in the snapshot.
impl fmt::Display for LoopbackTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked_at(host: &str) -> Option<String> {
        LoopbackTarget::new(host, 4000, Scheme::Http).map(|target| target.to_string())
    }

    #[test]
    fn wildcards_and_localhost_are_asked_at_loopback() {
        for (host, address) in [
            ("127.0.0.1", "127.0.0.1:4000"),
            ("127.0.0.2", "127.0.0.2:4000"),
            ("0.0.0.0", "127.0.0.1:4000"),
            ("", "127.0.0.1:4000"),
            ("localhost", "127.0.0.1:4000"),
            ("::1", "[::1]:4000"),
            ("[::1]", "[::1]:4000"),
            ("::", "[::1]:4000"),
            ("[::]", "[::1]:4000"),
            ("::ffff:127.0.0.1", "127.0.0.1:4000"),
        ] {
            assert_eq!(asked_at(host).as_deref(), Some(address), "{host}");
        }
    }

    #[test]
    fn other_machines_names_and_port_zero_are_not_asked() {
        for host in [
            "10.0.0.1",
            "192.168.1.5",
            "8.8.8.8",
            "fe80::1",
            "::ffff:8.8.8.8",
            "example.org",
            "localhost.example.org",
            "127.0.0.1@8.8.8.8",
            "127.1",
            "[127.0.0.1",
        ] {
            assert_eq!(asked_at(host), None, "{host}");
        }
        assert_eq!(LoopbackTarget::new("127.0.0.1", 0, Scheme::Http), None);
    }

    proptest! {
        #[test]
        fn no_host_text_leads_off_this_machine(host in "\\PC{0,30}", port in 1u16..) {
            if let Some(target) = LoopbackTarget::new(&host, port, Scheme::Https) {
                prop_assert!(target.address().ip().is_loopback());
            }
        }
    }
}
