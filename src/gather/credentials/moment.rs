//! Moments as token files spell them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

/// A moment in any form that the program reads: RFC 3339, `YYYY-MM-DD HH:MM[:SS]`, unix seconds or
/// milliseconds. Go's zero time (year 1) and zero are no moments.
pub(super) fn moment(value: &Value) -> Option<Timestamp> {
    let moment = match value {
        Value::String(text) => moment_of_text(text.trim())?,
        Value::Number(number) => moment_of_number(number.as_f64()?)?,
        _ => return None,
    };
    (moment.as_second() > 0).then_some(moment)
}

pub(super) fn moment_of_text(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse::<f64>() {
        return moment_of_number(number);
    }
    text.parse::<Timestamp>().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    })
}

/// Unix time; beyond the year 5138 in seconds it is meant in milliseconds.
fn moment_of_number(number: f64) -> Option<Timestamp> {
    const LATEST_SECOND: f64 = 1e11;
    if !number.is_finite() {
        return None;
    }
    let milliseconds = if number.abs() < LATEST_SECOND {
        number * 1000.0
    } else {
        number
    };
    Timestamp::from_millisecond(milliseconds as i64).ok()
}
