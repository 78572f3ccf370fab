//! The step `remove-record`: a record of flowgate's own, of a run that is over.

use flowgate_checks::model::Step;

use super::error::StepError;
use super::files::FileChange;
use super::ground::Ground;
use super::prepare::{Overlay, PreparedStep};

/// Takes the record down as it is.
pub fn prepare(
    step: &Step,
    shown: &str,
    overlay: &Overlay,
    ground: &Ground,
) -> Result<PreparedStep, StepError> {
    let path = ground.resolve(shown);
    let folders = [
        ground.runtime.join("supervisor"),
        ground.runtime.join("pids"),
    ];
    let is_ours = path
        .parent()
        .is_some_and(|folder| folders.iter().any(|ours| ours == folder));
    if !is_ours {
        return Err(StepError::Refused(format!(
            "{shown} is no record of flowgate's"
        )));
    }
    let (target, before) = overlay.look(&path)?;
    if before.is_none() {
        return Err(StepError::Changed(format!("{shown} is gone by now")));
    }
    if target.parent()
        != path
            .canonicalize()
            .ok()
            .as_deref()
            .and_then(|path| path.parent())
        || std::fs::symlink_metadata(&path).is_ok_and(|facts| facts.is_symlink())
    {
        return Err(StepError::Refused(format!("{shown} is a symlink")));
    }
    let change = FileChange {
        path,
        target,
        in_place: false,
        before,
        after: None,
    };
    Ok(PreparedStep::on_files(step, vec![change]))
}
