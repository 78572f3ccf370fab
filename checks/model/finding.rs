//! One diagnosed problem, with proof and remedy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fix, Spec, Subject};

/// One diagnosed problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its entry in the catalogue.
    pub spec: &'static Spec,
    /// What it is about.
    pub subject: Subject,
    /// How bad it is here; the catalogue holds the usual severity.
    pub severity: Severity,
    /// What kind of harm it does.
    pub impact: Impact,
    /// How sure the diagnosis is.
    pub confidence: Confidence,
    /// What a user sees, in one line with the culprit: pid and command, file and line.
    pub symptom: String,
    /// Why, in one line.
    pub cause: String,
    /// The same in a few words, for the chain: `port held by python3`.
    pub brief: String,
    /// What was looked at; at least one row with a command that a person can paste.
    pub evidence: Vec<Evidence>,
    /// Remedies, the best first; at least one unless it is an info.
    pub fixes: Vec<Fix>,
    /// Keys of the findings that explain this one; filled by the correlation.
    pub caused_by: Vec<String>,
    /// Keys of the findings that this one explains; filled by the correlation.
    pub explains: Vec<String>,
}

/// How bad a finding is. Ordered: `Info < Warning < Error`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// It will break, or is unsafe.
    Warning,
    /// The gateway does not do its job, or a secret can be read by others.
    Error,
}

/// What kind of harm a finding does; roots are shown in this order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Impact {
    /// Requests are not served.
    Outage,
    /// Others can read a secret or use the gateway.
    Exposure,
    /// It works and will not for ever.
    Risk,
    /// Worth knowing.
    Hint,
}

/// How sure a diagnosis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Confidence {
    /// The evidence proves it.
    Certain,
    /// The evidence points to it.
    Likely,
}

/// One observation: what was looked at, what was seen and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// What was looked at: `listener`, `config`, `log`.
    pub what: String,
    /// What was seen.
    pub observed: String,
    /// What was expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// Where it was seen: `config/flowgate.yaml:9`, `/proc/net/tcp`.
    pub source: String,
    /// The shell command with which a person sees the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// A datum that kept a check from a verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnknownDatum {
    /// What could not be looked at: `logins`.
    pub what: String,
    /// Why.
    pub why: String,
    /// The command with which a person looks, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Whether the verdict stands without it.
    pub optional: bool,
}

impl Finding {
    /// A finding with the usual severity and impact of its id, certain, without evidence yet.
    pub fn new(
        spec: &'static Spec,
        subject: Subject,
        symptom: impl Into<String>,
        cause: impl Into<String>,
    ) -> Self {
        Self {
            spec,
            subject,
            severity: spec.severity,
            impact: spec.impact,
            confidence: Confidence::Certain,
            symptom: symptom.into(),
            cause: cause.into(),
            brief: spec.title.into(),
            evidence: Vec::new(),
            fixes: Vec::new(),
            caused_by: Vec::new(),
            explains: Vec::new(),
        }
    }

    /// Whether nothing explains it.
    pub fn is_root(&self) -> bool {
        self.caused_by.is_empty()
    }

    /// `id:subject`, unique in a report.
    pub fn key(&self) -> String {
        format!("{}:{}", self.spec.id, self.subject)
    }

    /// The same finding with one more observation.
    pub fn evidence(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    /// The same finding with one more remedy.
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// The same finding at another severity; an info is a hint, whatever the catalogue says.
    pub fn at(mut self, severity: Severity) -> Self {
        self.severity = severity;
        if severity == Severity::Info {
            self.impact = Impact::Hint;
        }
        self
    }

    /// The same finding with its own few words for the chain.
    pub fn brief(mut self, brief: impl Into<String>) -> Self {
        self.brief = brief.into();
        self
    }

    /// The same finding, not certain.
    pub fn likely(mut self) -> Self {
        self.confidence = Confidence::Likely;
        self
    }
}

impl Evidence {
    /// An observation and where it was made.
    pub fn new(
        what: impl Into<String>,
        observed: impl Into<String>,
        source: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            observed: observed.into(),
            expected: None,
            source: source.into(),
            command: None,
        }
    }

    /// The same observation, with what was expected.
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// The same observation, with the command that shows it.
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }
}
