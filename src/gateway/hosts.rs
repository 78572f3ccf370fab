//! Which addresses a service will bind for the host of its config.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use flowgate_checks::model::ServiceKind;

use crate::sys::read;

/// What a host text means to a program that binds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// These addresses. With `any_family` it is enough that one family is there, as for `""`.
    Addresses {
        /// The addresses, IPv4 first.
        addresses: Vec<IpAddr>,
        /// Whether a family that this machine lacks is simply left out.
        any_family: bool,
    },
    /// No address at all: why, as a fragment.
    Invalid(String),
    /// A name whose addresses only a name server could tell.
    Unresolved,
}

/// The addresses for a host text; names by `/etc/hosts` alone, because a question to a name
/// server leaves this machine.
pub fn addresses(kind: ServiceKind, host: &str) -> Host {
    let hosts = read::head(Path::new("/etc/hosts"), 1024 * 1024).unwrap_or_default();
    interpret(kind, host, &String::from_utf8_lossy(&hosts))
}

/// The same with the text of a hosts file.
///
/// A wildcard of CLIProxyAPI (Go) takes both families, whichever is written; LiteLLM binds the
/// family that is written. For `localhost` both bind 127.0.0.1 only (real-stack.md §1, litellm.md §4).
pub fn interpret(kind: ServiceKind, host: &str, hosts_file: &str) -> Host {
    let both = |any_family| Host::Addresses {
        addresses: vec![
            IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        ],
        any_family,
    };
    let one = |address| Host::Addresses {
        addresses: vec![address],
        any_family: false,
    };
    if host.is_empty() || host == "*" {
        return both(true);
    }
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    if let Some(inside) = bare {
        return match inside.parse::<Ipv6Addr>() {
            Ok(address) if address.is_unspecified() && kind == ServiceKind::Cliproxyapi => {
                both(true)
            }
            Ok(address) => one(IpAddr::V6(address)),
            Err(_) => Host::Invalid(format!("{host} is no IPv6 address")),
        };
    }
    match host.parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() && kind == ServiceKind::Cliproxyapi => both(true),
        Ok(address) => one(address),
        Err(_) if host.eq_ignore_ascii_case("localhost") => one(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        Err(_) => match malformed(host) {
            Some(why) => Host::Invalid(why),
            None => match named_in(hosts_file, host) {
                Some(address) => one(address),
                None if is_never_resolved(host) => {
                    Host::Invalid(format!("the name {host} does not resolve"))
                }
                None => Host::Unresolved,
            },
        },
    }
}

/// Why a text can be neither an address nor a name.
fn malformed(host: &str) -> Option<String> {
    if host.contains("://") {
        return Some(format!("{host} is a URL, not a host"));
    }
    if host.contains(':') {
        return Some(format!("{host} is no IPv6 address"));
    }
    let labels: Vec<&str> = host.strip_suffix('.').unwrap_or(host).split('.').collect();
    let is_number = |label: &&str| label.bytes().all(|byte| byte.is_ascii_digit());
    if labels.len() >= 4 && labels.iter().all(is_number) {
        return Some(format!("{host} is no IPv4 address"));
    }
    let is_label = |label: &&str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .chars()
                .all(|char| char.is_alphanumeric() || char == '-' || char == '_')
    };
    if host.len() > 253 || !labels.iter().all(is_label) {
        return Some(format!("{host} is no host name"));
    }
    None
}

/// The top-level name `.invalid` never resolves (RFC 6761).
fn is_never_resolved(host: &str) -> bool {
    host.to_ascii_lowercase()
        .trim_end_matches('.')
        .rsplit('.')
        .next()
        == Some("invalid")
}

/// The address that a hosts file gives a name, an IPv4 one first, as the resolver of both programs does.
fn named_in(hosts_file: &str, host: &str) -> Option<IpAddr> {
    let addresses: Vec<IpAddr> = hosts_file
        .lines()
        .filter_map(|line| {
            let mut words = line.split('#').next()?.split_whitespace();
            let address = words.next()?.parse().ok()?;
            words
                .any(|name| name.eq_ignore_ascii_case(host))
                .then_some(address)
        })
        .collect();
    addresses
        .iter()
        .find(|address| address.is_ipv4())
        .or(addresses.first())
        .copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOSTS: &str =
        "127.0.0.1 localhost\n::1 localhost ip6-loopback\n10.0.0.5  gw.lan GW # ours\n";

    fn known(kind: ServiceKind, host: &str) -> Vec<String> {
        match interpret(kind, host, HOSTS) {
            Host::Addresses { addresses, .. } => {
                addresses.iter().map(ToString::to_string).collect()
            }
            other => panic!("{host}: {other:?}"),
        }
    }

    #[test]
    fn each_program_binds_what_its_runtime_binds() {
        let (litellm, cliproxy) = (ServiceKind::Litellm, ServiceKind::Cliproxyapi);
        for (kind, host, expected) in [
            (litellm, "127.0.0.1", vec!["127.0.0.1"]),
            (litellm, "localhost", vec!["127.0.0.1"]),
            (cliproxy, "localhost", vec!["127.0.0.1"]),
            (litellm, "::1", vec!["::1"]),
            (cliproxy, "[::1]", vec!["::1"]),
            (litellm, "0.0.0.0", vec!["0.0.0.0"]),
            (cliproxy, "0.0.0.0", vec!["0.0.0.0", "::"]),
            (cliproxy, "", vec!["0.0.0.0", "::"]),
            (cliproxy, "::", vec!["0.0.0.0", "::"]),
            (litellm, "gw", vec!["10.0.0.5"]),
        ] {
            assert_eq!(known(kind, host), expected, "{host}");
        }
    }

    #[test]
    fn what_is_no_host_is_said_and_a_name_for_a_name_server_is_not_asked() {
        for host in [
            "127.0.0.256",
            "http://127.0.0.1",
            "127.0.0.1:4000",
            "a b",
            "[::1",
            "nobody.invalid",
            ":::1",
        ] {
            let read = interpret(ServiceKind::Litellm, host, HOSTS);
            assert!(matches!(read, Host::Invalid(_)), "{host}: {read:?}");
        }
        let read = interpret(ServiceKind::Litellm, "gateway.example", HOSTS);
        assert_eq!(read, Host::Unresolved);
    }

    proptest! {
        #[test]
        fn no_host_makes_it_panic(host in "[\\[\\]0-9a-z:./é ]{0,40}", hosts in "[0-9a-z.:# \n]{0,60}") {
            interpret(ServiceKind::Cliproxyapi, &host, &hosts);
        }
    }
}
