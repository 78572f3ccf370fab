//! What was repaired, before what is left: fixed, rolled back, skipped, uncovered.

use flowgate_checks::words::count;

use super::layout::{Page, cyan, dim, green, red, yellow};
use crate::report::Report;
use crate::report::repair::{Repair, Run, RunState};

/// Draws the runs, in the order in which they were done.
pub fn runs(page: &mut Page<'_>, report: &Report, repair: &Repair) {
    if repair.runs().next().is_some() {
        page.gap();
    }
    for run in repair.runs() {
        one(page, run);
    }
    for key in &repair.uncovered {
        let mut found = report.findings.iter();
        if let Some(finding) = found.find(|finding| finding.key() == *key) {
            let text = format!("{}  (uncovered: not visible before)", finding.symptom);
            page.labelled("next", &text);
        }
    }
    for skipped in &repair.skipped {
        page.labelled("skip", &format!("{}  {}", skipped.fix, skipped.reason));
    }
}

fn one(page: &mut Page<'_>, run: &Run) {
    let reason = run.reason.as_deref().unwrap_or_default();
    match run.state {
        RunState::Kept => {
            let mark = page.pick("✓", "ok").to_owned();
            page.marked(&mark, &format!("fixed  {}", run.said()), green);
        }
        RunState::Recovered => {
            let mark = page.pick("✓", "ok").to_owned();
            page.marked(&mark, &format!("fixed  {}", run.title), green);
            back(page, run);
        }
        RunState::RolledBack => {
            let mark = page.pick("✗", "x").to_owned();
            page.marked(&mark, &format!("{}: {reason}", run.title), red);
            back(page, run);
        }
        RunState::Refused => {
            page.marked("!", &format!("{}: not begun, {reason}", run.title), yellow);
        }
        RunState::Planned => {
            page.marked("+", &run.title, yellow);
            for step in &run.steps {
                page.labelled_line("step", &format!("{} {}", step.kind, cyan(&step.target)));
            }
            for line in run.diff.iter().flat_map(|diff| diff.lines()) {
                page.line(&format!("    {}", coloured(line)));
            }
        }
    }
}

fn back(page: &mut Page<'_>, run: &Run) {
    let arrow = page.pick("↩", "<-").to_owned();
    if let Some(restored) = &run.restored {
        page.labelled(&arrow, restored);
    }
}

fn coloured(line: &str) -> String {
    match line.as_bytes().first() {
        Some(b'+') => green(line),
        Some(b'-') => red(line),
        Some(b'@') => cyan(line),
        _ => line.to_owned(),
    }
}

/// The last line: the runs, the exit code, and how they are taken back.
pub fn footer(page: &Page<'_>, report: &Report, repair: &Repair) -> Vec<String> {
    let mut parts = Vec::new();
    if repair.dry_run {
        parts.push("nothing was changed".to_owned());
    }
    for state in [RunState::Kept, RunState::RolledBack, RunState::Recovered] {
        let words = state.words();
        let ids = || {
            repair
                .runs()
                .filter(|run| run.state == state)
                .filter_map(|run| run.run_id.as_deref())
        };
        match ids().count() {
            0 => {}
            1 => parts.push(format!("run {} {words}", ids().collect::<String>())),
            _ => parts.push(format!(
                "runs {} {words}",
                ids().collect::<Vec<_>>().join(", ")
            )),
        }
    }
    let left = report.summary.error + report.summary.warning;
    parts.push(match left {
        0 => format!("exit {}", report.exit_code),
        1 => format!("exit {} (1 problem is left)", report.exit_code),
        more => format!(
            "exit {} ({} are left)",
            report.exit_code,
            count(more, "problem")
        ),
    });
    let kept: Vec<&Run> = repair
        .runs()
        .filter(|run| run.state == RunState::Kept)
        .collect();
    match (kept.as_slice(), &repair.group_id) {
        ([], _) => {}
        ([only], _) => {
            let id = only.run_id.as_deref().unwrap_or_default();
            parts.push(format!("take back: {} doctor undo {id}", report.command));
        }
        _ => parts.push(format!("take back: {} doctor undo", report.command)),
    }
    if left == 0 && repair.runs().next().is_none() {
        parts.insert(
            0,
            format!("{} nothing to repair", green(page.pick("✓", "ok"))),
        );
    }
    parts.push(dim(&format!("{} ms", report.duration_ms)));
    parts
}
