//! Where a value of LiteLLM's config is written by hand: the rendered file is overwritten at the
//! next activation of a profile.

use crate::model::{EntryValue, Snapshot};
use crate::state::View;

/// Whether LiteLLM's config is rendered from flowgate.yaml. A `litellm_base` without a model is there
/// because the key must be, and the config is written by hand.
pub fn is_rendered(snapshot: &Snapshot) -> bool {
    let flowgate = &snapshot.configs.flowgate;
    let has_models = |path: &str| {
        matches!(
            flowgate.entry(path).map(|entry| &entry.value),
            Some(EntryValue::List(count)) if *count > 0
        )
    };
    let mut names = snapshot.profiles.names.iter();
    flowgate.entry("litellm_base").is_some()
        && (has_models("litellm_base.model_list")
            || names.any(|name| has_models(&format!("profiles.{name}.model_list"))))
}

/// `file:line` of an entry of LiteLLM's config in flowgate.yaml when it is rendered from there, else
/// in the config itself. Where the entry is not there yet, the place of `section`.
pub fn place(litellm: View<'_>, entry: &str, section: &str) -> String {
    let configs = &litellm.snapshot.configs;
    let base = "litellm_base";
    if is_rendered(litellm.snapshot) {
        let found = [entry, section]
            .iter()
            .map(|path| format!("{base}.{path}"))
            .find(|path| configs.flowgate.entry(path).is_some());
        let at = found.unwrap_or_else(|| base.to_owned());
        return format!(
            "{base} of {}, and activate the profile",
            configs.flowgate.place(&at)
        );
    }
    let at = [entry, section]
        .into_iter()
        .find(|path| configs.litellm.entry(path).is_some());
    match at {
        Some(path) => configs.litellm.place(path),
        None => configs.litellm.path.clone(),
    }
}
