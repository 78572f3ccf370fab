//! `flowgate doctor schema`: the JSON Schema of what the doctor writes.

use crate::cli::failure::Failure;
use crate::cli::output;
use crate::doctor::schema;

use super::args::SchemaOf;

/// Prints a schema.
pub fn run(of: SchemaOf) -> Result<u8, Failure> {
    let schema = match of {
        SchemaOf::Report => schema::report(),
        SchemaOf::Snapshot => schema::snapshot(),
    };
    output::json(&schema)?;
    Ok(0)
}
