//! Findings of which a person does not want to hear for some time.

use flowgate_checks::model::Finding;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A finding of which a person does not want to hear for some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mute {
    /// The finding, `<check>/<name>`.
    pub id: String,
    /// What it is about; none means whatever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

impl Mute {
    /// Whether it means a finding.
    pub fn means(&self, finding: &Finding) -> bool {
        let is_about = |subject: &String| *subject == finding.subject.to_string();
        self.id == finding.spec.id && self.subject.as_ref().is_none_or(is_about)
    }
}
