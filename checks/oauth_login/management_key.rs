//! The management key that flowgate keeps is not the one that the program knows.

use super::MANAGEMENT_KEY_MISMATCH;
use super::management::SECRET_KEY;
use crate::by_hand;
use crate::logins::is_any_wanted;
use crate::model::{
    EntryValue, Evidence, Finding, Fix, Impact, Observed, SecretClass, Subject, Value, Verdict,
};
use crate::state::View;
use crate::steps::Edits;

/// Finds a kept key that does not match the stored one, where no key in the environment of the
/// service serves instead.
pub fn look(proxy: View<'_>, verdict: &mut Verdict) {
    let snapshot = proxy.snapshot;
    let management = &snapshot.credentials.management;
    let config = &snapshot.configs.cliproxyapi;
    let Some(kept) = &management.key_from else {
        return;
    };
    let has_password = management.password_in_environment == Observed::Known(true);
    if management.key_confirmed != Observed::Known(false) || has_password {
        return;
    }
    let is_hash = match config.entry(SECRET_KEY).map(|entry| &entry.value) {
        Some(EntryValue::Secret { class, .. }) if *class != SecretClass::Empty => {
            *class == SecretClass::Hash
        }
        Some(EntryValue::Text(text)) if !text.is_empty() => false,
        // Without a stored key there is nothing to match: management-disabled.
        _ => return,
    };
    let place = config.place(SECRET_KEY);
    let stored = if is_hash {
        "the hash of another key"
    } else {
        "another key"
    };
    let mut finding = Finding::new(
        &MANAGEMENT_KEY_MISMATCH,
        Subject::Service(proxy.name.into()),
        format!("the management key in {kept} is not the one of {place}"),
        format!(
            "{place} holds {stored}, so flowgate sends none: {} bans who sends five wrong ones",
            proxy.name
        ),
    )
    .brief("wrong management key")
    .evidence(
        Evidence::new("config", stored, place.clone())
            .expected(format!("the key of {kept}, or its hash"))
            .command(by_hand::show_name(snapshot, &config.path, "secret-key")),
    )
    .evidence(
        Evidence::new("key", "does not match it", kept).command(format!(
            "ls -l {} {}",
            crate::shell::path(snapshot, kept),
            crate::shell::path(snapshot, &config.path)
        )),
    )
    .fix(set_key(proxy, kept));
    // Nothing is out of order yet: it will be, at the next login.
    if !is_any_wanted(snapshot) {
        finding.impact = Impact::Risk;
    }
    verdict.push(finding);
}

/// The program takes a new key up while it runs. A plain one it would replace by its hash, which is
/// therefore what the step writes.
fn set_key(proxy: View<'_>, kept: &str) -> Fix {
    let config = &proxy.snapshot.configs.cliproxyapi;
    let title = format!(
        "write the key of {kept}, or its hash, as secret-key at {}; {} takes it over",
        config.place(SECRET_KEY),
        proxy.name
    );
    let mut edits = Edits::new(proxy.snapshot);
    let kept = Value::CopyOf {
        file: kept.into(),
        entry: None,
    };
    edits.set(config, SECRET_KEY, kept);
    edits.fix("set-management-key", proxy.name, title, Vec::new())
}
