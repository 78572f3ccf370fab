//! What runs was started with another config than the file holds now.

use jiff::Timestamp;

use super::{RUNNING_CONFIG_DIFFERS, overridden};
use crate::by_hand::{self, short};
use crate::model::{
    BodyClass, ChangedEntry, ConfigFile, EntryChange, EntryValue, Evidence, Finding, KeyedAnswer,
    Observed, Outcome, Process, ServiceKind, Snapshot, Subject, UnknownDatum, Verdict,
};
use crate::state::{View, address_key, services, started_at};
use crate::steps;
use crate::upstream::{Fate, fate};
use crate::words;

/// The entries that CLIProxyAPIPlus takes up at its start alone; it reloads the rest
/// (`facts/cliproxyapi.md` 8.5).
const NOT_RELOADED: [&str; 4] = ["host", "port", "tls", "auth-dir"];

/// The entry of the key that LiteLLM accepts.
const MASTER_KEY: &str = "general_settings.master_key";

/// So many differences are shown.
const SHOWN: usize = 4;

/// One difference between the file and the process.
struct Difference {
    /// The entry in the file.
    entry: String,
    /// What shows it.
    row: Evidence,
}

/// Finds services that run with something else than their file says.
pub fn look(snapshot: &Snapshot, verdict: &mut Verdict) {
    for view in services(snapshot) {
        let Some(process) = view.main_process() else {
            continue;
        };
        let Some(config) = view.own_config() else {
            continue;
        };
        // A config from elsewhere differs rightly.
        if !config.is_loaded() || overridden::is(view) {
            continue;
        }
        let mut differences = recorded(view, config);
        let is_compared = view.service.changed_entries.known().is_some();
        if !is_compared {
            differences.extend(observed(view, config));
        }
        differences.extend(refused(view, config, process, is_compared));
        if differences.is_empty() {
            verdict.unknowns.extend(unknown(view));
        } else {
            verdict.push(finding(view, config, process, &differences));
        }
    }
}

/// What differs from the digests that its start recorded.
fn recorded(view: View<'_>, config: &ConfigFile) -> Vec<Difference> {
    let changes = view.service.changed_entries.known();
    changes
        .into_iter()
        .flatten()
        .filter(|change| needs_restart(view.service.kind, &change.entry))
        .map(|change| Difference {
            entry: change.entry.clone(),
            row: change_row(view.snapshot, config, change),
        })
        .collect()
}

/// Whether a running process goes on with the old value of an entry.
fn needs_restart(kind: ServiceKind, entry: &str) -> bool {
    match kind {
        ServiceKind::Litellm => true,
        ServiceKind::Cliproxyapi => {
            let first = entry.split(['.', '[']).next().unwrap_or(entry);
            NOT_RELOADED.contains(&first)
        }
        ServiceKind::Other => false,
    }
}

fn change_row(snapshot: &Snapshot, config: &ConfigFile, change: &ChangedEntry) -> Evidence {
    let what = match change.change {
        EntryChange::Changed => "was changed",
        EntryChange::Added => "was added",
        EntryChange::Removed => "was taken out",
    };
    Evidence::new(
        "config",
        format!("{} {what} since the start", change.entry),
        config.place(&change.entry),
    )
    .expected("as it was at the start")
    .command(match config.entry(&change.entry) {
        Some(_) => by_hand::show_entry(snapshot, config, &change.entry),
        None => written_command(snapshot, config),
    })
}

/// What the sockets and answers of CLIProxyAPIPlus show of the entries that it does not take up anew.
fn observed(view: View<'_>, config: &ConfigFile) -> Vec<Difference> {
    if view.service.kind != ServiceKind::Cliproxyapi || !view.owns_port() {
        return Vec::new();
    }
    [
        other_port(view, config),
        other_host(view, config),
        other_scheme(view, config),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// It listens where flowgate.yaml says, and its own file names another port: the program takes it from
/// nowhere else, so the file was changed since.
fn other_port(view: View<'_>, config: &ConfigFile) -> Option<Difference> {
    let port = view.settings().port?;
    match config.entry("port").map(|entry| &entry.value) {
        Some(EntryValue::Int(written)) if *written != 0 && *written != i64::from(port) => {
            Some(difference(view, config, "port", format!("port: {written}")))
        }
        _ => None,
    }
}

fn other_host(view: View<'_>, config: &ConfigFile) -> Option<Difference> {
    let written = match config.entry("host").map(|entry| &entry.value) {
        Some(EntryValue::Text(text)) => text.trim_matches(['[', ']']),
        _ => return None,
    };
    let is_wildcard = |address: &str| matches!(address, "" | "0.0.0.0" | "::");
    let is_address = written.parse::<std::net::IpAddr>().is_ok() || written.is_empty();
    let listens_so = view
        .own_sockets()
        .into_iter()
        .filter(|socket| Some(socket.port) == view.settings().port)
        .any(|socket| {
            socket.address == written || is_wildcard(written) && is_wildcard(&socket.address)
        });
    (is_address && !listens_so)
        .then(|| difference(view, config, "host", format!("host: \"{written}\"")))
}

fn other_scheme(view: View<'_>, config: &ConfigFile) -> Option<Difference> {
    let probes = view.probes()?;
    let is_mixed_up = [&probes.root, &probes.readiness].into_iter().any(|answer| {
        answer.known().is_some_and(|answer| {
            answer.outcome == Outcome::WrongScheme || answer.body() == Some(&BodyClass::TlsExpected)
        })
    });
    if !is_mixed_up {
        return None;
    }
    let entry = "tls.enable";
    let says = match config.entry(entry).map(|entry| &entry.value) {
        Some(EntryValue::Bool(true)) => "tls is on, and the port speaks plain HTTP",
        _ => "tls is off, and the port speaks TLS",
    };
    Some(difference(view, config, entry, says.into()))
}

fn difference(view: View<'_>, config: &ConfigFile, entry: &str, says: String) -> Difference {
    let addresses: Vec<String> = view
        .own_sockets()
        .into_iter()
        .map(|socket| address_key(&socket.address, socket.port))
        .collect();
    Difference {
        entry: entry.into(),
        row: Evidence::new("config", says, config.place(entry))
            .expected(format!("what listens: {}", words::list(&addresses)))
            .command(by_hand::show_entry(view.snapshot, config, entry)),
    }
}

/// Keys of the file that the process refuses: LiteLLM never reads it anew, and CLIProxyAPIPlus lost
/// the reload, as it does when the file is replaced by a rename.
fn refused(
    view: View<'_>,
    config: &ConfigFile,
    process: &Process,
    is_compared: bool,
) -> Vec<Difference> {
    let is_litellm = view.service.kind == ServiceKind::Litellm;
    let was_written_since = match config.modified_at {
        Some(at) => at > started_at(view.snapshot, process),
        None => !is_litellm,
    };
    if !was_written_since || (is_litellm && is_compared) {
        return Vec::new();
    }
    let answers = view.serving_probes().into_iter();
    answers
        .flat_map(|probes| probes.models.values())
        .filter(|keyed| is_refused(keyed))
        .filter_map(|keyed| {
            let entry = own_key(view.service.kind, config, keyed.key.as_deref()?)?;
            Some(Difference {
                row: key_row(view, config, keyed, &entry),
                entry,
            })
        })
        .collect()
}

fn is_refused(keyed: &KeyedAnswer) -> bool {
    keyed
        .answer
        .known()
        .is_some_and(|answer| fate(answer) == Fate::Refused)
}

/// The entry of the file that holds this key as one that is accepted.
fn own_key(kind: ServiceKind, config: &ConfigFile, key: &str) -> Option<String> {
    let holds = |path: &str| match config.entry(path).map(|entry| &entry.value) {
        Some(EntryValue::Secret { fingerprint, .. }) => fingerprint == key,
        _ => false,
    };
    match kind {
        ServiceKind::Litellm => holds(MASTER_KEY).then(|| MASTER_KEY.to_owned()),
        ServiceKind::Cliproxyapi => config
            .entries
            .keys()
            .filter(|path| path.starts_with("api-keys["))
            .find(|path| holds(path))
            .cloned(),
        ServiceKind::Other => None,
    }
}

fn key_row(view: View<'_>, config: &ConfigFile, keyed: &KeyedAnswer, entry: &str) -> Evidence {
    let seen = keyed
        .answer
        .known()
        .map_or_else(String::new, |answer| answer.describe());
    let key = keyed.key.as_deref().map_or("", short);
    let url = by_hand::url(
        view.settings().scheme,
        &view.address().unwrap_or_default(),
        "/v1/models",
    );
    Evidence::new(
        "answer",
        format!("{seen} to key {key}"),
        config.place(entry),
    )
    .expected("200: the file holds this key")
    .command(by_hand::ask_with_key(view.snapshot, &keyed.key_from, &url))
}

fn finding(
    view: View<'_>,
    config: &ConfigFile,
    process: &Process,
    differences: &[Difference],
) -> Finding {
    let first = &differences[0];
    let more = match differences.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let cause = match view.service.kind {
        ServiceKind::Litellm => "it reads its config at the start alone".to_owned(),
        _ if first.entry.starts_with("api-keys") => {
            "the file was changed and the program did not notice: it does not see one that was \
             replaced by a rename"
                .into()
        }
        _ => format!("{} is taken up at the start alone", first.entry),
    };
    let mut finding = Finding::new(
        &RUNNING_CONFIG_DIFFERS,
        Subject::Service(view.name.into()),
        format!(
            "{} (pid {}) runs with another {}{more} than {} holds",
            view.name,
            process.pid,
            first.entry,
            config.place(&first.entry)
        ),
        cause,
    )
    .brief("runs with an older config");
    for difference in differences.iter().take(SHOWN) {
        finding = finding.evidence(difference.row.clone());
    }
    if let Some(at) = config.modified_at {
        let start = started_at(view.snapshot, process);
        finding = finding.evidence(
            Evidence::new("file", format!("written at {}", second(at)), &config.path)
                .expected(format!("before the start at {}", second(start)))
                .command(written_command(view.snapshot, config)),
        );
    }
    finding.fix(steps::restart_asked(
        view,
        format!("restart {}, so that it reads {}", view.name, config.path),
        by_hand::restart(view),
    ))
}

fn written_command(snapshot: &Snapshot, config: &ConfigFile) -> String {
    format!("ls -l {}", crate::shell::path(snapshot, &config.path))
}

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Without the key of the recorded digests nobody can tell whether a value was changed.
fn unknown(view: View<'_>) -> Option<UnknownDatum> {
    let Observed::Unknown(unknown) = &view.service.changed_entries else {
        return None;
    };
    Some(UnknownDatum {
        what: format!("whether {} runs with what its config says", view.name),
        why: unknown.why.clone(),
        command: unknown.command.clone(),
        optional: true,
    })
}
