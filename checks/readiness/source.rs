//! Where a value of LiteLLM's config is written by hand: the rendered file is overwritten at the
//! next activation of a profile.

use crate::state::View;

/// `file:line` of an entry of LiteLLM's config in flowgate.yaml when it is rendered from there, else
/// in the config itself. Where the entry is not there yet, the place of `section`.
pub fn place(litellm: View<'_>, entry: &str, section: &str) -> String {
    let configs = &litellm.snapshot.configs;
    let base = "litellm_base";
    if configs.flowgate.entry(base).is_some() {
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
