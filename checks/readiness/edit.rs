//! A new value in LiteLLM's config, as steps: where the config is rendered the value is changed in
//! flowgate.yaml, and the profile is activated.

use super::source;
use crate::by_hand;
use crate::model::{ConfigFile, EntryValue, Literal, RunLife, RunSource, Snapshot, Step, Value};
use crate::state::View;

/// One value to write.
pub struct Edit {
    /// The entry of LiteLLM's config: `model_list[0].litellm_params.api_base`.
    pub entry: String,
    /// What is to stand there.
    pub to: String,
}

/// The steps that write the values and let LiteLLM read them; none when one of them cannot be
/// written by replacing a scalar or by one new line.
pub fn steps(litellm: View<'_>, edits: &[Edit]) -> Vec<Step> {
    let snapshot = litellm.snapshot;
    let Some(source) = Source::of(snapshot) else {
        return Vec::new();
    };
    let Some(mut steps) = edits
        .iter()
        .map(|edit| source.write(edit))
        .collect::<Option<Vec<_>>>()
    else {
        return Vec::new();
    };
    if let Some(profile) = source.profile {
        steps.push(Step::ActivateProfile {
            profile: profile.into(),
        });
    }
    if litellm.is_running() {
        if !is_restarted_by_flowgate(litellm) {
            return Vec::new();
        }
        steps.push(Step::RestartService {
            service: litellm.name.into(),
        });
    }
    steps
}

/// The commands that follow when a person has written the values.
pub fn commands(litellm: View<'_>) -> Vec<String> {
    let snapshot = litellm.snapshot;
    let activate = Source::of(snapshot)
        .and_then(|source| source.profile)
        .map(|profile| by_hand::activate(snapshot, profile));
    let restart = match litellm.is_running() {
        true => by_hand::restart(litellm),
        false => Vec::new(),
    };
    activate.into_iter().chain(restart).collect()
}

fn is_restarted_by_flowgate(view: View<'_>) -> bool {
    let is_ours =
        |run: &crate::model::Run| run.source == RunSource::Record && run.life == RunLife::Alive;
    view.settings().managed && view.service.run.as_ref().is_some_and(is_ours)
}

/// Where LiteLLM's config is written.
struct Source<'a> {
    file: &'a ConfigFile,
    /// What stands before an entry of LiteLLM's config: `litellm_base.`, or nothing.
    before: String,
    profile: Option<&'a str>,
}

impl<'a> Source<'a> {
    /// None when it is rendered and nobody knows from which profile.
    fn of(snapshot: &'a Snapshot) -> Option<Self> {
        let configs = &snapshot.configs;
        if !source::is_rendered(snapshot) {
            return Some(Self {
                file: &configs.litellm,
                before: String::new(),
                profile: None,
            });
        }
        let profile = snapshot.profiles.current.known()?.as_deref()?;
        // A profile replaces lists as a whole.
        let overlay = format!("profiles.{profile}.");
        let has_list = configs
            .flowgate
            .entry(&format!("{overlay}model_list"))
            .is_some();
        Some(Self {
            file: &configs.flowgate,
            before: if has_list {
                overlay
            } else {
                "litellm_base.".into()
            },
            profile: Some(profile),
        })
    }

    fn write(&self, edit: &Edit) -> Option<Step> {
        let path = format!("{}{}", self.before, edit.entry);
        let file = self.file.path.clone();
        let literal = Value::Literal(Literal::Text(edit.to.clone()));
        if let Some(entry) = self.file.entry(&path) {
            // What comes from an anchor stands in other places, too.
            if entry.alias_of.is_some() {
                return None;
            }
            return Some(Step::SetValue {
                file,
                path,
                from: match &entry.value {
                    EntryValue::Text(text) => Some(text.clone()),
                    _ => None,
                },
                to: literal,
            });
        }
        let (under, key) = path.rsplit_once('.')?;
        self.is_block(under).then(|| Step::InsertKey {
            file,
            under: under.into(),
            key: key.into(),
            value: literal,
        })
    }

    /// Whether the keys of a mapping stand on lines of their own.
    fn is_block(&self, mapping: &str) -> bool {
        let prefix = format!("{mapping}.");
        let mut lines: Vec<u32> = self
            .file
            .entries
            .iter()
            .filter(|(path, _)| path.starts_with(&prefix))
            .map(|(_, entry)| entry.position.line)
            .collect();
        let count = lines.len();
        lines.sort_unstable();
        lines.dedup();
        count > 0 && lines.len() == count
    }
}
