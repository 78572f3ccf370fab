//! A variable or an option that makes a program ignore its config.

use super::OVERRIDDEN;
use crate::by_hand;
use crate::model::{
    EnvVariable, Evidence, Finding, Fix, Safety, ServiceKind, Snapshot, Subject, Verdict,
};
use crate::shell;
use crate::state::{View, services};

/// Variables that make CLIProxyAPIPlus take its config from elsewhere (`facts/cliproxyapi.md` 1.3);
/// each also goes by small letters.
const STORES: [&str; 3] = ["PGSTORE_DSN", "GITSTORE_GIT_URL", "OBJECTSTORE_ENDPOINT"];

/// What overrides a config, and where it is set.
struct Override {
    /// What it is: `PORT=4001`, `PGSTORE_DSN`, `-password`.
    what: String,
    /// What follows.
    effect: String,
    /// Where it is set.
    source: Source,
}

/// Where something is set.
enum Source {
    /// In the environment of the running process.
    Process(u32),
    /// In a `.env` file that the program loads.
    DotEnv(String),
    /// In an entry of flowgate.yaml.
    Entry(String),
}

/// Finds configs that are ignored.
pub fn look(snapshot: &Snapshot, verdict: &mut Verdict) {
    for view in services(snapshot) {
        let found = overrides(view);
        if !found.is_empty() {
            verdict.push(finding(view, &found));
        }
    }
}

/// Whether something makes the program of a service ignore its config.
pub fn is(view: View<'_>) -> bool {
    !overrides(view).is_empty()
}

fn overrides(view: View<'_>) -> Vec<Override> {
    let mut found: Vec<Override> = match view.service.kind {
        ServiceKind::Litellm => ["PORT", "CONFIG_FILE_PATH"]
            .into_iter()
            .filter_map(|name| of_litellm(view, name))
            .collect(),
        ServiceKind::Cliproxyapi => {
            let mut found: Vec<Override> = STORES
                .into_iter()
                .filter_map(|name| store(view, name))
                .collect();
            found.extend(cloud(view));
            found.extend(password(view));
            found
        }
        ServiceKind::Other => Vec::new(),
    };
    found.sort_by(|a, b| a.what.cmp(&b.what));
    found
}

/// `PORT` and `CONFIG_FILE_PATH`, which LiteLLM reads where no argument says otherwise.
fn of_litellm(view: View<'_>, name: &str) -> Option<Override> {
    let option = match name {
        "PORT" => "--port",
        _ => "--config",
    };
    if has_option(view, option) || (name == "PORT" && is_given_a_port(view)) {
        return None;
    }
    let Setting { value, source } = set(view, &[name])?;
    let value = value?;
    let effect = match name {
        "PORT" => {
            let port = view.settings().port?;
            // It says the same, or its process shows that it had no effect.
            if value.parse() == Ok(port) || view.owns_port() {
                return None;
            }
            format!("it listens there instead of on {port}")
        }
        _ => {
            let active = &view.snapshot.configs.litellm.path;
            if is_same_file(view.snapshot, value, active) {
                return None;
            }
            format!("it loads that file instead of {active}")
        }
    };
    Some(Override {
        what: format!("{name}={value}"),
        effect,
        source,
    })
}

/// Whether the running process, or else the configured command, was given an option.
fn has_option(view: View<'_>, option: &str) -> bool {
    let is_it = |word: &str| {
        word == option
            || word
                .strip_prefix(option)
                .is_some_and(|rest| rest.starts_with('='))
    };
    let of_process = view
        .main_process()
        .is_some_and(|process| process.command.split_whitespace().any(is_it));
    of_process || view.settings().args.iter().any(|arg| is_it(arg))
}

/// Whether what does not run will be started by flowgate, which gives `--port` where the command has
/// none.
fn is_given_a_port(view: View<'_>) -> bool {
    !view.is_running() && view.settings().managed
}

fn is_same_file(snapshot: &Snapshot, value: &str, shown: &str) -> bool {
    let value = value.trim_start_matches("./");
    value == shown || value == format!("{}/{shown}", snapshot.paths.root)
}

/// A store from which CLIProxyAPIPlus takes its config.
fn store(view: View<'_>, name: &str) -> Option<Override> {
    let small = name.to_ascii_lowercase();
    let source = set(view, &[name, &small])?.source;
    Some(Override {
        what: name.into(),
        effect: format!(
            "it takes its config from there and ignores {}",
            view.snapshot.configs.cliproxyapi.path
        ),
        source,
    })
}

/// `DEPLOY=cloud`: without a valid config it waits for one and does not listen.
fn cloud(view: View<'_>) -> Option<Override> {
    let Setting { value, source } = set(view, &["DEPLOY"])?;
    let is_cloud = value == Some("cloud");
    // With a config that it can read it does nothing else.
    let listens = !view.own_sockets().is_empty() || view.is_identified();
    (is_cloud && !listens).then(|| Override {
        what: "DEPLOY=cloud".into(),
        effect: "it waits for a config from elsewhere and does not listen".into(),
        source,
    })
}

/// `-password`: the program ends by itself when nobody asks for `/keep-alive` every 10 s.
fn password(view: View<'_>) -> Option<Override> {
    let args = &view.settings().args;
    let index = args.iter().skip(1).position(|arg| {
        let body = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-'));
        body.is_some_and(|body| body == "password" || body.starts_with("password="))
    })? + 1;
    let entry = format!("services.{}.command.args", view.name);
    let item = format!("{entry}[{index}]");
    let config = &view.snapshot.configs.flowgate;
    let is_told = config.entry(&item).is_some();
    Some(Override {
        what: "-password".into(),
        effect: "it ends by itself 10 s after the last /keep-alive request".into(),
        source: Source::Entry(if is_told { item } else { entry }),
    })
}

/// A variable that is set to something.
struct Setting<'a> {
    /// Its value, when it is known to be no secret.
    value: Option<&'a str>,
    source: Source,
}

/// A variable under one of its names, where it is set to something, and where. What is in the
/// environment wins over the `.env` file, also when it is empty.
fn set<'a>(view: View<'a>, names: &[&str]) -> Option<Setting<'a>> {
    let process = view.main_process().or_else(|| view.processes().next());
    if let (Some(variables), Some(process)) = (view.service.environment.known(), process)
        && let Some(variable) = names.iter().find_map(|name| variables.get(*name))
    {
        let source = Source::Process(process.pid);
        return match variable {
            EnvVariable::Text(value) => Some(Setting {
                value: Some(value),
                source,
            }),
            EnvVariable::Secret { .. } => Some(Setting {
                value: None,
                source,
            }),
            EnvVariable::Empty => None,
        };
    }
    if view.service.kind == ServiceKind::Litellm && is_production(view) {
        return None;
    }
    let file = view.service.env_files.iter().find(|file| file.is_read)?;
    let name = names
        .iter()
        .find(|name| file.names.iter().any(|one| one == *name))?;
    Some(Setting {
        value: file.values.get(*name).map(String::as_str),
        source: Source::DotEnv(file.path.clone()),
    })
}

/// LiteLLM loads no `.env` then (`facts/litellm.md` 3.5).
fn is_production(view: View<'_>) -> bool {
    let production = EnvVariable::Text("PRODUCTION".into());
    view.service
        .environment
        .known()
        .is_some_and(|variables| variables.get("LITELLM_MODE") == Some(&production))
}

fn finding(view: View<'_>, found: &[Override]) -> Finding {
    let first = &found[0];
    let mut finding = Finding::new(
        &OVERRIDDEN,
        Subject::Service(view.name.into()),
        format!(
            "{} of {} makes {} ignore its config",
            first.what,
            place(view, &first.source),
            view.name
        ),
        first.effect.clone(),
    )
    .brief("ignores its config");
    for one in found {
        let row = Evidence::new("override", &one.what, place(view, &one.source))
            .expected("not set")
            .command(command(view, one));
        finding = finding.evidence(row);
    }
    finding.fix(fix(view, first))
}

fn place(view: View<'_>, source: &Source) -> String {
    match source {
        Source::Process(pid) => format!("the environment of pid {pid}"),
        Source::DotEnv(path) => path.clone(),
        Source::Entry(entry) => view.snapshot.configs.flowgate.place(entry),
    }
}

/// Shows that it is set, and no value that may be a secret.
fn command(view: View<'_>, one: &Override) -> String {
    let snapshot = view.snapshot;
    let name = one.what.split('=').next().unwrap_or(&one.what);
    match &one.source {
        Source::Process(pid) => {
            format!("tr '\\0' '\\n' < /proc/{pid}/environ | grep -io ^{name}=")
        }
        Source::DotEnv(path) => format!("grep -ino {name}= {}", shell::path(snapshot, path)),
        Source::Entry(_) => {
            by_hand::show_name(snapshot, &snapshot.configs.flowgate.path, "password")
        }
    }
}

fn fix(view: View<'_>, first: &Override) -> Fix {
    let title = match &first.source {
        Source::Process(_) => format!("restart {} without {}", view.name, first.what),
        Source::DotEnv(path) => format!(
            "take {} out of {path}, then restart {}",
            first.what, view.name
        ),
        Source::Entry(entry) => format!(
            "take {} out at {}, then restart {}",
            first.what,
            view.snapshot.configs.flowgate.place(entry),
            view.name
        ),
    };
    Fix::new("restart", Safety::Unsafe, title, commands(view, first))
}

fn commands(view: View<'_>, first: &Override) -> Vec<String> {
    let name = first.what.split('=').next().unwrap_or(&first.what);
    let mut commands = by_hand::restart(view);
    if let (Source::Process(_), Some(start)) = (&first.source, commands.last_mut()) {
        let small = name.to_ascii_lowercase();
        *start = format!("unset {name} {small}; {start}");
    }
    commands
}
