//! Where the user's files say what a finding is about: `config/flowgate.yaml:10  port: 4000`.

use std::collections::BTreeSet;

use crate::model::{
    ConfigFile, ConfigState, Configs, Entry, EntryValue, Evidence, ServiceKind, Snapshot,
    UnknownDatum,
};
use crate::shell;
use crate::state::View;

/// With a flowgate.yaml that cannot be read nothing is assumed: what it would tell is unknown.
pub fn unread_config(snapshot: &Snapshot) -> Option<UnknownDatum> {
    let config = &snapshot.configs.flowgate;
    let why = match &config.state {
        ConfigState::Unreadable { why } => format!("{} cannot be read: {why}", config.path),
        ConfigState::Invalid { .. } => format!("{} is no valid config", config.path),
        ConfigState::NotLooked | ConfigState::Loaded | ConfigState::Missing => return None,
    };
    Some(UnknownDatum {
        what: "the services".into(),
        why,
        command: None,
        optional: false,
    })
}

/// A line of a config file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Where its file comes in a list: flowgate.yaml first, the rendered one last.
    rank: u8,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

impl Place {
    /// Where an entry of a file stands.
    fn of(configs: &Configs, config: &ConfigFile, entry: &Entry) -> Self {
        let is = |known: &ConfigFile| config.path == known.path;
        let rank = [&configs.flowgate, &configs.cliproxyapi]
            .iter()
            .position(|known| is(known));
        Self {
            rank: rank.map_or(2, |rank| if rank == 0 { 0 } else { 1 }),
            file: config.path.clone(),
            line: entry.position.line,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The entry of a setting of a service in flowgate.yaml, under its present or its older name.
pub fn setting<'a>(view: &View<'a>, key: &str) -> Option<&'a Entry> {
    let config = &view.snapshot.configs.flowgate;
    config.entry(&setting_path(view, key))
}

/// The path of a setting of a service in flowgate.yaml: under its older name where it stands there.
pub fn setting_path(view: &View<'_>, key: &str) -> String {
    let entries = &view.snapshot.configs.flowgate.entries;
    let path = format!("services.{}.{key}", view.name);
    let older = format!("services.cliproxyapi.{key}");
    let is_new = |name: &str| {
        let section = format!("services.{name}");
        entries.keys().any(|path| {
            path.strip_prefix(&section)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let is_older = view.service.kind == ServiceKind::Cliproxyapi
        && !entries.contains_key(&path)
        && (entries.contains_key(&older) || !is_new(view.name) && is_new("cliproxyapi"));
    if is_older { older } else { path }
}

/// `file:line` of a setting of a service, or flowgate.yaml alone for a default.
pub fn place_of(view: &View<'_>, key: &str) -> String {
    let file = &view.snapshot.configs.flowgate.path;
    match setting(view, key) {
        Some(entry) => format!("{file}:{}", entry.position.line),
        None => file.clone(),
    }
}

/// The user's line that gives a service a setting, as an observation.
pub fn setting_row(view: &View<'_>, key: &str, value: &str) -> Evidence {
    let config = &view.snapshot.configs.flowgate;
    match setting(view, key) {
        Some(entry) => line_row(view.snapshot, config, entry, key, value),
        None => Evidence::new(
            "config",
            format!("{key} {value} of {}, which is the default", view.name),
            &config.path,
        ),
    }
}

/// A line of a config file as an observation.
pub fn line_row(
    snapshot: &Snapshot,
    config: &ConfigFile,
    entry: &Entry,
    key: &str,
    value: &str,
) -> Evidence {
    let line = entry.position.line;
    Evidence::new(
        "config",
        format!("{key}: {value}"),
        format!("{}:{line}", config.path),
    )
    .command(format!(
        "sed -n {line}p {}",
        shell::path(snapshot, &config.path)
    ))
}

/// Every place that names a port of a service: what it is given itself, the endpoints under `auth`,
/// and every `api_base` that leads to it; sorted.
pub fn port_places(view: &View<'_>, port: u16) -> Vec<Place> {
    let configs = &view.snapshot.configs;
    let mut places: BTreeSet<Place> = own_port_places(view, port).into_iter().collect();
    for config in [&configs.flowgate, &configs.litellm] {
        for (path, entry) in &config.entries {
            if is_url_entry(path) && leads_to(&entry.value, port) {
                places.insert(Place::of(configs, config, entry));
            }
        }
    }
    places.into_iter().collect()
}

/// The places that give a service its port: its setting, its arguments, the file of CLIProxyAPIPlus; sorted.
pub fn own_port_places(view: &View<'_>, port: u16) -> Vec<Place> {
    let configs = &view.snapshot.configs;
    let own_file = match view.service.kind {
        ServiceKind::Cliproxyapi => configs.cliproxyapi.entry("port"),
        ServiceKind::Litellm | ServiceKind::Other => None,
    };
    let places: BTreeSet<Place> = setting(view, "port")
        .filter(|entry| names_port(entry, port))
        .into_iter()
        .chain(port_arguments(view, port))
        .map(|entry| Place::of(configs, &configs.flowgate, entry))
        .chain(
            own_file
                .filter(|entry| names_port(entry, port))
                .map(|entry| Place::of(configs, &configs.cliproxyapi, entry)),
        )
        .collect();
    places.into_iter().collect()
}

/// The places that give a service its host: its setting, its arguments, the file of CLIProxyAPIPlus; sorted.
pub fn host_places(view: &View<'_>, host: &str) -> Vec<Place> {
    let configs = &view.snapshot.configs;
    let bare = |text: &str| text.trim_matches(['[', ']']).to_owned();
    let names =
        |entry: &Entry| matches!(&entry.value, EntryValue::Text(text) if bare(text) == bare(host));
    let argument = |index: usize| setting(view, &format!("command.args[{index}]"));
    let arguments = (0..view.settings().args.len()).filter_map(argument);
    let own_file = match view.service.kind {
        ServiceKind::Cliproxyapi => configs.cliproxyapi.entry("host"),
        ServiceKind::Litellm | ServiceKind::Other => None,
    };
    let places: BTreeSet<Place> = setting(view, "host")
        .into_iter()
        .chain(arguments)
        .filter(|entry| names(entry))
        .map(|entry| Place::of(configs, &configs.flowgate, entry))
        .chain(
            own_file
                .filter(|entry| names(entry))
                .map(|entry| Place::of(configs, &configs.cliproxyapi, entry)),
        )
        .collect();
    places.into_iter().collect()
}

/// Whether an entry may hold a URL of a service.
pub fn is_url_entry(path: &str) -> bool {
    path.starts_with("auth.") || path.starts_with("oauth.") || path.ends_with(".api_base")
}

/// Whether an entry is this port.
pub fn names_port(entry: &Entry, port: u16) -> bool {
    match &entry.value {
        EntryValue::Int(number) => *number == i64::from(port),
        EntryValue::Number(text) | EntryValue::Text(text) => text.trim() == port.to_string(),
        _ => false,
    }
}

/// The arguments that give the port: `--port 4000`, `--port=4000`. Where the snapshot knows the
/// arguments and not their lines, the line of the whole command stands for them.
fn port_arguments<'a>(view: &View<'a>, port: u16) -> Vec<&'a Entry> {
    let args = &view.settings().args;
    let is_flag = |text: &str| matches!(text, "--port" | "-port");
    let at = |index: usize| {
        setting(view, &format!("command.args[{index}]"))
            .or_else(|| setting(view, "command.args"))
            .or_else(|| setting(view, "command.args[0]"))
    };
    (0..args.len())
        .filter(|&index| {
            let arg = args[index].as_str();
            let joined = arg
                .split_once('=')
                .is_some_and(|(flag, value)| is_flag(flag) && value == port.to_string());
            let follows = index > 0 && is_flag(&args[index - 1]) && arg == port.to_string();
            joined || follows
        })
        .filter_map(at)
        .collect()
}

/// Whether a service is given its port as an argument.
pub fn has_port_argument(view: &View<'_>) -> bool {
    view.settings()
        .args
        .iter()
        .any(|arg| matches!(arg.split('=').next(), Some("--port" | "-port")))
}

/// Whether a URL leads to a port of this machine: `http://127.0.0.1:8317/v1`.
pub fn leads_to(value: &EntryValue, port: u16) -> bool {
    let EntryValue::Text(url) = value else {
        return false;
    };
    let Some((_, rest)) = url.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((host, number)) = authority.rsplit_once(':') else {
        return false;
    };
    let is_here = host.starts_with("127.") || matches!(host, "localhost" | "[::1]" | "0.0.0.0");
    is_here && number == port.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_url_of_this_machine_with_the_port_leads_to_it() {
        let leads = |url: &str| leads_to(&EntryValue::Text(url.into()), 8317);
        for url in [
            "http://127.0.0.1:8317/v1",
            "https://localhost:8317",
            "http://[::1]:8317/v1?x=1",
        ] {
            assert!(leads(url), "{url}");
        }
        for url in [
            "http://127.0.0.1:83170/v1",
            "http://example.com:8317/v1",
            "http://127.0.0.1/8317",
            "127.0.0.1:8317",
            "",
            "://:8317",
        ] {
            assert!(!leads(url), "{url}");
        }
    }
}
