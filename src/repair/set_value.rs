//! The step `set-value`: another value in the place of one scalar of a config.

use flowgate_checks::model::{Step, Value};

use super::error::StepError;
use super::files::{FileChange, Image};
use super::ground::Ground;
use super::prepare::{Overlay, PreparedStep};
use super::{env_line, values};
use crate::config::allow::FileKind;
use crate::config::document::Document;
use crate::config::edit::{self, Change, Scalar};
use crate::config::file::rules;
use crate::config::keys::SecretsDir;

/// What a `set-value` says.
pub struct SetValue<'a> {
    /// The config file, as it is shown.
    pub file: &'a str,
    /// The entry.
    pub path: &'a str,
    /// Its value now, as text; none when it is a secret.
    pub from: Option<&'a str>,
    /// Its value then.
    pub to: &'a Value,
}

/// Makes the new text.
pub fn prepare(
    step: &Step,
    wanted: &SetValue<'_>,
    overlay: &Overlay,
    ground: &Ground,
) -> Result<PreparedStep, StepError> {
    let value = values::of(wanted.to, overlay, ground)?;
    let SetValue { file, path, .. } = *wanted;
    let place = ground.resolve(file);
    if path.is_empty() {
        return key_file(step, file, &value, overlay, ground);
    }
    if ground.is_env_file(&place) {
        return env_file(step, (file, path), &value, overlay, ground);
    }
    if let Some(from) = wanted.from {
        let (_, _, text) = overlay.text(&place)?;
        let document = Document::parse(&text, rules(ground.kind(&place)));
        let now = document
            .ok()
            .and_then(|document| values::scalar_at(&document.root, "", path));
        if now.as_deref().unwrap_or_default() != from {
            return Err(StepError::Changed(format!(
                "{path} of {file} is not {from:?} by now"
            )));
        }
    }
    let value = values::as_kept(value, ground.kind(&place), path)?;
    let change = Change::Replace {
        path,
        value: &value,
    };
    edited(step, file, change, overlay, ground)
}

/// The step that makes a key file of flowgate hold another key.
fn key_file(
    step: &Step,
    file: &str,
    value: &Scalar,
    overlay: &Overlay,
    ground: &Ground,
) -> Result<PreparedStep, StepError> {
    let path = ground.resolve(file);
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    if SecretsDir::beside(&ground.runtime).path(name) != path {
        return Err(StepError::Refused(format!(
            "{file} is no key file of flowgate's"
        )));
    }
    let Scalar::Text(key) = value else {
        return Err(StepError::Refused(format!(
            "{file} holds a key, which is text"
        )));
    };
    let (target, before) = overlay.look(&path)?;
    let mode = before.as_ref().map_or(0o600, |before| before.mode);
    let change = FileChange {
        path,
        target,
        in_place: false,
        before,
        after: Some(Image {
            bytes: key.clone().into_bytes(),
            mode,
        }),
    };
    Ok(PreparedStep::on_files(step, vec![change]))
}

/// The step that gives a variable of an env file another value.
fn env_file(
    step: &Step,
    (file, name): (&str, &str),
    value: &Scalar,
    overlay: &Overlay,
    ground: &Ground,
) -> Result<PreparedStep, StepError> {
    let path = ground.resolve(file);
    let (target, before, text) = overlay.text(&path)?;
    let refused = |why: &str| StepError::Refused(format!("{file} is not edited: {why}"));
    let Scalar::Text(value) = value else {
        return Err(refused("a variable is text"));
    };
    let new = env_line::replaced(&text, name, value)
        .ok_or_else(|| refused(&format!("{name} has no value there that can be replaced")))?;
    let change = FileChange {
        path,
        target,
        in_place: false,
        after: Some(Image {
            bytes: new.into_bytes(),
            mode: before.mode,
        }),
        before: Some(before),
    };
    Ok(PreparedStep::on_files(step, vec![change]))
}

/// The step that makes one edit of a config.
pub fn edited(
    step: &Step,
    file: &str,
    change: Change<'_>,
    overlay: &Overlay,
    ground: &Ground,
) -> Result<PreparedStep, StepError> {
    let path = ground.resolve(file);
    let kind = ground.kind(&path);
    let (target, before, text) = overlay.text(&path)?;
    let new =
        edit::apply(&text, rules(kind), change).map_err(|why| StepError::refused(file, &why))?;
    let change = FileChange {
        path,
        target,
        // It is hot-reloaded by its inode, and an empty one lets everybody in.
        in_place: kind == FileKind::Cliproxyapi,
        after: Some(Image {
            bytes: new.into_bytes(),
            mode: before.mode,
        }),
        before: Some(before),
    };
    Ok(PreparedStep::on_files(step, vec![change]))
}
