//! An address of this machine or another, as a URL spells it.

use std::net::IpAddr;

use crate::model::EntryValue;
use crate::state::View;

/// Host and port of a URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// Lower-case host without brackets.
    pub host: String,
    /// The port, that of the scheme when none is written.
    pub port: u16,
}

impl Address {
    /// The address of an `http` or `https` URL.
    pub fn of_url(url: &str) -> Option<Self> {
        let (scheme, rest) = url.trim().split_once("://")?;
        let default = match scheme.to_ascii_lowercase().as_str() {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let authority = rest.split(['/', '?', '#']).next()?;
        let authority = authority.rsplit('@').next()?;
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, tail) = rest.split_once(']')?;
                (host, tail.strip_prefix(':'))
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = match port {
            Some(text) if !text.is_empty() => text.parse().ok()?,
            _ => default,
        };
        let host = canonical(host);
        (!host.is_empty()).then_some(Self { host, port })
    }

    /// Whether it lies on this machine by its spelling alone; names are not resolved.
    pub fn is_local(&self) -> bool {
        self.host == "localhost"
            || self
                .host
                .parse::<IpAddr>()
                .is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified())
    }

    /// Whether a request to it arrives at a listener that is bound to `host` and `port`.
    pub fn reaches(&self, host: &str, port: u16) -> bool {
        let bound = canonical(host);
        let asked: &[&str] = match self.host.as_str() {
            // Both programs bind the name to IPv4, clients try both families.
            "localhost" => &["127.0.0.1", "::1"],
            "0.0.0.0" => &["127.0.0.1"],
            "::" => &["::1"],
            other => &[other],
        };
        port == self.port
            && match bound.as_str() {
                "" | "::" => true,
                "0.0.0.0" => asked.iter().any(|host| !host.contains(':')),
                "localhost" => asked.contains(&"127.0.0.1"),
                bound => asked.contains(&bound),
            }
    }

    /// Whether it leads to the proxy: to its configured address, be it that of flowgate.yaml or of
    /// its own file, or to where its run listens.
    pub fn leads_to(&self, view: View<'_>) -> bool {
        let settings = view.settings();
        let own_port = match view.snapshot.configs.cliproxyapi.entry("port") {
            Some(entry) => match entry.value {
                EntryValue::Int(port) => u16::try_from(port).ok(),
                _ => None,
            },
            None => None,
        };
        [settings.port, own_port]
            .into_iter()
            .flatten()
            .any(|port| self.reaches(&settings.host, port))
            || view
                .own_sockets()
                .iter()
                .any(|socket| self.reaches(&socket.address, socket.port))
    }
}

/// `127.0.0.1:8317`, `[::1]:8317`, `localhost:8317`.
impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::state::address_key(&self.host, self.port))
    }
}

/// A host in one spelling: lower case, no brackets, IPv4 in IPv6 as IPv4.
fn canonical(host: &str) -> String {
    let host = host.trim().trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().to_string(),
        Err(_) => host.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Option<String> {
        Address::of_url(url).map(|address| address.to_string())
    }

    #[test]
    fn urls_name_host_and_port() {
        for (url, expected) in [
            ("http://127.0.0.1:8317/v1", "127.0.0.1:8317"),
            ("https://LocalHost/v1", "localhost:443"),
            ("http://[::1]:8317/v1", "[::1]:8317"),
            ("http://[::ffff:127.0.0.1]:1?x", "127.0.0.1:1"),
            ("http://user:pw@127.0.0.1:9#a", "127.0.0.1:9"),
            ("http://llm.example.net", "llm.example.net:80"),
        ] {
            assert_eq!(address(url).as_deref(), Some(expected), "{url}");
        }
        for url in [
            "",
            "127.0.0.1:8317",
            "ftp://127.0.0.1/",
            "http://",
            "http://[::1",
            "http://127.0.0.1:99999/",
        ] {
            assert_eq!(address(url), None, "{url}");
        }
    }

    #[test]
    fn spellings_of_one_address_are_one() {
        let reaches = |url: &str, host: &str| {
            Address::of_url(url).is_some_and(|address| address.reaches(host, 8317))
        };
        for (url, host) in [
            ("http://127.0.0.1:8317", "localhost"),
            ("http://localhost:8317", "127.0.0.1"),
            ("http://localhost:8317", "::1"),
            ("http://0.0.0.0:8317", "127.0.0.1"),
            ("http://[::1]:8317", "[::1]"),
            ("http://127.0.0.1:8317", "0.0.0.0"),
            ("http://127.0.0.1:8317", ""),
            ("http://127.0.0.1:8317", "::"),
        ] {
            assert!(reaches(url, host), "{url} {host}");
        }
        for (url, host) in [
            ("http://127.0.0.1:8317", "::1"),
            ("http://[::1]:8317", "127.0.0.1"),
            ("http://[::1]:8317", "localhost"),
            ("http://[::1]:8317", "0.0.0.0"),
            ("http://127.0.0.1:8318", "127.0.0.1"),
            ("http://10.0.0.5:8317", "127.0.0.1"),
        ] {
            assert!(!reaches(url, host), "{url} {host}");
        }
    }

    #[test]
    fn only_this_machine_is_local() {
        let is_local = |url: &str| Address::of_url(url).is_some_and(|address| address.is_local());
        assert!(is_local("http://localhost:1"));
        assert!(is_local("http://127.0.0.2:1"));
        assert!(is_local("http://[::1]:1"));
        assert!(!is_local("http://10.0.0.5:1"));
        assert!(!is_local("https://api.openai.com/v1"));
        assert!(!is_local("http://localhost.example.org:1"));
    }
}
