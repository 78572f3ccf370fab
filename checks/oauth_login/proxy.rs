//! CLIProxyAPIPlus asks its providers through a proxy that is not there.

use super::PROXY_UNREACHABLE;
use crate::by_hand;
use crate::config::overridden;
use crate::model::{EnvVariable, Evidence, Finding, Fix, Severity, Subject, UnknownDatum, Verdict};
use crate::state::{View, all_sockets};
use crate::upstream::Address;

/// Where a proxy is named.
struct Named<'a> {
    url: &'a str,
    /// The variable of the running process; none for `proxy-url` of its config.
    variable: Option<&'a str>,
}

/// Finds a proxy on this machine where nothing listens. A proxy elsewhere is never asked.
pub fn look(proxy: View<'_>, verdict: &mut Verdict) {
    let Some((named, address)) = named(proxy)
        .and_then(|named| Some((address(named.url)?, named)))
        .map(|(a, n)| (n, a))
    else {
        return;
    };
    if !address.is_local() {
        verdict.unknowns.push(UnknownDatum {
            what: format!("whether the proxy at {address} answers"),
            why: "it is on another machine, which is not asked".into(),
            command: None,
            optional: true,
        });
        return;
    }
    let snapshot = proxy.snapshot;
    let Some(_) = snapshot.sockets.known() else {
        return;
    };
    if all_sockets(snapshot).any(|socket| address.reaches(&socket.address, socket.port)) {
        return;
    }
    verdict.push(finding(proxy, &named, &address));
}

/// `proxy-url` of its file wins over the variables of its process (`facts/cliproxyapi.md` 2.1).
fn named<'a>(proxy: View<'a>) -> Option<Named<'a>> {
    let config = &proxy.snapshot.configs.cliproxyapi;
    let in_file = config.text("proxy-url").map(str::trim).unwrap_or_default();
    if !in_file.is_empty() && !overridden::is(proxy) {
        return Some(Named {
            url: in_file,
            variable: None,
        });
    }
    if !proxy.is_running() {
        return None;
    }
    let environment = proxy.service.environment.known()?;
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .find_map(|name| match environment.get(name)? {
            EnvVariable::Text(url) if !url.trim().is_empty() => Some(Named {
                url: url.trim(),
                variable: Some(name),
            }),
            _ => None,
        })
}

/// Host and port of a proxy; `direct` and `none` name none.
fn address(url: &str) -> Option<Address> {
    let (scheme, rest) = url.split_once("://")?;
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => Address::of_url(url),
        "socks5" | "socks5h" => {
            let has_port = rest
                .rsplit(['@', ']'])
                .next()
                .is_some_and(|authority| authority.contains(':'));
            let port = if has_port { "" } else { ":1080" };
            Address::of_url(&format!("http://{}{port}", rest.trim_end_matches('/')))
        }
        _ => None,
    }
}

fn finding(proxy: View<'_>, named: &Named<'_>, address: &Address) -> Finding {
    let snapshot = proxy.snapshot;
    let config = &snapshot.configs.cliproxyapi;
    let place = match (named.variable, proxy.main_process()) {
        (Some(name), Some(process)) => format!("{name} of pid {}", process.pid),
        (Some(name), None) => name.to_owned(),
        (None, _) => config.place("proxy-url"),
    };
    let row = match (named.variable, proxy.main_process()) {
        (Some(name), Some(process)) => {
            Evidence::new("environment", name, place.clone()).command(format!(
                "tr '\\0' '\\n' < /proc/{}/environ | grep -o '^{name}='",
                process.pid
            ))
        }
        _ => Evidence::new(
            "config",
            format!("proxy-url leads to {address}"),
            place.clone(),
        )
        .command(by_hand::show_name(snapshot, &config.path, "proxy-url")),
    };
    let mut finding = Finding::new(
        &PROXY_UNREACHABLE,
        Subject::Service(proxy.name.into()),
        format!(
            "{} asks its providers through the proxy {address}, where nothing listens",
            proxy.name
        ),
        format!("{place} names it"),
    )
    .brief(format!("no proxy at {address}"))
    .evidence(row)
    .evidence(
        Evidence::new("listener", format!("none at {address}"), "socket table")
            .expected("the proxy")
            .command(format!("ss -ltn 'sport = :{}'", address.port)),
    );
    if !proxy.is_wanted() && !proxy.is_running() {
        finding = finding.at(Severity::Warning);
    }
    finding.fix(Fix::manual(
        "by-hand",
        format!(
            "start the proxy at {address}, or take it out at {place} and restart {}",
            proxy.name
        ),
        Vec::new(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_has_host_and_port_in_every_scheme() {
        for (url, expected) in [
            ("http://127.0.0.1:7890", Some("127.0.0.1:7890")),
            ("socks5://127.0.0.1", Some("127.0.0.1:1080")),
            ("socks5h://user:pw@127.0.0.1:1081/", Some("127.0.0.1:1081")),
            ("socks5://[::1]", Some("[::1]:1080")),
            ("direct", None),
            ("ftp://127.0.0.1:1", None),
            ("socks5://", None),
        ] {
            let found = address(url).map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{url}");
        }
    }
}
