//! The step `insert-key`: one `key: value` line more in a mapping of a config.

use flowgate_checks::model::{Step, Value};

use super::error::StepError;
use super::ground::Ground;
use super::prepare::{Overlay, PreparedStep};
use super::{set_value, values};
use crate::config::edit::Change;
use crate::config::path;

/// Makes the new text.
pub fn prepare(
    step: &Step,
    file: &str,
    (under, key): (&str, &str),
    value: &Value,
    overlay: &Overlay,
    ground: &Ground,
) -> Result<PreparedStep, StepError> {
    let value = values::of(value, overlay, ground)?;
    let kind = ground.kind(&ground.resolve(file));
    let value = values::as_kept(value, kind, &path::key(under, key))?;
    let change = Change::Insert {
        under,
        key,
        value: &value,
    };
    set_value::edited(step, file, change, overlay, ground)
}
