//! Config files of the stand-ins.

use serde_json::Value;

/// Where a text stops being YAML; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Line.
    pub line: u64,
    /// Column.
    pub column: u64,
}

/// The value of a YAML or JSON text; nothing at all is null.
///
/// # Errors
/// The place of the first fault.
pub fn parse(text: &str) -> Result<Value, Fault> {
    let has_content = text.lines().any(|line| {
        let line = line.trim_start_matches('\u{feff}').trim();
        !line.is_empty() && !line.starts_with('#')
    });
    if !has_content {
        return Ok(Value::Null);
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let place = error.location();
        Fault {
            line: place.map_or(1, |place| place.line()),
            column: place.map_or(1, |place| place.column()),
        }
    })
}
