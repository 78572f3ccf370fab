//! The management API is off, and a login through it is wanted.

use super::MANAGEMENT_DISABLED;
use crate::by_hand;
use crate::logins::{configured, edition, is_any_wanted, is_wanted};
use crate::model::{
    BodyClass, ConfigFile, EntryValue, Evidence, Finding, Fix, Literal, Observed, SecretClass,
    Severity, Snapshot, Subject, UnknownDatum, Value, Verdict,
};
use crate::places;
use crate::routes::{Edition, login_route};
use crate::state::View;
use crate::steps::{self, Edits};

/// The entry of the management key in cliproxyapi.yaml.
pub const SECRET_KEY: &str = "remote-management.secret-key";

/// The variable that turns the API on without a key in the file.
const PASSWORD: &str = "MANAGEMENT_PASSWORD";

/// Finds a management API that is off.
pub fn look(proxy: View<'_>, verdict: &mut Verdict) {
    let snapshot = proxy.snapshot;
    let config = &snapshot.configs.cliproxyapi;
    if !config.is_loaded() {
        return;
    }
    if has_key(config) {
        if answers_not_found(snapshot) {
            verdict.push(finding(
                proxy,
                format!(
                    "{} has a secret-key, and the running process does not know it",
                    config.place(SECRET_KEY)
                ),
            ));
        } else if snapshot.credentials.management.key_from.is_none() {
            verdict.unknowns.push(UnknownDatum {
                what: "what the program says of its logins".into(),
                why: format!(
                    "flowgate keeps no management key, and {} holds a hash of one",
                    config.place(SECRET_KEY)
                ),
                command: None,
                optional: !is_any_wanted(snapshot),
            });
        }
        return;
    }
    match has_password(proxy) {
        Some(true) => {}
        Some(false) => {
            let place = config.place(SECRET_KEY);
            verdict.push(finding(
                proxy,
                format!("{place} has no secret-key, and {PASSWORD} is not set for the process"),
            ));
        }
        None => verdict.unknowns.push(UnknownDatum {
            what: format!("whether {} has a management API", proxy.name),
            why: format!("whether {PASSWORD} is set for it cannot be seen"),
            command: environ_command(proxy)
                .map(|command| format!("sudo sh -c {}", crate::shell::quote(&command))),
            optional: !is_any_wanted(snapshot),
        }),
    }
}

fn has_key(config: &ConfigFile) -> bool {
    match config.entry(SECRET_KEY).map(|entry| &entry.value) {
        Some(EntryValue::Secret { class, .. }) => *class != SecretClass::Empty,
        Some(EntryValue::Text(text)) => !text.is_empty(),
        Some(EntryValue::Int(_) | EntryValue::Number(_) | EntryValue::Bool(_)) => true,
        _ => false,
    }
}

/// Whether the process has the variable, or would get it; none when that cannot be seen.
fn has_password(proxy: View<'_>) -> Option<bool> {
    let logged = proxy.service.log.known().is_some_and(|log| {
        log.lines
            .iter()
            .any(|line| line.contains("management routes registered"))
    });
    match &proxy
        .snapshot
        .credentials
        .management
        .password_in_environment
    {
        _ if logged => Some(true),
        Observed::Known(is_set) => Some(*is_set),
        Observed::NotAsked if !proxy.is_running() && !proxy.is_identified() => {
            Some(proxy.snapshot.environment.contains_key(PASSWORD) || is_given_one(proxy))
        }
        Observed::Unknown(_) | Observed::NotAsked => None,
    }
}

/// Whether flowgate would start it with the management key that it keeps: `management: auto`, and
/// a host that only this machine reaches (DESIGN section 9).
fn is_given_one(proxy: View<'_>) -> bool {
    is_auto(proxy) && proxy.snapshot.credentials.management.key_from.is_some() && is_loopback(proxy)
}

/// Every management route is 404 where the API is off, also with the right key.
fn answers_not_found(snapshot: &Snapshot) -> bool {
    snapshot
        .credentials
        .management
        .answer
        .known()
        .is_some_and(|answer| {
            let is_bare = matches!(answer.body(), Some(BodyClass::Text | BodyClass::Empty));
            answer.status() == Some(404) && is_bare
        })
}

/// The providers whose wanted login goes through the management API.
fn waiting(snapshot: &Snapshot) -> Vec<&str> {
    let edition = edition(snapshot);
    let goes_through_it = |provider: &str| {
        let is_known = login_route(provider, Edition::Unknown).is_some();
        let has_endpoint = snapshot
            .credentials
            .providers
            .get(provider)
            .is_some_and(|found| found.auth_url_endpoint.is_some());
        has_endpoint && (!is_known || login_route(provider, edition).is_some())
    };
    configured(snapshot)
        .into_iter()
        .filter(|provider| is_wanted(snapshot, provider) && goes_through_it(provider))
        .collect()
}

fn finding(proxy: View<'_>, cause: String) -> Finding {
    let snapshot = proxy.snapshot;
    let config = &snapshot.configs.cliproxyapi;
    let waiting = waiting(snapshot);
    let symptom = match waiting.first() {
        Some(provider) => format!(
            "{} has no management API, which the login to {provider} needs",
            proxy.name
        ),
        None => format!(
            "{} has no management API; no login needs it now",
            proxy.name
        ),
    };
    let seen = match config.entry(SECRET_KEY) {
        None => "no secret-key",
        Some(_) if has_key(config) => "a secret-key",
        Some(_) => "secret-key is empty",
    };
    let mut finding = Finding::new(
        &MANAGEMENT_DISABLED,
        Subject::Service(proxy.name.into()),
        symptom,
        cause,
    )
    .brief("no management API")
    .evidence(
        Evidence::new("config", seen, config.place(SECRET_KEY))
            .expected("a key of your own")
            .command(by_hand::show_name(snapshot, &config.path, "secret-key")),
    );
    if let (false, Some(command)) = (has_key(config), environ_command(proxy)) {
        let row = Evidence::new("environment", format!("no {PASSWORD}"), "/proc").command(command);
        finding = finding.evidence(row);
    }
    if let Some(answer) = snapshot.credentials.management.answer.known() {
        finding = finding.evidence(Evidence::new("answer", answer.describe(), &answer.request));
    }
    if waiting.is_empty() {
        finding = finding.at(Severity::Info);
    }
    finding = finding.fix(key_fix(proxy));
    let by_flag = waiting
        .first()
        .and_then(|provider| Some((provider, by_hand::login_by_program(proxy, provider)?)));
    match by_flag {
        Some((provider, command)) => finding.fix(Fix::manual(
            "login",
            format!("log in to {provider} without the management API"),
            vec![command],
        )),
        None => finding,
    }
}

fn key_fix(proxy: View<'_>) -> Fix {
    let snapshot = proxy.snapshot;
    let config = &snapshot.configs.cliproxyapi;
    if has_key(config) {
        let title = format!("restart {}, so that it reads {}", proxy.name, config.path);
        return steps::restart_asked(proxy, title, by_hand::restart(proxy));
    }
    if let Some(fix) = bring_key(proxy) {
        return fix;
    }
    let place = match config.entry(SECRET_KEY) {
        Some(_) => format!("at {}", config.place(SECRET_KEY)),
        None => format!("under remote-management in {}", config.path),
    };
    let Some(kept) = &snapshot.credentials.management.key_from else {
        let title = format!(
            "write a key of your own as secret-key {place}; keep a copy, the program replaces it by its hash"
        );
        return Fix::manual("set-management-key", title, Vec::new());
    };
    let mut edits = Edits::new(snapshot);
    let key = Value::CopyOf {
        file: kept.clone(),
        entry: None,
    };
    edits.set_or_insert(config, "remote-management", "secret-key", key);
    edits.then(steps::come_up(proxy));
    let title = format!(
        "write the key of {kept} as secret-key {place}, then restart {}",
        proxy.name
    );
    edits.fix("set-management-key", proxy.name, title, Vec::new())
}

/// `management: auto`, with which flowgate gives the program its own key at the start, and no file of
/// the program is changed; only where it is reached by this machine alone (DESIGN section 9).
fn bring_key(proxy: View<'_>) -> Option<Fix> {
    let flowgate = &proxy.snapshot.configs.flowgate;
    let path = places::setting_path(&proxy, "management");
    let is_off = flowgate.text(&path) == Some("off");
    if is_auto(proxy) || is_off || !is_loopback(proxy) || !by_hand::is_started_by_flowgate(proxy) {
        return None;
    }
    let mut edits = Edits::new(proxy.snapshot);
    let auto = Value::Literal(Literal::Text("auto".into()));
    edits.set_or_insert(
        flowgate,
        path.trim_end_matches(".management"),
        "management",
        auto,
    );
    edits.then(steps::come_up(proxy));
    let title = format!(
        "write management: auto under {} in {}, then restart {}: flowgate brings its own key",
        path.trim_end_matches(".management"),
        flowgate.path,
        proxy.name
    );
    Some(edits.fix("set-management-key", proxy.name, title, Vec::new()))
}

fn is_auto(proxy: View<'_>) -> bool {
    places::setting(&proxy, "management")
        .is_some_and(|entry| entry.value == EntryValue::Text("auto".into()))
}

fn is_loopback(proxy: View<'_>) -> bool {
    let host = proxy.settings().host.as_str();
    host == "localhost" || host == "::1" || host.starts_with("127.")
}

/// Counts the variable in the environment of the process, without its value.
fn environ_command(proxy: View<'_>) -> Option<String> {
    let process = proxy.main_process().or_else(|| proxy.processes().next())?;
    Some(format!(
        "tr '\\0' '\\n' < /proc/{}/environ | grep -c ^{PASSWORD}=",
        process.pid
    ))
}
