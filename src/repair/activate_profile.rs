//! The step `activate-profile`: the active LiteLLM config, and the state file that names the profile.

use flowgate_checks::model::{ConfigState, Step};
use jiff::Timestamp;

use super::error::StepError;
use super::files::{FileChange, Image};
use super::ground::Ground;
use super::prepare::{Overlay, PreparedStep};
use crate::config::activate::{self, NewFile};
use crate::config::{load, profiles};

/// Renders the profile from flowgate.yaml as the steps before leave it.
pub fn prepare(
    step: &Step,
    profile: &str,
    overlay: &Overlay,
    ground: &Ground,
) -> Result<PreparedStep, StepError> {
    let (_, _, text) = overlay.text(&ground.config)?;
    let loaded = ground.flowgate_of(text.as_bytes());
    let Some(config) = loaded
        .config
        .filter(|_| loaded.file.state == ConfigState::Loaded)
    else {
        let why = load::sentence(&loaded.file).unwrap_or_default();
        return Err(StepError::Refused(why));
    };
    let rendered = activate::render(&config, &loaded.file.path, profile)
        .map_err(|error| StepError::Refused(error.to_string()))?;
    let new = rendered.files(&config.paths, &ground.fingerprinter, Timestamp::now());
    let files = new
        .iter()
        .map(|file| change(file, overlay))
        .collect::<Result<_, _>>()?;
    Ok(PreparedStep::on_files(step, files))
}

/// Tells the event log of the switch, as `profile set` does; the files are written by then. A log that
/// cannot be written takes nothing back.
pub fn note(profile: &str, ground: &Ground) {
    if let Some(config) = ground.flowgate().config {
        let _ = activate::note_switch(&config.paths.log_file, profile, Timestamp::now());
    }
}

/// Tells it which profile the state file names again.
pub fn note_back(ground: &Ground) {
    let config = ground.flowgate().config;
    let state = config.map(|config| profiles::state(&config.paths.state_file));
    if let Some(Ok(state)) = state
        && let Some(profile) = state.current_profile
    {
        note(&profile, ground);
    }
}

fn change(file: &NewFile<'_>, overlay: &Overlay) -> Result<FileChange, StepError> {
    let (target, before) = overlay.look(file.path)?;
    // As the file writer does: one that is open to everybody is closed, others keep their mode.
    let mode = match &before {
        Some(before) if file.modes.closes && before.mode & 0o007 != 0 => file.modes.file,
        Some(before) => before.mode,
        None => file.modes.file,
    };
    Ok(FileChange {
        path: file.path.to_owned(),
        target,
        in_place: false,
        before,
        after: Some(Image {
            bytes: file.text.clone().into_bytes(),
            mode,
        }),
    })
}
