//! The JSON Schemas of what the doctor writes; committed under `docs/schema/`.

use flowgate_checks::model::Snapshot;
use schemars::{Schema, schema_for};

use crate::report::json_v1::Document;

/// Schema of `doctor --json`.
pub fn report() -> Schema {
    schema_for!(Document)
}

/// Schema of `doctor --bundle`.
pub fn snapshot() -> Schema {
    schema_for!(Snapshot)
}
