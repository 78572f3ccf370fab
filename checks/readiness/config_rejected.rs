//! A program refuses its own config: by what it said, or by what the file is.

use super::process::{may_run, subject, was_corrected_since};
use super::{CONFIG_REJECTED, source};
use crate::by_hand;
use crate::logs::{Refusal, config_refusal, master_key_refusal};
use crate::model::{
    ConfigFile, ConfigState, Evidence, Finding, Fix, Impact, ProblemKind, Safety, ServiceKind,
    Severity, Step, Verdict,
};
use crate::shell;
use crate::state::View;
use crate::steps;

/// What is wrong with the file itself.
struct Fault {
    line: Option<u32>,
    message: String,
    excerpt: Option<String>,
}

/// Finds a config that its program refused, or will refuse at its next start.
pub fn look(view: View<'_>, verdict: &mut Verdict) {
    let Some(config) = view.own_config() else {
        return;
    };
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
    let lines = &view.service.log.known()?.lines;
    if view.service.kind == ServiceKind::Litellm
        && (master_key_refusal(lines).is_some() || lacks_active_config(view))
    {
        return None;
    }
    let mut refusal = config_refusal(view.service.kind, lines)?;
    refusal.words = shortened(
        &refusal
            .words
            .replace(&format!("{}/", snapshot.paths.root), ""),
    );
    Some(refusal)
}

fn lacks_active_config(view: View<'_>) -> bool {
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

fn fault(view: View<'_>, config: &ConfigFile) -> Option<Fault> {
    let plain = |message: String| Fault {
        line: None,
        message,
        excerpt: None,
    };
    match &config.state {
        ConfigState::Invalid {
            position,
            message,
            excerpt,
        } => Some(Fault {
            line: position.map(|position| position.line),
            message: message.clone(),
            excerpt: excerpt.clone(),
        }),
        // Who may read it is a matter of its mode.
        ConfigState::Unreadable { why } if !why.contains("permission") => Some(plain(why.clone())),
        ConfigState::Missing if is_named(view) && !lacks_active_config(view) => {
            Some(plain("it does not exist".into()))
        }
        // yaml.v3 refuses a key that stands twice; LiteLLM takes the last one.
        ConfigState::Loaded if view.service.kind == ServiceKind::Cliproxyapi => config
            .problems
            .iter()
            .find_map(|problem| match problem.kind {
                ProblemKind::DuplicateKey { first } => Some(Fault {
                    line: Some(problem.position.line),
                    message: format!("{} stands at line {} already", problem.entry, first.line),
                    excerpt: None,
                }),
                _ => None,
            }),
        _ => None,
    }
}

/// Whether the command of the service names its config.
fn is_named(view: View<'_>) -> bool {
    let is_flag =
        |arg: &String| matches!(arg.split('=').next(), Some("-config" | "--config" | "-c"));
    view.settings().args.iter().any(is_flag)
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
    finding
        .evidence(file_row(view, config, line, fault))
        .fix(fix(view, config, &place, fault))
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
