//! Makes a profile the active one: the rendered LiteLLM config, and the state file that names it.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::json;
use thiserror::Error;

use super::key_ref::{self, KeyRefError};
use super::schema::FlowgateConfig;
use super::{profiles, render};
use crate::sys::event_log;
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::write::{self, Modes, WriteError};

/// Why a profile was not made the active one; nothing was changed.
#[derive(Debug, Error)]
pub enum ActivateError {
    /// There is no profile of that name.
    #[error("Unknown profile: {name}; known: {}", known.join(", "))]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The profiles there are, sorted.
        known: Vec<String>,
    },
    /// flowgate.yaml has none: it renders no config for LiteLLM.
    #[error("Unknown profile: {name}; {source_file} has no profiles")]
    None {
        /// The name that was asked for.
        name: String,
        /// flowgate.yaml.
        source_file: String,
    },
    /// A key reference cannot be rendered.
    #[error("Config error: {source_file}:{}:{}: {fault}", fault.position.line, fault.position.column)]
    KeyRef {
        /// flowgate.yaml.
        source_file: String,
        /// Which, where and why.
        fault: KeyRefError,
    },
    /// The text does not read as what it was made from.
    #[error("failed to render profile {name}: the text does not read as the same config")]
    NotReadBack {
        /// The profile.
        name: String,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activated {
    /// The active config, absolute.
    pub active_config: PathBuf,
    /// The state file, absolute.
    pub state_file: PathBuf,
}

/// Renders a profile into the active config and records it in the state file. Both texts are on
/// the disk before the first takes its place, so that a full disk changes neither.
///
/// `source_file` is flowgate.yaml as it is shown; the digest in the state file is a fingerprint,
/// since the config may hold secrets.
///
/// # Errors
/// [`ActivateError`].
pub fn activate(
    config: &FlowgateConfig,
    source_file: &str,
    profile: &str,
    fingerprinter: &Fingerprinter,
    now: Timestamp,
) -> Result<Activated, ActivateError> {
    let name = profile.to_owned();
    let Some(rendered) = profiles::render(config, profile) else {
        let known: Vec<String> = config.profiles.keys().cloned().collect();
        let source_file = source_file.to_owned();
        return Err(match known.is_empty() {
            true => ActivateError::None { name, source_file },
            false => ActivateError::Unknown { name, known },
        });
    };
    key_ref::check(config, profile).map_err(|fault| ActivateError::KeyRef {
        source_file: source_file.to_owned(),
        fault,
    })?;
    let text = render::text(&rendered);
    if !render::reads_as(&text, &rendered) {
        return Err(ActivateError::NotReadBack { name });
    }
    let state = json!({
        "current_profile": profile,
        "updated_at": event_log::stamp(now),
        "source": source_file,
        "digest": fingerprinter.of(&text),
    });
    let paths = &config.paths;
    let active = write::prepare(&paths.active_config, text.as_bytes(), Modes::PRIVATE, None)?;
    let state = write::prepare(
        &paths.state_file,
        render::text(&state).as_bytes(),
        Modes::PLAIN,
        None,
    )?;
    active.commit()?;
    state.commit()?;
    Ok(Activated {
        active_config: paths.active_config.clone(),
        state_file: paths.state_file.clone(),
    })
}

#[cfg(test)]
#[path = "activate_tests.rs"]
mod tests;
