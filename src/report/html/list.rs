//! The parts that are lists: unknowns, timeline, checks, timings, and the facts of a first run.

use flowgate_checks::words::count;
use jiff::Timestamp;
use maud::{Markup, html};

use super::folded;
use crate::report::{CheckStatus, Moment, MomentKind, Report};

/// What a first run needs to know of the machine, else which severity fails the run.
pub fn machine(report: &Report) -> Markup {
    html! {
        "no model was asked"
        @for fact in &report.machine { " · " (fact) }
    }
}

/// What could not be looked at: never a pass.
pub fn unknowns(report: &Report) -> Markup {
    html! {
        @if !report.unknowns.is_empty() {
            section.finding.unknown {
                h2 { span.mark { "?" } " " (count(report.unknowns.len(), "unknown")) }
                dl {
                    @for unknown in &report.unknowns {
                        dt { (unknown.check) }
                        dd {
                            p {
                                (unknown.datum.what) ": " (unknown.datum.why)
                                @if unknown.datum.optional { " " span.label { "the verdict stands without it" } }
                            }
                            @if let Some(command) = &unknown.datum.command { pre { code { (command) } } }
                        }
                    }
                }
            }
        }
    }
}

/// The recorded starts and ends, and the moment of this look.
pub fn timeline(report: &Report) -> Markup {
    let (before, after): (Vec<_>, Vec<_>) = report
        .timeline
        .iter()
        .partition(|moment| moment.at <= report.generated_at);
    let moment = |moment: &&Moment| {
        html! {
            li.(class(moment.kind)) {
                time { (when(moment.at)) } " "
                span.name { (moment.service) } " " (moment.text)
            }
        }
    };
    html! {
        @if !report.timeline.is_empty() {
            section {
                h2 { "Starts and exits" }
                ol.timeline {
                    @for past in &before { (moment(past)) }
                    li.now { time { (when(report.generated_at)) } " this look" }
                    @for next in &after { (moment(next)) }
                }
            }
        }
    }
}

/// What is not as it was when the services were last ready.
pub fn changes(report: &Report) -> Markup {
    let value = |text: &Option<String>| html! { @if let Some(text) = text { code { (text) } } @else { "–" } };
    html! {
        @if !report.changes.is_empty() {
            section {
                h2 { "Changed since it was last ready" }
                table {
                    @for change in &report.changes {
                        tr {
                            th scope="row" { (change.service) }
                            td { (change.what) }
                            td { (value(&change.before)) " → " (value(&change.after)) }
                            td { @for key in &change.explains { p { code { (key) } } } }
                        }
                    }
                }
            }
        }
    }
}

/// A time to the second, UTC.
pub fn when(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn class(kind: MomentKind) -> &'static str {
    match kind {
        MomentKind::Ended | MomentKind::Silent => "error",
        MomentKind::Ready => "ok",
        MomentKind::Stopped | MomentKind::Started | MomentKind::NextTry => "off",
    }
}

/// The verdict of each check.
pub fn checks(report: &Report) -> Markup {
    html! {
        section {
            h2 { "Checks" }
            table {
                @for row in &report.checks {
                    @let (class, mark, word) = status(row.status);
                    tr.(class) {
                        th scope="row" { (row.id) }
                        td { span.state { (mark) " " (word) } }
                        td {
                            @if let Some(section) = row.section { "runbook " (section) }
                        }
                        td { @if let Some(reason) = &row.reason { (reason) } }
                    }
                }
            }
        }
    }
}

fn status(status: CheckStatus) -> (&'static str, &'static str, &'static str) {
    match status {
        CheckStatus::Pass => ("ok", "✓", "pass"),
        CheckStatus::Warn => ("warning", "!", "warn"),
        CheckStatus::Fail => ("error", "✗", "fail"),
        CheckStatus::Unknown => ("unknown", "?", "unknown"),
        CheckStatus::Skipped => ("off", "–", "skipped"),
    }
}

/// How long each probe took, folded.
pub fn timings(report: &Report) -> Markup {
    let content = html! {
        table {
            @for timing in &report.timings {
                tr { th scope="row" { (timing.probe) } td { (timing.ms) " ms" } }
            }
        }
    };
    folded(report.timings.len(), "probe", content)
}
