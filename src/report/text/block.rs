//! One finding: the symptom, what to do, why, and what follows from it.

use flowgate_checks::model::{Evidence, Finding, Fix, Severity};

use super::layout::{Page, cyan, dim, pad, style, width};
use crate::report::{Report, Unknown};

/// Evidence rows that are shown; the others are counted.
const ROWS: usize = 6;
/// Columns of the left half of an evidence row at most.
const LEFT: usize = 46;

/// Whether a finding is more than worth knowing.
pub fn is_problem(finding: &Finding) -> bool {
    finding.severity > Severity::Info
}

/// A root in full; `number` is `1/2` when there are several.
pub fn problem(page: &mut Page<'_>, report: &Report, root: &Finding, number: Option<&str>) {
    page.gap();
    let symptom = match number {
        Some(number) => format!("{number} {}", root.symptom),
        None => root.symptom.clone(),
    };
    page.marked(page.mark(root.severity), &symptom, style(root.severity));
    fixes(page, root);
    proof(page, root);
    consequences(page, report, root);
    if let Some(since) = report.since.get(&root.key()) {
        page.labelled("since", since);
    }
    if number.is_some() {
        more(page, report, root);
    }
}

/// Where to read on; it names the finding.
pub fn more(page: &mut Page<'_>, report: &Report, root: &Finding) {
    page.labelled_line(
        "more",
        &dim(&format!(
            "{} doctor explain {}",
            report.command, root.spec.id
        )),
    );
}

/// An info: what it is and what could be done, in two lines.
pub fn note(page: &mut Page<'_>, root: &Finding) {
    page.gap();
    page.marked(
        page.mark(root.severity),
        &root.symptom,
        style(root.severity),
    );
    if let Some(first) = root.fixes.first() {
        fix(page, "do", first);
    }
}

/// An effect in full, with what explains it.
pub fn effect(page: &mut Page<'_>, finding: &Finding) {
    page.gap();
    page.marked(
        page.mark(finding.severity),
        &finding.symptom,
        style(finding.severity),
    );
    page.labelled("from", &finding.caused_by.join(", "));
    proof(page, finding);
}

/// What could not be looked at, and how a person looks.
pub fn unknown(page: &mut Page<'_>, unknown: &Unknown) {
    page.gap();
    let datum = &unknown.datum;
    page.marked(
        "?",
        &format!("{} could not be looked at: {}", datum.what, datum.why),
        super::layout::yellow,
    );
    if let Some(command) = &datum.command {
        page.labelled_line("look", &cyan(command));
    }
}

fn fixes(page: &mut Page<'_>, finding: &Finding) {
    for (index, remedy) in finding.fixes.iter().enumerate() {
        fix(page, if index == 0 { "do" } else { "or" }, remedy);
    }
}

/// A single command stands before its title, several stand below it. What a title only says
/// again is left out: `chmod 600 a (is 644)` behind `chmod 600 a` is `(is 644)`.
fn fix(page: &mut Page<'_>, label: &str, fix: &Fix) {
    let title = match fix.commands.as_slice() {
        [command] => fix
            .title
            .strip_prefix(command.as_str())
            .unwrap_or(&fix.title)
            .trim(),
        _ => &fix.title,
    };
    match fix.commands.as_slice() {
        [] => page.labelled(label, title),
        [command] if page.fits(width(command) + 6 + width(title)) => {
            page.labelled_line(label, &format!("{}      {}", cyan(command), dim(title)));
        }
        [command] => {
            page.labelled_line(label, &cyan(command));
            page.labelled("", title);
        }
        commands => {
            page.labelled(label, title);
            for command in commands {
                page.labelled_line("", &cyan(command));
            }
        }
    }
}

fn proof(page: &mut Page<'_>, finding: &Finding) {
    page.labelled("why", &finding.cause);
    let rows: Vec<(String, String)> = finding.evidence.iter().take(ROWS).map(halves).collect();
    let left = rows
        .iter()
        .map(|(left, _)| width(left))
        .filter(|columns| *columns <= LEFT)
        .max()
        .unwrap_or(0);
    for (source, seen) in rows {
        if page.fits(left.max(width(&source)) + 3 + width(&seen)) {
            page.labelled_line("", &format!("{}   {seen}", cyan(&pad(&source, left))));
        } else {
            page.labelled_line("", &cyan(&source));
            let arrow = page.pick("→", ">").to_owned();
            page.labelled("", &format!("{arrow} {seen}"));
        }
    }
    if finding.evidence.len() > ROWS {
        page.labelled(
            "",
            &format!("{} more, see --json", finding.evidence.len() - ROWS),
        );
    }
}

fn halves(evidence: &Evidence) -> (String, String) {
    let source = evidence
        .command
        .as_ref()
        .unwrap_or(&evidence.source)
        .clone();
    let seen = match &evidence.expected {
        Some(expected) => format!("{} (expected {expected})", evidence.observed),
        None => evidence.observed.clone(),
    };
    (source, seen)
}

fn consequences(page: &mut Page<'_>, report: &Report, root: &Finding) {
    let effects: Vec<String> = report
        .effects_of(root)
        .map(|effect| format!("{} {}", effect.subject, effect.brief))
        .collect();
    if effects.is_empty() {
        return;
    }
    let hint = if page.options().explained {
        ""
    } else {
        "   (--explained)"
    };
    let joint = page.pick(" · ", "; ").to_owned();
    page.labelled("hence", &format!("{}{hint}", effects.join(&joint)));
}
