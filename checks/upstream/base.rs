//! What the `api_base` of a deployment says.

use super::{VARIABLE, is_unset, variable};
use crate::model::{EntryValue, EnvVariable, SecretClass, ServiceKind, Snapshot};
use crate::state::service_of;

/// Variables that LiteLLM takes for an `api_base` of the provider openai that is not written.
const OF_OPENAI: [&str; 2] = ["OPENAI_BASE_URL", "OPENAI_API_BASE"];

/// What the `api_base` of a deployment says; `base_url` is another word for it.
#[derive(Debug, PartialEq, Eq)]
pub enum Base<'a> {
    /// A URL, that of a variable of the running process included.
    Url(&'a str),
    /// A variable that the running process does not have, or that is empty.
    Unset(&'a str),
    /// It is not written, or empty.
    Absent,
    /// Nobody can tell: a variable that is not seen, or it comes from elsewhere.
    Unseen,
}

impl<'a> Base<'a> {
    /// What the parameters at a path say.
    pub(super) fn of(snapshot: &'a Snapshot, params: &str) -> Self {
        let config = &snapshot.configs.litellm;
        let Some(entry) = ["api_base", "base_url"]
            .iter()
            .filter_map(|key| config.entry(&format!("{params}.{key}")))
            .find(|entry| !is_nothing(&entry.value))
        else {
            let is_from_elsewhere = config
                .entry(&format!("{params}.litellm_credential_name"))
                .is_some();
            return match is_from_elsewhere || is_given_to_openai(snapshot) {
                true => Self::Unseen,
                false => Self::Absent,
            };
        };
        let EntryValue::Text(text) = &entry.value else {
            return Self::Unseen;
        };
        match text.strip_prefix(VARIABLE) {
            None => Self::Url(text),
            Some(name) => match variable(snapshot, name) {
                Some(EnvVariable::Text(value)) => Self::Url(value),
                _ if is_unset(snapshot, name) => Self::Unset(name),
                _ => Self::Unseen,
            },
        }
    }

    /// The URL, when it is one.
    pub fn url(&self) -> Option<&'a str> {
        match self {
            Self::Url(url) => Some(url),
            Self::Unset(_) | Self::Absent | Self::Unseen => None,
        }
    }
}

fn is_nothing(value: &EntryValue) -> bool {
    match value {
        EntryValue::Null => true,
        EntryValue::Text(text) => text.trim().is_empty(),
        EntryValue::Secret { class, .. } => *class == SecretClass::Empty,
        _ => false,
    }
}

/// Whether the process, the `.env` that it reads or its config give the address of openai.
fn is_given_to_openai(snapshot: &Snapshot) -> bool {
    let config = &snapshot.configs.litellm;
    let Some(litellm) = service_of(snapshot, ServiceKind::Litellm) else {
        return false;
    };
    let has = |name: &str| {
        let set = variable(snapshot, name);
        let read =
            |file: &crate::model::EnvFile| file.is_read && file.names.iter().any(|one| one == name);
        !matches!(set, None | Some(EnvVariable::Empty))
            || litellm.service.env_files.iter().any(read)
            || config
                .entry(&format!("environment_variables.{name}"))
                .is_some()
    };
    OF_OPENAI.iter().any(|name| has(name)) || config.entry("litellm_settings.api_base").is_some()
}
