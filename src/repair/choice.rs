//! Which fix of a finding is applied, and why another is not.

use flowgate_checks::model::{Finding, Fix, Safety, Severity};

use flowgate_checks::words;

use super::mode::{Mode, Name};
use super::plan;
use super::steps;
use crate::report::Report;
use crate::report::repair::Skipped;

/// What is to be done about a finding.
pub enum Choice<'a> {
    /// This fix.
    Take(&'a Fix),
    /// This one, when somebody agrees.
    Ask(&'a Fix),
    /// Nothing, and there is something to say about it.
    Skip(Skipped),
    /// Nothing.
    Leave,
}

/// The first applicable fix of a finding, in the order of the catalogue. `may_ask` tells whether
/// somebody can agree, `agrees` that they did so beforehand.
pub fn choose<'a>(finding: &'a Finding, mode: &Mode, may_ask: bool, agrees: bool) -> Choice<'a> {
    let applicable = finding.fixes.iter().filter(|fix| is_applicable(fix));
    let chosen = match mode {
        Mode::Named(names) => {
            let named = |fix: &&Fix| names.iter().any(|name| name.means(finding, fix));
            match applicable.clone().find(named) {
                None => return named_in_vain(finding, names),
                found => found,
            }
        }
        Mode::Safe => applicable.clone().find(|fix| fix.safety == Safety::Safe),
        // An info is nothing to change the user's files for.
        _ if finding.severity == Severity::Info => {
            applicable.clone().find(|fix| fix.safety == Safety::Safe)
        }
        Mode::Offer | Mode::All => {
            let mut safe = applicable.clone().filter(|fix| fix.safety == Safety::Safe);
            let first = applicable.clone().next();
            // Without anybody to ask, a safe fix behind an unsafe one is better than none.
            if may_ask || agrees {
                first
            } else {
                safe.next().or(first)
            }
        }
    };
    match chosen {
        None => Choice::Leave,
        Some(fix) if fix.safety == Safety::Safe || agrees => Choice::Take(fix),
        Some(fix) if may_ask => Choice::Ask(fix),
        Some(fix) => skip(
            finding,
            fix,
            "it is not safe; --yes applies it without asking",
        ),
    }
}

/// A skipped fix.
pub fn skip<'a>(finding: &Finding, fix: &Fix, reason: &str) -> Choice<'a> {
    Choice::Skip(skipped(finding, fix, reason))
}

/// The same as a value.
pub fn skipped(finding: &Finding, fix: &Fix, reason: &str) -> Skipped {
    Skipped {
        fix: format!("{}:{}", fix.id, finding.subject),
        reason: reason.to_owned(),
    }
}

fn is_applicable(fix: &Fix) -> bool {
    fix.safety != Safety::Manual
        && !fix.steps.is_empty()
        && fix.steps.iter().all(steps::is_done_by_plans)
}

/// A fix that was asked for by name and that flowgate does not apply.
fn named_in_vain<'a>(finding: &Finding, names: &[Name]) -> Choice<'a> {
    let named = finding
        .fixes
        .iter()
        .find(|fix| names.iter().any(|name| name.means(finding, fix)));
    match named {
        None => Choice::Leave,
        Some(fix) => match fix.commands.first() {
            Some(command) => skip(finding, fix, &format!("it is done by hand: {command}")),
            None => skip(finding, fix, "it is done by hand"),
        },
    }
}

/// Why no root has a fix that was asked for by name: what stands in its way, else whether another
/// subject has it.
pub fn why_in_vain(name: &Name, report: &Report) -> String {
    let has = |finding: &&Finding| finding.fixes.iter().any(|fix| name.means(finding, fix));
    if let Some(finding) = report.findings.iter().find(has) {
        return match finding.caused_by.first() {
            Some(cause) => format!("{} is an effect of {cause}: mend that first", finding.key()),
            None => format!("{} is muted", finding.key()),
        };
    }
    let subjects: Vec<String> = plan::roots(report)
        .into_iter()
        .filter(|root| root.fixes.iter().any(|fix| fix.id == name.fix))
        .map(|root| root.subject.to_string())
        .collect();
    match (&name.subject, subjects.as_slice()) {
        (Some(subject), [_, ..]) => format!(
            "nothing that was found of {subject} asks for it; it is there for {}",
            words::list(&subjects)
        ),
        _ => "nothing that was found asks for it".into(),
    }
}
