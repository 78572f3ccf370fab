//! Makes a profile the active one: the rendered LiteLLM config, and the state file that names it.

use std::path::Path;

use jiff::Timestamp;
use serde_json::json;
use thiserror::Error;

use super::key_ref::{self, KeyRefError};
use super::schema::{ConfigPaths, FlowgateConfig};
use super::{profiles, render};
use crate::sys::event_log::{self, Event};
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::write::{self, Modes, WriteError};

/// Why a profile cannot be rendered.
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
}

/// A profile that was rendered and checked, and is not written yet.
pub struct Rendered {
    profile: String,
    source_file: String,
    /// Holds what flowgate.yaml holds, so it may hold a secret.
    text: String,
}

/// Renders a profile. `source_file` is flowgate.yaml as it is shown.
///
/// # Errors
/// [`ActivateError`].
pub fn render(
    config: &FlowgateConfig,
    source_file: &str,
    profile: &str,
) -> Result<Rendered, ActivateError> {
    let name = profile.to_owned();
    let source_file = source_file.to_owned();
    let Some(rendered) = profiles::render(config, profile) else {
        let known: Vec<String> = config.profiles.keys().cloned().collect();
        return Err(if known.is_empty() {
            ActivateError::None { name, source_file }
        } else {
            ActivateError::Unknown { name, known }
        });
    };
    if let Err(fault) = key_ref::check(config, profile) {
        return Err(ActivateError::KeyRef { source_file, fault });
    }
    let text = render::text(&rendered);
    if !render::reads_as(&text, &rendered) {
        return Err(ActivateError::NotReadBack { name });
    }
    Ok(Rendered {
        profile: name,
        source_file,
        text,
    })
}

/// A file that is about to be written. It may hold secrets, so it has no `Debug`.
pub struct NewFile<'a> {
    /// Where.
    pub path: &'a Path,
    /// What.
    pub text: String,
    /// With which modes.
    pub modes: Modes,
}

impl Rendered {
    /// Writes the active config and the state file. Both texts are on the disk before the first
    /// takes its place, so that a full disk changes neither.
    ///
    /// The digest in the state file is a fingerprint, since the config may hold secrets.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write(
        &self,
        paths: &ConfigPaths,
        fingerprinter: &Fingerprinter,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let [active, state] = self.files(paths, fingerprinter, now);
        let prepare =
            |file: &NewFile<'_>| write::prepare(file.path, file.text.as_bytes(), file.modes, None);
        let (active, state) = (prepare(&active)?, prepare(&state)?);
        active.commit()?;
        state.commit()
    }

    /// The active config and the state file as they are to be written.
    pub fn files<'a>(
        &self,
        paths: &'a ConfigPaths,
        fingerprinter: &Fingerprinter,
        now: Timestamp,
    ) -> [NewFile<'a>; 2] {
        let state = json!({
            "current_profile": self.profile,
            "updated_at": event_log::stamp(now),
            "source": self.source_file,
            "digest": fingerprinter.of(&self.text),
        });
        [
            NewFile {
                path: &paths.active_config,
                text: self.text.clone(),
                modes: Modes::PRIVATE,
            },
            NewFile {
                path: &paths.state_file,
                text: render::text(&state),
                modes: Modes::PLAIN,
            },
        ]
    }
}

/// Writes into the event log that a profile is the active one from now on.
///
/// # Errors
/// [`WriteError`]; the switch itself is done, and nothing should fail because of it.
pub fn note_switch(log_file: &Path, profile: &str, at: Timestamp) -> Result<(), WriteError> {
    note(log_file, profile, ("success", None), at)
}

/// Writes down that a switch was taken back, with the word for why.
///
/// # Errors
/// As [`note_switch`].
pub fn note_failed_switch(
    log_file: &Path,
    profile: &str,
    why: &str,
    at: Timestamp,
) -> Result<(), WriteError> {
    note(log_file, profile, ("failed", Some(why)), at)
}

fn note(
    log_file: &Path,
    profile: &str,
    (result, detail): (&str, Option<&str>),
    at: Timestamp,
) -> Result<(), WriteError> {
    let event = Event {
        event: "profile_switch",
        service: None,
        profile: Some(profile),
        provider: None,
        result,
        detail,
    };
    event_log::append(log_file, at, &event)
}

#[cfg(test)]
#[path = "activate_tests.rs"]
mod tests;
