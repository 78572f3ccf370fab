//! A program refuses its own config: by what it said, or by what the file is.

use super::config_fault::{Fault, fault, includes, unread};
use super::process::{may_run, subject, was_corrected_since};
use super::{CONFIG_REJECTED, source};
use crate::by_hand;
use crate::logs::{
    Refusal, config_refusal, exception_of_startup, is_quoted_source, master_key_refusal,
    named_module,
};
use crate::model::{
    ConfigFile, ConfigState, EntryValue, Evidence, Finding, Fix, Impact, Safety, ServiceKind,
    Severity, Step, Verdict,
};
use crate::shell;
use crate::state::View;
use crate::steps;

/// Finds a config that its program refused, or will refuse at its next start.
pub fn look(view: View<'_>, verdict: &mut Verdict) {
    let Some(config) = view.own_config() else {
        return;
    };
    verdict.unknowns.extend(unread(view, config));
    verdict.unknowns.extend(includes(view, config));
    let fault = fault(view, config);
    let finding = if may_run(view) {
        fault.map(|fault| {
            let mut finding = finding(view, config, None, Some(&fault)).at(Severity::Warning);
            // What runs has read an older one; the next start, or a reload, is refused.
            finding.impact = Impact::Risk;
            finding
        })
    } else {
        let said = refusal(view).filter(|_| !was_corrected_since(view, config));
        (said.is_some() || fault.is_some())
            .then(|| finding(view, config, said.as_ref(), fault.as_ref()))
    };
    if let Some(finding) = finding {
        verdict.push(finding);
    }
}

/// What its log says of the config that it was started with; nothing when that was the active config,
/// which is not there: then no profile is active.
fn refusal(view: View<'_>) -> Option<Refusal> {
    let snapshot = view.snapshot;
    let lines = view.start_lines()?;
    if view.service.kind == ServiceKind::Litellm
        && (master_key_refusal(lines).is_some() || lacks_active_config(view))
    {
        return None;
    }
    let mut refusal =
        callback_refusal(view, lines).or_else(|| config_refusal(view.service.kind, lines))?;
    refusal.words = shortened(
        &refusal
            .words
            .replace(&format!("{}/", snapshot.paths.root), ""),
    );
    Some(refusal)
}

/// LiteLLM ends over a callback whose module it does not find: `callbacks: my_module.handler` gives
/// `ModuleNotFoundError: No module named 'my_module'` (`facts/litellm.md` 3.2).
fn callback_refusal(view: View<'_>, lines: &[String]) -> Option<Refusal> {
    const LISTS: [&str; 3] = ["callbacks", "success_callback", "failure_callback"];
    if view.service.kind != ServiceKind::Litellm {
        return None;
    }
    let config = view.own_config()?;
    // It tells the module first, and then in other words what it could not import.
    exception_of_startup(lines)?;
    lines.iter().find_map(|line| {
        let module = named_module(line).filter(|_| !is_quoted_source(line))?;
        let (_, entry) = config.entries.iter().find(|(path, entry)| {
            let list = path.strip_prefix("litellm_settings.");
            let name = list.and_then(|path| path.split('[').next());
            let EntryValue::Text(text) = &entry.value else {
                return false;
            };
            name.is_some_and(|name| LISTS.contains(&name))
                && (text == module || text.starts_with(&format!("{module}.")))
        })?;
        Some(Refusal {
            words: format!("{} (a callback of litellm_settings)", line.trim()),
            line: Some(entry.position.line),
        })
    })
}

pub(super) fn lacks_active_config(view: View<'_>) -> bool {
    let config = &view.snapshot.configs.litellm;
    config.state == ConfigState::Missing && config.path == view.snapshot.paths.active_config
}

fn shortened(words: &str) -> String {
    const SHOWN: usize = 200;
    if words.chars().count() <= SHOWN {
        return words.to_owned();
    }
    let head: String = words.chars().take(SHOWN).collect();
    format!("{head} …")
}

fn finding(
    view: View<'_>,
    config: &ConfigFile,
    said: Option<&Refusal>,
    fault: Option<&Fault>,
) -> Finding {
    let line = said
        .and_then(|said| said.line)
        .or_else(|| fault.and_then(|fault| fault.line));
    let place = match line {
        Some(line) => format!("{}:{line}", config.path),
        None => config.path.clone(),
    };
    let verb = if said.is_some() {
        "refused"
    } else {
        "will refuse"
    };
    let cause = match (said, fault) {
        (Some(said), Some(_)) => format!("it said: {}", said.words),
        (Some(said), None) => format!(
            "it said: {}; that was at its last start, and flowgate sees no fault in the file",
            said.words
        ),
        (None, Some(fault)) => fault.message.clone(),
        (None, None) => String::new(),
    };
    let mut finding = Finding::new(
        &CONFIG_REJECTED,
        subject(view),
        format!("{} {verb} {place}", view.name),
        cause,
    )
    .brief("config refused");
    if let Some(said) = said {
        let path = view.service.log.known().map(|log| log.path.clone());
        let mut row = Evidence::new("log", &said.words, path.unwrap_or_default());
        row.command = by_hand::tail(view);
        finding = finding.evidence(row);
    }
    finding = finding.evidence(file_row(view, config, line, fault));
    if let Some(row) = fault.and_then(|fault| source_row(view, config, fault)) {
        finding = finding.evidence(row);
    }
    finding.fix(fix(view, config, &place, fault))
}

/// The line of flowgate.yaml from which a fault of the active config was rendered, where the fault
/// names an entry: that one, or the nearest above it.
fn source_row(view: View<'_>, config: &ConfigFile, fault: &Fault) -> Option<Evidence> {
    let snapshot = view.snapshot;
    let flowgate = &snapshot.configs.flowgate;
    if view.service.kind != ServiceKind::Litellm || config.path != snapshot.paths.active_config {
        return None;
    }
    let known = |word: &str| {
        let mut entry = word;
        loop {
            let path = format!("litellm_base.{entry}");
            if flowgate.entry(&path).is_some() {
                return Some(path);
            }
            entry = &entry[..entry.rfind(['.', '['])?];
        }
    };
    let path = fault.message.split_whitespace().find_map(known)?;
    let seen = format!("{path} is what it is rendered from");
    let row = Evidence::new("config", seen, flowgate.place(&path));
    Some(row.command(by_hand::show_entry(snapshot, flowgate, &path)))
}

fn file_row(
    view: View<'_>,
    config: &ConfigFile,
    line: Option<u32>,
    fault: Option<&Fault>,
) -> Evidence {
    let file = shell::path(view.snapshot, &config.path);
    let (seen, command) = match (line, fault) {
        (Some(line), Some(fault)) => (
            match &fault.excerpt {
                Some(excerpt) => format!("{}: {}", fault.message, excerpt.trim()),
                None => fault.message.clone(),
            },
            // A line that does not parse may hold a key: only the shape around it is shown.
            format!("sed -n {line}p {file} | sed 's/[A-Za-z0-9_-]\\{{12,\\}}/…/g' | cat -A"),
        ),
        (None, Some(fault)) => (fault.message.clone(), format!("ls -ld {file}")),
        (_, None) => ("it can be parsed now".into(), format!("ls -l {file}")),
    };
    let source = match line {
        Some(line) => format!("{}:{line}", config.path),
        None => config.path.clone(),
    };
    Evidence::new("config", seen, source)
        .expected(format!("what {} accepts", view.name))
        .command(command)
}

fn fix(view: View<'_>, config: &ConfigFile, place: &str, fault: Option<&Fault>) -> Fix {
    let snapshot = view.snapshot;
    let is_rendered = view.service.kind == ServiceKind::Litellm
        && config.path == snapshot.paths.active_config
        && source::is_rendered(snapshot)
        && !snapshot.profiles.names.is_empty();
    if is_rendered {
        let names = &snapshot.profiles.names;
        let current = snapshot.profiles.current.known().and_then(Option::as_ref);
        let profile = current
            .filter(|name| names.contains(name))
            .unwrap_or(&names[0]);
        let mut commands = vec![by_hand::activate(snapshot, profile)];
        if !may_run(view) && view.is_wanted() {
            commands.extend(by_hand::start(view));
        }
        let title = format!(
            "write {} anew: litellm_base ({}) with profiles.{profile} laid over it",
            config.path,
            snapshot.configs.flowgate.place("litellm_base"),
        );
        let mut changes = vec![Step::ActivateProfile {
            profile: profile.clone(),
        }];
        if !may_run(view) && view.is_wanted() {
            changes.extend(steps::start(view));
        }
        return Fix::new("activate-profile", Safety::Unsafe, title, commands).with_steps(changes);
    }
    let when = if may_run(view) {
        format!("before {} starts again", view.name)
    } else {
        format!("then start {}", view.name)
    };
    match fault {
        // Quotes around the one value are the only way to make it text; what it is nobody is told.
        Some(fault) if fault.message.contains("put it in quotes") => Fix::manual(
            "by-hand",
            format!("put the value at {place} in quotes, {when}"),
            Vec::new(),
        ),
        Some(_) => Fix::manual("by-hand", format!("correct {place}, {when}"), Vec::new()),
        None => Fix::manual(
            "by-hand",
            format!("correct {place} if that is not done yet, {when}"),
            by_hand::start(view).into_iter().collect(),
        ),
    }
}
