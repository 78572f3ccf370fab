//! What a bundle does not hold: where a secret would have stood.

use flowgate_checks::model::Snapshot;
use serde_json::Value;

use crate::sys::redact::REDACTED;

/// The places of a snapshot at which secrets were left out, as dotted paths in its order.
/// Example: `configs.litellm.entries.general_settings.master_key.value`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// Values of which only the fingerprint is there.
    pub fingerprints: Vec<String>,
    /// Texts out of which something was cut.
    pub cuts: Vec<String>,
}

impl LeftOut {
    /// Looks through a whole snapshot.
    ///
    /// # Errors
    /// When the snapshot cannot be written as JSON.
    pub fn of(snapshot: &Snapshot) -> serde_json::Result<Self> {
        let mut left_out = Self::default();
        left_out.walk(&serde_json::to_value(snapshot)?, "");
        Ok(left_out)
    }

    fn walk(&mut self, value: &Value, place: &str) {
        match value {
            Value::String(text) if text.contains(REDACTED) => self.cuts.push(place.to_owned()),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.walk(item, &format!("{place}[{index}]"));
                }
            }
            Value::Object(map) => {
                for (key, item) in map {
                    if key == "fingerprint" {
                        self.fingerprints
                            .push(place.trim_end_matches(".secret").to_owned());
                    }
                    let dot = if place.is_empty() { "" } else { "." };
                    self.walk(item, &format!("{place}{dot}{key}"));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn each_place_at_which_a_secret_stood_is_named() {
        let mut snapshot = serde_json::to_value(Snapshot::new(Timestamp::UNIX_EPOCH)).unwrap();
        snapshot["paths"]["root"] = "/srv/gw?token=[redacted]".into();
        snapshot["environment"] = serde_json::json!({
            "DATABASE_URL": { "secret": { "fingerprint": "0011223344556677" } },
            "PORT": { "text": "4000" },
        });
        let snapshot: Snapshot = serde_json::from_value(snapshot).unwrap();
        let left_out = LeftOut::of(&snapshot).unwrap();
        assert_eq!(left_out.fingerprints, ["environment.DATABASE_URL"]);
        assert_eq!(left_out.cuts, ["paths.root"]);
    }
}
