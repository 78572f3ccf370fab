//! Edits of every place that names the port or the host of a service.

use super::{Edits, come_up, litellm};
use crate::clients;
use crate::model::{
    ClientChange, ConfigFile, EntryValue, Literal, ServiceKind, Snapshot, Step, Value,
};
use crate::places::{self, leads_to, names_port};
use crate::state::{View, service_of};

/// Gives a service another port wherever it is given one itself: its setting, its arguments, the file
/// of CLIProxyAPIPlus.
pub fn set_own(edits: &mut Edits<'_>, view: &View<'_>, old: u16, new: u16) {
    let configs = &view.snapshot.configs;
    let flowgate = &configs.flowgate;
    let number = || Value::Literal(Literal::Int(i64::from(new)));
    // What somebody else runs goes on where it is.
    if !view.settings().managed {
        return edits.give_up();
    }
    let path = places::setting_path(view, "port");
    match flowgate.entry(&path) {
        Some(_) => edits.set_text(flowgate, &path, &new.to_string()),
        None => edits.insert(flowgate, path.trim_end_matches(".port"), "port", number()),
    }
    match view.service.kind {
        ServiceKind::Litellm if !places::has_port_argument(view) => edits.give_up(),
        _ => set_argument(
            edits,
            view,
            &["--port", "-port"],
            &new.to_string(),
            |value| value == old.to_string(),
        ),
    }
    let own = &configs.cliproxyapi;
    if view.service.kind == ServiceKind::Cliproxyapi && own.is_loaded() {
        match own.entry("port") {
            None => edits.insert(own, "", "port", number()),
            Some(entry) if names_port(entry, old) => {
                edits.set_text(own, "port", &new.to_string());
            }
            Some(_) => edits.give_up(),
        }
    }
}

/// Gives a service another port wherever something names it, and lets all take that up.
pub fn set_everywhere(edits: &mut Edits<'_>, view: &View<'_>, old: u16, new: u16) {
    let snapshot = view.snapshot;
    set_own(edits, view, old, new);
    set_urls(edits, &snapshot.configs.flowgate, old, new);
    let upstreams = upstreams(snapshot, old);
    if !litellm::is_from_profile(snapshot) {
        set_urls(edits, &snapshot.configs.litellm, old, new);
    } else if upstreams
        .iter()
        .any(|entry| !is_edited(snapshot, entry, old))
    {
        edits.give_up();
    }
    let litellm = service_of(snapshot, ServiceKind::Litellm).filter(|_| !upstreams.is_empty());
    if litellm.is_some() {
        litellm::activate(edits, snapshot);
    }
    if view.service.kind == ServiceKind::Litellm {
        edits.then(Some(point_clients(view)));
    }
    edits.then(come_up(*view));
    if let Some(litellm) = litellm {
        edits.then(come_up(litellm));
    }
}

/// The clients that flowgate pointed at a service go where it goes.
fn point_clients(view: &View<'_>) -> Vec<Step> {
    clients::readable(view.snapshot)
        .filter(|(_, client)| clients::is_pointed_at(client, *view))
        .map(|(name, client)| clients::step(name, client, ClientChange::Point))
        .collect()
}

/// The entries of the active LiteLLM config that lead to a port of this machine.
pub fn upstreams(snapshot: &Snapshot, port: u16) -> Vec<&str> {
    let entries = snapshot.configs.litellm.entries.iter();
    entries
        .filter(|(path, entry)| path.ends_with(".api_base") && leads_to(&entry.value, port))
        .map(|(path, _)| path.as_str())
        .collect()
}

/// Whether what gives such an entry its value leads to the port as well: else nobody knows what the
/// next activation makes of it.
fn is_edited(snapshot: &Snapshot, entry: &str, port: u16) -> bool {
    litellm::source(snapshot, entry)
        .and_then(|(config, path)| config.entry(&path))
        .is_some_and(|entry| leads_to(&entry.value, port))
}

/// Gives each URL of a config that leads to a port of this machine another one.
fn set_urls(edits: &mut Edits<'_>, config: &ConfigFile, old: u16, new: u16) {
    for (path, entry) in &config.entries {
        let EntryValue::Text(url) = &entry.value else {
            continue;
        };
        if places::is_url_entry(path) && leads_to(&entry.value, old) {
            set_url(edits, config, path, url, new);
        }
    }
}

/// Gives the URL of one entry another port.
pub fn set_url(edits: &mut Edits<'_>, config: &ConfigFile, path: &str, url: &str, new: u16) {
    match with_port(url, new) {
        Some(url) => edits.set_text(config, path, &url),
        None => edits.give_up(),
    }
}

/// A URL with another port than the one that it names.
fn with_port(url: &str, new: u16) -> Option<String> {
    let start = url.find("://")? + 3;
    let end = url[start..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |length| start + length);
    let (host, port) = url[start..end].rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    Some(format!("{}{host}:{new}{}", &url[..start], &url[end..]))
}

/// Gives every argument under one of these flags another value, where the old one is meant.
pub fn set_argument(
    edits: &mut Edits<'_>,
    view: &View<'_>,
    flags: &[&str],
    new: &str,
    is_meant: impl Fn(&str) -> bool,
) {
    let args = &view.settings().args;
    let config = &view.snapshot.configs.flowgate;
    for (index, arg) in args.iter().enumerate() {
        let joined = arg
            .split_once('=')
            .filter(|(flag, value)| flags.contains(flag) && is_meant(value))
            .map(|(flag, _)| format!("{flag}={new}"));
        let follows = index > 0 && flags.contains(&args[index - 1].as_str()) && is_meant(arg);
        let Some(text) = joined.or_else(|| follows.then(|| new.to_owned())) else {
            continue;
        };
        let path = places::setting_path(view, &format!("command.args[{index}]"));
        if is_written(config, &path, arg) {
            edits.set_text(config, &path, &text);
        } else {
            edits.give_up();
        }
    }
}

/// Whether an entry says what the service is given.
fn is_written(config: &ConfigFile, path: &str, text: &str) -> bool {
    match config.entry(path).map(|entry| &entry.value) {
        Some(EntryValue::Int(number)) => number.to_string() == text,
        Some(EntryValue::Number(written) | EntryValue::Text(written)) => written == text,
        _ => false,
    }
}

/// Gives a service another host wherever it is given one itself.
pub fn set_host(edits: &mut Edits<'_>, view: &View<'_>, new: &str) {
    let configs = &view.snapshot.configs;
    let bare = |text: &str| text.trim_matches(['[', ']']).to_owned();
    let old = bare(&view.settings().host);
    let path = places::setting_path(view, "host");
    match configs.flowgate.entry(&path) {
        Some(_) => edits.set_text(&configs.flowgate, &path, new),
        None => edits.insert(
            &configs.flowgate,
            path.trim_end_matches(".host"),
            "host",
            Value::Literal(Literal::Text(new.into())),
        ),
    }
    set_argument(edits, view, &["--host", "-host"], new, |value| {
        bare(value) == old
    });
    let is_named = configs.cliproxyapi.text("host").map(bare) == Some(old);
    if view.service.kind == ServiceKind::Cliproxyapi && is_named {
        edits.set_text(&configs.cliproxyapi, "host", new);
    }
    edits.then(come_up(*view));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_of_a_url_becomes_another() {
        let with = |url: &str| with_port(url, 9000);
        assert_eq!(
            with("http://127.0.0.1:8317/v0/x?a=:8317").as_deref(),
            Some("http://127.0.0.1:9000/v0/x?a=:8317")
        );
        assert_eq!(
            with("https://[::1]:8317").as_deref(),
            Some("https://[::1]:9000")
        );
        for url in [
            "http://127.0.0.1/v1",
            "http://[::1]/v1",
            "127.0.0.1:8317",
            "",
        ] {
            assert_eq!(with(url), None, "{url}");
        }
    }
}
