//! What was repaired, before what is left: each run with its steps and its diff.

use maud::{Markup, html};

use crate::report::Report;
use crate::report::repair::{Repair, Run, RunState, Step};

/// The runs in the order in which they were done, then what was uncovered and skipped; nothing where
/// nobody asked for a repair.
pub fn draw(report: &Report) -> Markup {
    html! {
        @if let Some(repair) = &report.repair {
            @for run in repair.runs() { (one(run)) }
            (left(report, repair))
        }
    }
}

fn one(run: &Run) -> Markup {
    let (class, mark) = look(run.state);
    html! {
        section.finding.(class) {
            h2 { span.mark { (mark) } " " (run.said()) }
            dl {
                dt { "run" }
                dd {
                    p {
                        @if let Some(id) = &run.run_id { (id) " " }
                        span.label { (run.state.words()) }
                    }
                    @if let Some(reason) = &run.reason { p { (reason) } }
                    @if let Some(restored) = &run.restored { p { "↩ " (restored) } }
                }
                dt { "for" }
                dd { @for root in &run.roots { p { code { (root) } } } }
                @if !run.steps.is_empty() {
                    dt { "steps" }
                    dd { @for step in &run.steps { (change(step)) } }
                }
                @if let Some(diff) = &run.diff {
                    dt { "diff" }
                    dd { pre { code { (diff) } } }
                }
            }
        }
    }
}

fn change(step: &Step) -> Markup {
    html! {
        p {
            (step.kind) " " code { (step.target) } " "
            span.label { (step.state.words()) }
        }
        @if let Some(error) = &step.error { p { (error) } }
    }
}

fn left(report: &Report, repair: &Repair) -> Markup {
    let undo = format!("{} doctor undo", report.command);
    let is_kept = repair.runs().any(|run| run.state == RunState::Kept);
    html! {
        @if repair.dry_run || is_kept || !repair.uncovered.is_empty() || !repair.skipped.is_empty() {
            section.finding.off {
                h2 { "Repair" }
                dl {
                    @if repair.dry_run { dt { "plan" } dd { p { "nothing was changed" } } }
                    @if !repair.uncovered.is_empty() {
                        dt { "next" }
                        dd {
                            @for key in &repair.uncovered {
                                p { code { (key) } " " span.label { "not visible before" } }
                            }
                        }
                    }
                    @if !repair.skipped.is_empty() {
                        dt { "skip" }
                        dd {
                            @for skipped in &repair.skipped {
                                p { code { (skipped.fix) } " " (skipped.reason) }
                            }
                        }
                    }
                    @if is_kept { dt { "undo" } dd { pre { code { (undo) } } } }
                }
            }
        }
    }
}

fn look(state: RunState) -> (&'static str, &'static str) {
    match state {
        RunState::Kept | RunState::Recovered => ("ok", "✓"),
        RunState::RolledBack => ("error", "✗"),
        RunState::Refused => ("warning", "!"),
        RunState::Planned => ("info", "+"),
    }
}
