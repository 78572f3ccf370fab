//! LiteLLM refuses to start without a master key of its own (`facts/litellm.md` 3.4).

use super::MASTER_KEY_REFUSED;
use super::process::{may_run, subject, was_corrected_since};
use crate::by_hand;
use crate::logs::master_key_refusal;
use crate::model::{
    EntryValue, EnvVariable, Evidence, Finding, Fix, Observed, ProgramState, SecretClass,
    SecretKind, Snapshot, Value, Verdict,
};
use crate::state::View;
use crate::steps::{self, Edits};

/// The entry of the key.
pub const MASTER_KEY: &str = "general_settings.master_key";

/// Where people write it, and nobody reads it (`facts/litellm.md` 1.3).
const MISPLACED: &str = "litellm_settings.master_key";

/// The first release that is known to refuse a key which everybody knows: 1.106.
const REFUSES: (u64, u64) = (1, 106);

/// With one of these it starts in spite of it, open to all.
const PERMITTED: &str = "general_settings.dangerously_permit_weak_or_unset_master_key";
const PERMIT: &str = "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY";

/// Finds a refused master key: what the log says, else a literal of the config that is refused.
pub fn look(litellm: View<'_>, verdict: &mut Verdict) {
    if may_run(litellm) {
        return;
    }
    let said = litellm.start_lines().and_then(master_key_refusal);
    if let Some(said) = said.filter(|_| !was_given_since(litellm)) {
        verdict.push(finding(litellm, said, true));
    } else if let Some(why) = refused_literal(litellm) {
        verdict.push(finding(litellm, why, false).likely());
    }
}

/// Whether the key was mended after the run of which the log speaks: its config was written since,
/// or the variable that it names is one that the next start is known to get.
fn was_given_since(litellm: View<'_>) -> bool {
    let config = &litellm.snapshot.configs.litellm;
    let variable = config
        .text(MASTER_KEY)
        .and_then(|text| text.strip_prefix("os.environ/"));
    let given = litellm.service.environment.known().zip(variable);
    was_corrected_since(litellm, config)
        || given.is_some_and(|(variables, name)| {
            matches!(
                variables.get(name),
                Some(EnvVariable::Text(_) | EnvVariable::Secret { .. })
            )
        })
}

/// What is wrong with a key that stands in the config itself. Without one it may come from the
/// environment of the next start, which nobody knows.
fn refused_literal(litellm: View<'_>) -> Option<&'static str> {
    let config = &litellm.snapshot.configs.litellm;
    let is_permitted = matches!(
        config.entry(PERMITTED).map(|entry| &entry.value),
        Some(EntryValue::Bool(true))
    ) || matches!(
        litellm.snapshot.environment.get(PERMIT),
        Some(EnvVariable::Text(_))
    );
    if is_permitted || !refuses(litellm) {
        return None;
    }
    match &config.entry(MASTER_KEY)?.value {
        EntryValue::Secret { class, .. } => match class {
            SecretClass::Empty => Some("the master key is empty."),
            SecretClass::WellKnown => Some("the master key is a publicly known default."),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the installed release is one that refuses: older ones start.
fn refuses(litellm: View<'_>) -> bool {
    litellm_release(litellm).is_some_and(|release| release >= REFUSES)
}

/// The first two numbers of the installed release, where its metadata tell it.
pub(super) fn litellm_release(litellm: View<'_>) -> Option<(u64, u64)> {
    let version = litellm
        .service
        .program
        .known()
        .and_then(|program| match &program.state {
            ProgramState::File(file) => match &file.packages {
                Observed::Known(packages) => packages.litellm.as_deref(),
                _ => None,
            },
            _ => None,
        });
    version.map(|version| {
        let mut numbers = version
            .split('.')
            .map(|part| part.parse::<u64>().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    })
}

fn finding(litellm: View<'_>, why: &str, is_said: bool) -> Finding {
    let snapshot = litellm.snapshot;
    let config = &snapshot.configs.litellm;
    let why = why.trim_end_matches('.');
    let verb = if is_said { "refused" } else { "will refuse" };
    let cause = match config.text(MASTER_KEY) {
        Some(reference) => format!(
            "master_key at {} is {reference}, and that variable was not set when it was started",
            config.place(MASTER_KEY)
        ),
        None if config.entry(MISPLACED).is_some() => format!(
            "master_key stands under litellm_settings ({}), where it means nothing: its place is \
             general_settings",
            config.place(MISPLACED)
        ),
        None if config.entry(MASTER_KEY).is_none() => format!(
            "{} has no {MASTER_KEY}, and LITELLM_MASTER_KEY was not set",
            config.path
        ),
        None => format!("it stands at {}", config.place(MASTER_KEY)),
    };
    let mut finding = Finding::new(
        &MASTER_KEY_REFUSED,
        subject(litellm),
        format!("{} {verb} to start: {why}", litellm.name),
        cause,
    )
    .brief("no master key of its own");
    if is_said && let Some(log) = litellm.service.log.known() {
        let mut row = Evidence::new(
            "log",
            format!("LiteLLM proxy refused to start: {why}"),
            &log.path,
        );
        row.command = by_hand::tail(litellm);
        finding = finding.evidence(row);
    }
    let seen = match config.entry(MASTER_KEY).map(|entry| &entry.value) {
        Some(EntryValue::Text(reference)) => format!("master_key is {reference}"),
        Some(_) => "master_key is one that is refused".into(),
        None => "no master_key".into(),
    };
    finding
        .evidence(
            Evidence::new("config", seen, config.place(MASTER_KEY))
                .expected("a key that nobody else knows")
                .command(by_hand::show_name(snapshot, &config.path, "master_key")),
        )
        .fix(fix(litellm))
}

fn fix(litellm: View<'_>) -> Fix {
    let snapshot = litellm.snapshot;
    let key = "a long random key such as sk- and 32 random letters";
    if let Some(variable) = snapshot.configs.litellm.text(MASTER_KEY)
        && let Some(name) = variable.strip_prefix("os.environ/")
    {
        let title = format!(
            "set {name} to {key} in the shell that starts {}, then start it",
            litellm.name
        );
        // What a variable holds stands in no config.
        return Fix::manual("set-master-key", title, Vec::new());
    }
    let title = format!(
        "write {key} as {MASTER_KEY} into {}, then start {}",
        super::source::place(litellm, MASTER_KEY, "general_settings"),
        litellm.name
    );
    let mut edits = Edits::new(snapshot);
    let key = kept_or_random(snapshot);
    steps::litellm::set(&mut edits, snapshot, MASTER_KEY, key, |value| {
        matches!(
            value,
            EntryValue::Secret {
                class: SecretClass::Ordinary,
                ..
            }
        )
    });
    steps::litellm::take_up(&mut edits, litellm);
    edits.fix("set-master-key", litellm.name, title, Vec::new())
}

/// The key that flowgate keeps for its clients, who need no other one then.
fn kept_or_random(snapshot: &Snapshot) -> Value {
    let is_kept = |path: &&String| path.ends_with("/secrets/litellm-master.key");
    match snapshot.files.keys().find(is_kept) {
        Some(file) => Value::CopyOf {
            file: file.clone(),
            entry: None,
        },
        None => Value::Random(SecretKind::MasterKey),
    }
}
