//! The last line: how many, how long, which exit code, where to read on.

use flowgate_checks::words::count;

use super::layout::{Page, dim, green};
use super::repair;
use crate::report::Report;
use crate::report::verdict::verdict;

/// Draws the last line.
pub fn footer(page: &mut Page<'_>, report: &Report) {
    if !report.machine.is_empty() {
        let joint = page.pick(" · ", "; ").to_owned();
        page.labelled("has", &report.machine.join(&joint));
    }
    page.gap();
    let joint = page.pick(" · ", "; ").to_owned();
    let parts = if let Some(repair) = &report.repair {
        repair::footer(page, report, repair)
    } else if report.summary.error + report.summary.warning > 0 {
        problems(report)
    } else if report.summary.unknown > 0 {
        without_verdict(report)
    } else {
        healthy(page, report)
    };
    let line = parts.join(&joint);
    match page.options().width {
        // The command at the end stays in one piece, because somebody pastes it.
        Some(columns) if parts.len() > 1 && visible(&line) > columns => {
            let (last, first) = parts.split_last().unwrap_or((&line, &[]));
            page.line(&first.join(&joint));
            page.line(last);
        }
        _ => page.line(&line),
    }
}

/// Columns of a line without its styles.
fn visible(line: &str) -> usize {
    super::layout::width(&anstream::adapter::strip_str(line).to_string())
}

fn problems(report: &Report) -> Vec<String> {
    let mut parts = without_verdict(report);
    if let Some(first) = report.heard_roots().next() {
        parts.push(dim(&format!(
            "{} doctor explain {}",
            report.command, first.spec.id
        )));
    }
    parts
}

fn without_verdict(report: &Report) -> Vec<String> {
    vec![
        verdict(report),
        format!("{} ms", report.duration_ms),
        format!("exit {}", report.exit_code),
    ]
}

fn healthy(page: &Page<'_>, report: &Report) -> Vec<String> {
    let mut parts = vec![
        format!("{} nothing wrong found", green(page.pick("✓", "ok"))),
        count(report.summary.pass, "check"),
    ];
    if report.summary.info > 0 {
        parts.push(count(report.summary.info, "note"));
    }
    if report.summary.muted > 0 {
        parts.push(format!("{} muted", report.summary.muted));
    }
    parts.push(format!("{} ms", report.duration_ms));
    parts.push("no model was asked".into());
    parts
}
