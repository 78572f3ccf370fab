//! New values in LiteLLM's config, as a remedy.

use crate::by_hand;
use crate::model::{EntryValue, Fix, Literal, Value};
use crate::state::View;
use crate::steps::{Edits, litellm as config};

/// One value to write.
pub struct Edit {
    /// The entry of LiteLLM's config: `model_list[0].litellm_params.api_base`.
    pub entry: String,
    /// What is to stand there.
    pub to: String,
}

/// The remedy that writes the values and lets LiteLLM read them; by hand when one of them cannot be
/// written by replacing a scalar or by one new line.
pub fn fix(id: &str, litellm: View<'_>, title: String, edits: &[Edit]) -> Fix {
    let snapshot = litellm.snapshot;
    let mut changes = Edits::new(snapshot);
    for edit in edits {
        let to = Value::Literal(Literal::Text(edit.to.clone()));
        config::set(
            &mut changes,
            snapshot,
            &edit.entry,
            to,
            |value| matches!(value, EntryValue::Text(text) if *text == edit.to),
        );
    }
    config::take_up(&mut changes, litellm);
    changes.fix(id, litellm.name, title, commands(litellm))
}

/// The commands that follow when a person has written the values.
pub fn commands(litellm: View<'_>) -> Vec<String> {
    let snapshot = litellm.snapshot;
    let activate = config::profile(snapshot)
        .filter(|_| config::is_from_profile(snapshot))
        .map(|profile| by_hand::activate(snapshot, profile));
    let restart = match litellm.is_running() {
        true => by_hand::restart(litellm),
        false => Vec::new(),
    };
    activate.into_iter().chain(restart).collect()
}
