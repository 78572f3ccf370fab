//! The report as JSON, version 1: an interface. Changes add; `docs/json.md` is the policy.

use flowgate_checks::chain::Hop;
use flowgate_checks::changes::Change;
use flowgate_checks::model::{Confidence, Evidence, Finding, Fix, Impact, Severity};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::repair::Repair;
use super::{CheckRow, CheckStatus, FailOn, Mute, Report, Summary, Timing, Unknown};

/// Version of this form.
pub const SCHEMA_VERSION: u32 = 1;

/// What `flowgate doctor --json` prints: one document, also on early failure.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Version of this form; additions keep it.
    pub schema_version: u32,
    /// The program that wrote this.
    pub tool: ToolJson,
    /// Id of this run.
    pub run_id: Option<String>,
    /// When the look began, UTC.
    pub generated_at: Option<Timestamp>,
    /// Milliseconds that it took.
    pub duration_ms: u64,
    /// flowgate.yaml, relative to the folder that holds config/.
    pub config_path: Option<String>,
    /// No error, and no check without a verdict.
    pub ok: bool,
    /// From which severity on a root fails the run.
    pub fail_on: FailOn,
    /// The exit code of the run.
    pub exit_code: u8,
    /// Counts.
    pub summary: Summary,
    /// The hops from client to credential.
    pub chain: Vec<Hop>,
    /// The checks, in runbook order.
    pub checks: Vec<CheckJson>,
    /// The findings: roots first, in the order in which people see them.
    pub findings: Vec<FindingJson>,
    /// What could not be looked at.
    pub unknowns: Vec<UnknownJson>,
    /// What changed since the gateway was last ready; empty where nothing was recorded.
    pub changes: Vec<Change>,
    /// How long each probe took.
    pub timings: Vec<Timing>,
    /// What was repaired; null where nothing was.
    pub repair: Option<Repair>,
    /// Why there is no report; null where there is one.
    pub error: Option<ErrorJson>,
}

/// The program that wrote a document.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ToolJson {
    /// `flowgate`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// One check.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckJson {
    /// Its id.
    pub id: String,
    /// Section of the runbook, 1 to 5, or null.
    pub runbook_section: Option<u8>,
    /// Its verdict.
    pub status: CheckStatus,
    /// Why it has none.
    pub reason: Option<String>,
}

/// One finding.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingJson {
    /// Its id, `<check>/<name>`.
    pub id: String,
    /// `id:subject`, unique in a document.
    pub key: String,
    /// What it is about.
    pub subject: String,
    /// How bad it is here.
    pub severity: Severity,
    /// What kind of harm it does.
    pub impact: Impact,
    /// How sure the diagnosis is.
    pub confidence: Confidence,
    /// What a user sees, with the culprit.
    pub symptom: String,
    /// Why.
    pub cause: String,
    /// Keys of the findings that explain this one; empty for a root.
    pub caused_by: Vec<String>,
    /// Keys of the findings that this one explains.
    pub explains: Vec<String>,
    /// What was looked at.
    pub evidence: Vec<Evidence>,
    /// Remedies, the best first.
    pub fixes: Vec<Fix>,
    /// The command that shows its runbook page.
    pub docs: String,
    /// Who muted it and until when, or null.
    pub muted: Option<MutedJson>,
}

/// Who muted a finding, and until when.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MutedJson {
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

impl From<&Mute> for MutedJson {
    fn from(mute: &Mute) -> Self {
        Self {
            until: mute.until,
            reason: mute.reason.clone(),
        }
    }
}

/// What could not be looked at.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnknownJson {
    /// The datum.
    pub what: String,
    /// Why.
    pub why: String,
    /// The command with which a person looks, or null.
    pub command: Option<String>,
    /// The check that needed it.
    pub check: String,
    /// Whether its verdict stands without it.
    pub optional: bool,
}

/// Why there is no report.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorJson {
    /// One sentence.
    pub message: String,
    /// What to do, or null.
    pub hint: Option<String>,
}

impl From<&Report> for Document {
    fn from(report: &Report) -> Self {
        Self {
            run_id: Some(report.run_id.clone()),
            generated_at: Some(report.generated_at),
            duration_ms: report.duration_ms,
            config_path: Some(report.config_path.clone()),
            ok: report.ok,
            fail_on: report.fail_on,
            exit_code: report.exit_code,
            summary: report.summary,
            chain: report.chain.clone(),
            checks: report.checks.iter().map(CheckJson::from).collect(),
            findings: report
                .findings
                .iter()
                .map(|finding| FindingJson::new(finding, report))
                .collect(),
            unknowns: report.unknowns.iter().map(UnknownJson::from).collect(),
            changes: report.changes.clone(),
            timings: report.timings.clone(),
            repair: report.repair.clone(),
            ..Self::empty()
        }
    }
}

impl Document {
    /// The document of a run that failed before there was a report.
    pub fn failed(message: String, hint: Option<String>, exit_code: u8) -> Self {
        Self {
            exit_code,
            error: Some(ErrorJson { message, hint }),
            ..Self::empty()
        }
    }

    fn empty() -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            tool: ToolJson {
                name: "flowgate".into(),
                version: env!("CARGO_PKG_VERSION").into(),
            },
            run_id: None,
            generated_at: None,
            duration_ms: 0,
            config_path: None,
            ok: false,
            fail_on: FailOn::default(),
            exit_code: 0,
            summary: Summary::default(),
            chain: Vec::new(),
            checks: Vec::new(),
            findings: Vec::new(),
            unknowns: Vec::new(),
            changes: Vec::new(),
            timings: Vec::new(),
            repair: None,
            error: None,
        }
    }
}

impl From<&CheckRow> for CheckJson {
    fn from(row: &CheckRow) -> Self {
        Self {
            id: row.id.into(),
            runbook_section: row.section,
            status: row.status,
            reason: row.reason.clone(),
        }
    }
}

impl From<&Unknown> for UnknownJson {
    fn from(unknown: &Unknown) -> Self {
        let datum = unknown.datum.clone();
        Self {
            what: datum.what,
            why: datum.why,
            command: datum.command,
            check: unknown.check.into(),
            optional: datum.optional,
        }
    }
}

impl FindingJson {
    fn new(finding: &Finding, report: &Report) -> Self {
        Self {
            id: finding.spec.id.into(),
            key: finding.key(),
            subject: finding.subject.to_string(),
            severity: finding.severity,
            impact: finding.impact,
            confidence: finding.confidence,
            symptom: finding.symptom.clone(),
            cause: finding.cause.clone(),
            caused_by: finding.caused_by.clone(),
            explains: finding.explains.clone(),
            evidence: finding.evidence.clone(),
            fixes: finding.fixes.clone(),
            docs: format!("{} doctor explain {}", report.command, finding.spec.id),
            muted: report.mute_of(finding).map(MutedJson::from),
        }
    }
}
