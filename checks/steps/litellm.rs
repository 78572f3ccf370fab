//! Edits of LiteLLM's config where its text is written: in flowgate.yaml when it is rendered from
//! there, else in the file itself.

use super::{Edits, come_up};
use crate::model::{ConfigFile, EntryValue, Snapshot, Step, Value};
use crate::readiness::source::is_rendered;
use crate::state::View;

/// Whether the config that LiteLLM reads is rendered from a profile of flowgate.yaml.
pub fn is_from_profile(snapshot: &Snapshot) -> bool {
    is_rendered(snapshot)
        && !snapshot.profiles.names.is_empty()
        && snapshot.configs.litellm.path == snapshot.paths.active_config
}

/// The profile that is rendered again after a change: the recorded one, else the only one.
pub fn profile(snapshot: &Snapshot) -> Option<&str> {
    let names = &snapshot.profiles.names;
    let current = snapshot.profiles.current.known().and_then(Option::as_ref);
    match (current, names.as_slice()) {
        (Some(current), names) if names.contains(current) => Some(current),
        (None, [only]) => Some(only),
        _ => None,
    }
}

/// The file and the entry in it that give an entry of LiteLLM's config its value; none when that
/// cannot be told. Mappings of a profile are merged over the base, everything else replaces it.
pub fn source<'a>(snapshot: &'a Snapshot, entry: &str) -> Option<(&'a ConfigFile, String)> {
    let configs = &snapshot.configs;
    if !is_from_profile(snapshot) {
        return Some((&configs.litellm, entry.to_owned()));
    }
    let flowgate = &configs.flowgate;
    let overlay = format!("profiles.{}", profile(snapshot)?);
    let list = entry.split('[').next().unwrap_or(entry);
    let is_replaced = [list, entry]
        .iter()
        .any(|path| flowgate.entry(&format!("{overlay}.{path}")).is_some());
    let base = if is_replaced {
        &overlay
    } else {
        "litellm_base"
    };
    Some((flowgate, format!("{base}.{entry}")))
}

/// `file:line` where an entry of LiteLLM's config is written, or would be.
pub fn place(snapshot: &Snapshot, entry: &str) -> String {
    let configs = &snapshot.configs;
    let Some((config, path)) = source(snapshot, entry) else {
        return configs.flowgate.place("litellm_base");
    };
    let above = path.rsplit_once('.').map_or("", |(above, _)| above);
    match config.entry(&path) {
        Some(_) => config.place(&path),
        None => config.place(above),
    }
}

/// Gives an entry of LiteLLM's config another value, unless its source has a right one already.
pub fn set(
    edits: &mut Edits<'_>,
    snapshot: &Snapshot,
    entry: &str,
    to: Value,
    is_right: impl Fn(&EntryValue) -> bool,
) {
    let Some((config, path)) = source(snapshot, entry) else {
        return edits.give_up();
    };
    match config.entry(&path) {
        Some(found) if is_right(&found.value) => {}
        Some(_) => edits.set(config, &path, to),
        None => {
            let (under, key) = path.rsplit_once('.').unwrap_or(("", &path));
            edits.insert(config, under, key, to);
        }
    }
}

/// Renders the profile again where there is one, and lets LiteLLM read its config.
pub fn take_up(edits: &mut Edits<'_>, litellm: View<'_>) {
    activate(edits, litellm.snapshot);
    edits.then(come_up(litellm));
}

/// Renders the profile again where there is one.
pub fn activate(edits: &mut Edits<'_>, snapshot: &Snapshot) {
    if is_from_profile(snapshot) {
        edits.then(profile(snapshot).map(|profile| {
            vec![Step::ActivateProfile {
                profile: profile.to_owned(),
            }]
        }));
    }
}
