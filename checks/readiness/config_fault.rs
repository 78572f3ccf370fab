//! What a program will refuse in its own config, by what the file is and says.

use super::config_rejected::lacks_active_config;
use super::master_key::litellm_release;
use crate::by_hand;
use crate::logins::edition;
use crate::model::{
    AuthDirRole, ConfigFile, ConfigState, EntryValue, ProblemKind, SecretClass, ServiceKind,
    UnknownDatum,
};
use crate::routes::Edition;
use crate::shell;
use crate::state::View;
use crate::suggest;

/// What LiteLLM 1.106 takes as `router_settings.routing_strategy`; it refuses every other one, and
/// older releases start and answer 429 (`facts/litellm.md` 3.2).
const STRATEGIES: [&str; 8] = [
    "simple-shuffle",
    "least-busy",
    "latency-based-routing",
    "cost-based-routing",
    "usage-based-routing",
    "usage-based-routing-v2",
    "provider-budget-routing",
    "lar1",
];

/// The release whose list of strategies is known.
const STRATEGIES_OF: (u64, u64) = (1, 106);

/// What is wrong with a config.
pub struct Fault {
    /// The line, where it has one.
    pub line: Option<u32>,
    /// One fragment that says what is wrong.
    pub message: String,
    /// The offending line, redacted, when it helps.
    pub excerpt: Option<String>,
}

impl Fault {
    fn plain(message: impl Into<String>) -> Self {
        Self {
            line: None,
            message: message.into(),
            excerpt: None,
        }
    }

    fn at(config: &ConfigFile, entry: &str, message: impl Into<String>) -> Self {
        Self {
            line: config.entry(entry).map(|entry| entry.position.line),
            ..Self::plain(message)
        }
    }
}

/// A config that flowgate does not read, because it is larger than any that it has to: the program
/// may well take it, so nothing follows.
pub fn unread(view: View<'_>, config: &ConfigFile) -> Option<UnknownDatum> {
    let (ConfigState::Unreadable { why } | ConfigState::Invalid { message: why, .. }) =
        &config.state
    else {
        return None;
    };
    is_too_large(why).then(|| UnknownDatum {
        what: format!("what {} says", config.path),
        why: format!("it {why}"),
        command: Some(format!(
            "wc -c {}",
            shell::path(view.snapshot, &config.path)
        )),
        optional: !view.is_wanted(),
    })
}

/// What LiteLLM reads beside its config (`include`) is not looked at: keys and models may stand there.
pub fn includes(view: View<'_>, config: &ConfigFile) -> Option<UnknownDatum> {
    if view.service.kind != ServiceKind::Litellm || !config.is_loaded() {
        return None;
    }
    let (count, first) = match config.entry("include").map(|entry| &entry.value) {
        Some(EntryValue::List(count)) if *count > 0 => (*count, config.text("include[0]")?),
        _ => return None,
    };
    let more = match count {
        1 => String::new(),
        _ => format!(" and {} more", count - 1),
    };
    Some(UnknownDatum {
        what: format!("what {} includes", config.path),
        why: format!("{first}{more} ({}) is not read", config.place("include")),
        command: Some(by_hand::show_name(view.snapshot, &config.path, "include")),
        // A client that is let in and models that are listed say more than the files would.
        optional: view.accepts_a_key() || !view.is_wanted(),
    })
}

fn is_too_large(why: &str) -> bool {
    why.starts_with("is larger than ") || why.starts_with("holds more than ")
}

/// What a program will refuse in its config; none when nothing is known to be wrong.
pub fn fault(view: View<'_>, config: &ConfigFile) -> Option<Fault> {
    match &config.state {
        ConfigState::Invalid {
            position,
            message,
            excerpt,
        } if !is_too_large(message) => Some(Fault {
            line: position.map(|position| position.line),
            message: message.clone(),
            excerpt: excerpt.clone(),
        }),
        // Who may read it is a matter of its mode.
        ConfigState::Unreadable { why } if !why.contains("permission") && !is_too_large(why) => {
            Some(Fault::plain(why))
        }
        ConfigState::Missing if is_named(view) && !lacks_active_config(view) => {
            Some(Fault::plain("it does not exist"))
        }
        ConfigState::Loaded => match view.service.kind {
            ServiceKind::Litellm => strategy(view, config),
            ServiceKind::Cliproxyapi => duplicate(config)
                .or_else(|| auth_dir(view, config))
                .or_else(|| tls(config)),
            ServiceKind::Other => None,
        },
        _ => None,
    }
}

/// Whether the command of the service names its config.
fn is_named(view: View<'_>) -> bool {
    let is_flag =
        |arg: &String| matches!(arg.split('=').next(), Some("-config" | "--config" | "-c"));
    view.settings().args.iter().any(is_flag)
}

/// yaml.v3 refuses a key that stands twice; LiteLLM takes the last one.
fn duplicate(config: &ConfigFile) -> Option<Fault> {
    config
        .problems
        .iter()
        .find_map(|problem| match problem.kind {
            ProblemKind::DuplicateKey { first } => Some(Fault {
                line: Some(problem.position.line),
                ..Fault::plain(format!(
                    "{} stands at line {} already",
                    problem.entry, first.line
                ))
            }),
            _ => None,
        })
}

/// Plus has no default for `auth-dir`, and no edition takes a file for it (`facts/cliproxyapi.md`
/// 2.1 and 6.2).
fn auth_dir(view: View<'_>, config: &ConfigFile) -> Option<Fault> {
    const KEY: &str = "auth-dir";
    let snapshot = view.snapshot;
    let is_given = match config.entry(KEY).map(|entry| &entry.value) {
        None | Some(EntryValue::Null) => false,
        Some(EntryValue::Text(text)) => !text.is_empty(),
        Some(EntryValue::Secret { class, .. }) => *class != SecretClass::Empty,
        Some(_) => true,
    };
    if !is_given {
        let meant = suggest::misspelt(config, KEY);
        let hint = meant.map_or_else(String::new, |key| {
            format!("; {} says {key}, which it ignores", config.place(key))
        });
        return (edition(snapshot) == Edition::Plus).then(|| {
            Fault::at(
                config,
                meant.unwrap_or(KEY),
                format!("{KEY} is missing, and this build has no default for it{hint}"),
            )
        });
    }
    let dirs = &snapshot.credentials.auth_dirs;
    let own = dirs.iter().find(|dir| dir.role == AuthDirRole::Service)?;
    let is_file = own.listing.why_unknown()?.why == "is not a directory";
    is_file.then(|| {
        Fault::at(
            config,
            KEY,
            format!("{KEY} names {}, which is not a directory", own.path),
        )
    })
}

/// `tls.cert or tls.key is empty` (`facts/cliproxyapi.md` 6.2).
fn tls(config: &ConfigFile) -> Option<Fault> {
    let is_on = config
        .entry("tls.enable")
        .is_some_and(|entry| entry.value == EntryValue::Bool(true));
    let is_empty = |entry: &&&str| match config.entry(entry).map(|entry| &entry.value) {
        None | Some(EntryValue::Null) => true,
        Some(EntryValue::Text(text)) => text.trim().is_empty(),
        Some(EntryValue::Secret { class, .. }) => *class == SecretClass::Empty,
        Some(_) => false,
    };
    let empty = ["tls.cert", "tls.key"].iter().find(is_empty)?;
    is_on.then(|| {
        Fault::at(
            config,
            "tls.enable",
            format!("tls.enable is true, and {empty} is empty"),
        )
    })
}

fn strategy(view: View<'_>, config: &ConfigFile) -> Option<Fault> {
    const KEY: &str = "router_settings.routing_strategy";
    let given = config.text(KEY)?;
    let is_known = STRATEGIES.contains(&given) || given.starts_with("os.environ/");
    if is_known || litellm_release(view) != Some(STRATEGIES_OF) {
        return None;
    }
    let near = suggest::closest(given, &STRATEGIES)
        .map_or_else(String::new, |near| format!("; {near} is close"));
    Some(Fault::at(
        config,
        KEY,
        format!("{KEY} is {given}, which LiteLLM does not know{near}"),
    ))
}
