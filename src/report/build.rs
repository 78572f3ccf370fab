//! From a diagnosis to a report: what is shown, counted and gated.

use std::collections::BTreeSet;

use flowgate_checks::ALL;
use flowgate_checks::changes;
use flowgate_checks::diagnose::Diagnosis;
use flowgate_checks::model::{BindState, Check, ConfigState, Finding, Impact, Severity, Snapshot};

use super::{CheckRow, CheckStatus, FailOn, Mute, Report, Summary, Timing, Unknown, timeline};

/// Which checks are shown and gated; empty `check` means all.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// `--check`.
    pub check: BTreeSet<String>,
    /// `--skip`.
    pub skip: BTreeSet<String>,
}

impl Selection {
    /// Whether a check is shown and gated.
    pub fn includes(&self, id: &str) -> bool {
        (self.check.is_empty() || self.check.contains(id)) && !self.skip.contains(id)
    }
}

/// What the one who asked wants of the report.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Which checks.
    pub selection: Selection,
    /// From which severity on the run fails.
    pub fail_on: FailOn,
    /// Id of the run.
    pub run_id: String,
    /// Milliseconds since gathering began.
    pub duration_ms: u64,
    /// How long each probe took.
    pub timings: Vec<Timing>,
    /// What a person does not want to hear of.
    pub mutes: Vec<Mute>,
}

/// Builds the report of a diagnosis.
pub fn build(diagnosis: Diagnosis, snapshot: &Snapshot, asked: Asked) -> Report {
    let shown = |id: &str| asked.selection.includes(id.split('/').next().unwrap_or(id));
    let findings: Vec<Finding> = diagnosis
        .findings
        .into_iter()
        .filter(|finding| shown(finding.spec.id))
        .collect();
    let unknowns: Vec<Unknown> = diagnosis
        .unknowns
        .into_iter()
        .filter(|(check, _)| shown(check))
        .map(|(check, datum)| Unknown { check, datum })
        .collect();
    let since = findings
        .iter()
        .filter(|finding| finding.impact == Impact::Outage)
        .filter_map(|finding| {
            let said = changes::since(snapshot, finding, &diagnosis.changes)?;
            Some((finding.key(), said))
        })
        .collect();
    let mut report = Report {
        run_id: asked.run_id,
        generated_at: snapshot.clock.gathered_at,
        duration_ms: asked.duration_ms,
        config_path: snapshot.configs.flowgate.path.clone(),
        config_shown: show_config(snapshot),
        command: snapshot.tool.command.clone(),
        ok: false,
        fail_on: asked.fail_on,
        exit_code: 0,
        summary: Summary::default(),
        chain: diagnosis.chain,
        checks: Vec::new(),
        findings,
        unknowns,
        since,
        changes: diagnosis.changes,
        timings: asked.timings,
        machine: describe_machine(snapshot),
        mutes: asked.mutes,
        repair: None,
        timeline: timeline::draw(snapshot),
    };
    report.checks = ALL
        .iter()
        .map(|check| judge(check, &asked.selection, &report))
        .collect();
    report.summary = count(&report);
    report.ok =
        !report.findings.iter().any(|finding| {
            finding.severity == Severity::Error && report.mute_of(finding).is_none()
        }) && report.summary.unknown == 0;
    report.exit_code = exit_code(&report);
    report
}

fn judge(check: &Check, selection: &Selection, report: &Report) -> CheckRow {
    let mine = |id: &str| id.split('/').next() == Some(check.id);
    let worst = report
        .findings
        .iter()
        .filter(|finding| mine(finding.spec.id) && report.mute_of(finding).is_none())
        .map(|finding| finding.severity)
        .max();
    let missing = report
        .unknowns
        .iter()
        .find(|unknown| unknown.check == check.id && !unknown.datum.optional);
    let (status, reason) = match worst {
        _ if !selection.includes(check.id) => (CheckStatus::Skipped, None),
        Some(Severity::Error) => (CheckStatus::Fail, None),
        Some(Severity::Warning) => (CheckStatus::Warn, None),
        _ => match missing {
            Some(unknown) => (
                CheckStatus::Unknown,
                Some(format!("{}: {}", unknown.datum.what, unknown.datum.why)),
            ),
            None => (CheckStatus::Pass, None),
        },
    };
    CheckRow {
        id: check.id,
        section: check.section,
        status,
        reason,
    }
}

fn count(report: &Report) -> Summary {
    let checks = |status| {
        report
            .checks
            .iter()
            .filter(|row| row.status == status)
            .count()
    };
    let roots = |severity| {
        report
            .heard_roots()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    Summary {
        pass: checks(CheckStatus::Pass),
        warn: checks(CheckStatus::Warn),
        fail: checks(CheckStatus::Fail),
        unknown: checks(CheckStatus::Unknown),
        skipped: checks(CheckStatus::Skipped),
        error: roots(Severity::Error),
        warning: roots(Severity::Warning),
        info: roots(Severity::Info),
        explained: report.heard_effects().count(),
        muted: report
            .findings
            .iter()
            .filter(|finding| report.mute_of(finding).is_some())
            .count(),
    }
}

/// The same in every format: 1 with a root at or above `--fail-on`, 2 without a verdict, else 0.
fn exit_code(report: &Report) -> u8 {
    let mut checks = report.checks.iter();
    if checks
        .clone()
        .any(|check| report.failures(check).next().is_some())
    {
        1
    } else if checks.any(|check| report.is_open(check)) {
        2
    } else {
        0
    }
}

fn show_config(snapshot: &Snapshot) -> String {
    let path = &snapshot.configs.flowgate.path;
    let absolute = if path.starts_with('/') {
        path.clone()
    } else {
        format!("{}/{path}", snapshot.paths.root)
    };
    match &snapshot.host.home {
        Some(home) if home != "/" => match absolute.strip_prefix(home.as_str()) {
            Some(rest) if rest.starts_with('/') => format!("~{rest}"),
            _ => absolute,
        },
        _ => absolute,
    }
}

/// What the machine has, for somebody who has no gateway yet.
fn describe_machine(snapshot: &Snapshot) -> Vec<String> {
    if snapshot.configs.flowgate.state != ConfigState::Missing {
        return Vec::new();
    }
    let found = |name: &str, path: &Option<String>| match path {
        Some(path) => format!("{name} {path}"),
        None => format!("no {name}"),
    };
    let mut facts = vec![
        found("python", &snapshot.host.python),
        found("uv", &snapshot.host.uv),
    ];
    for (name, report) in &snapshot.binds {
        let Some(port) = snapshot
            .services
            .get(name)
            .and_then(|service| service.settings.port)
        else {
            continue;
        };
        let free = report
            .addresses
            .values()
            .all(|state| *state == BindState::Free);
        facts.push(format!(
            "port {port} {}",
            if free { "free" } else { "taken" }
        ));
    }
    if let Some(space) = snapshot.host.runtime_space.known() {
        facts.push(format!("disk {} GB", space.free_bytes / 1_000_000_000));
    }
    facts
}
