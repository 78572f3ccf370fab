//! One finding: the symptom, what to do, why with proof, and what follows from it.

use flowgate_checks::model::{Confidence, Evidence, Finding, Fix, Impact, Safety, Severity};
use maud::{Markup, html};

use super::{class, folded};
use crate::report::Report;

/// A root in full.
pub fn root(report: &Report, root: &Finding) -> Markup {
    html! {
        section.finding.(class(root.severity)) {
            h2 { span.mark { (mark(root.severity)) } " " (root.symptom) }
            dl {
                (fixes(root))
                (proof(root))
                (consequences(report, root))
                dt { "more" }
                dd { (command(&format!("{} doctor explain {}", report.command, root.spec.id))) }
            }
            (labels(root))
        }
    }
}

/// The effects in full, folded.
pub fn effects(report: &Report) -> Markup {
    let effects: Vec<&Finding> = report.heard_effects().collect();
    let content = html! {
        @for effect in &effects {
            section.finding.effect {
                h3 { span.mark { (mark(effect.severity)) } " " (effect.symptom) }
                dl {
                    (proof(effect))
                    dt { "of" }
                    dd { @for cause in &effect.caused_by { p { code { (cause) } } } }
                }
                (labels(effect))
            }
        }
    };
    folded(effects.len(), "effect", content)
}

fn fixes(finding: &Finding) -> Markup {
    html! {
        @for (index, fix) in finding.fixes.iter().enumerate() {
            dt { @if index == 0 { "do" } @else { "or" } }
            dd { (remedy(fix)) }
        }
    }
}

fn remedy(fix: &Fix) -> Markup {
    let safety = match fix.safety {
        Safety::Safe => "safe",
        Safety::Unsafe => "changes what you wrote or who is served",
        Safety::Manual => "by hand",
    };
    html! {
        p { (fix.title) " " span.label { (safety) } }
        @for text in &fix.commands { (command(text)) }
    }
}

fn proof(finding: &Finding) -> Markup {
    html! {
        dt { "why" }
        dd {
            p { (finding.cause) }
            @for row in &finding.evidence { (observation(row)) }
        }
    }
}

fn observation(row: &Evidence) -> Markup {
    html! {
        div.evidence {
            p.source {
                (row.what) ", " code { (row.source) }
            }
            @if let Some(text) = &row.command { (command(text)) }
            p.seen { (row.observed) }
            @if let Some(expected) = &row.expected { p.expected { "expected " (expected) } }
        }
    }
}

fn consequences(report: &Report, root: &Finding) -> Markup {
    let effects: Vec<String> = report
        .effects_of(root)
        .map(|effect| format!("{} {}", effect.subject, effect.brief))
        .collect();
    html! {
        @if !effects.is_empty() {
            dt { "hence" }
            dd { @for effect in &effects { p { (effect) } } }
        }
    }
}

fn labels(finding: &Finding) -> Markup {
    let impact = match finding.impact {
        Impact::Outage => "outage",
        Impact::Exposure => "exposure",
        Impact::Risk => "risk",
        Impact::Hint => "hint",
    };
    html! {
        p.labels {
            code { (finding.key()) } " "
            span.label { (class(finding.severity)) } " "
            span.label { (impact) }
            @if finding.confidence == Confidence::Likely { " " span.label { "likely" } }
        }
    }
}

fn command(text: &str) -> Markup {
    html! { pre { code { (text) } } }
}

fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "✗",
        Severity::Warning => "!",
        Severity::Info => "i",
    }
}
