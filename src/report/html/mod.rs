//! The report as one HTML file that needs no network and no script: for a CI artifact or a thread.

mod chain;
mod finding;
mod list;
mod repair;

use flowgate_checks::model::Severity;
use flowgate_checks::words::count;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Report;
use super::verdict::verdict;

const STYLE: &str = include_str!("style.css");
/// Nothing is loaded and nothing runs, whatever the text of a report says.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The report as one file.
pub fn render(report: &Report) -> String {
    let verdict = verdict(report);
    let body = html! {
        header {
            p.command { "flowgate doctor " code { (report.config_shown) } }
            h1.(tone(report)) { (verdict) }
            p.figures {
                (list::when(report.generated_at)) " · " (report.duration_ms) " ms · exit "
                (report.exit_code) " · " (list::machine(report))
            }
        }
        main {
            (chain::draw(report))
            (repair::draw(report))
            @for root in report.heard_roots() { (finding::root(report, root)) }
            (list::unknowns(report))
            (finding::effects(report))
            (list::timeline(report))
            (list::changes(report))
            (list::checks(report))
            (list::timings(report))
        }
        footer {
            p { "flowgate " (env!("CARGO_PKG_VERSION")) ", run " code { (report.run_id) } }
            p { "Keys and tokens are left out; paths, ports, processes and log lines are not." }
        }
    };
    page(&verdict, body)
}

/// What stands there when there is no report.
pub fn failed(message: &str, hint: Option<&str>, exit_code: u8) -> String {
    let body = html! {
        header {
            p.command { "flowgate doctor" }
            h1.error { "no report" }
            p.figures { "exit " (exit_code) }
        }
        main {
            section.finding.error {
                h2 { (message) }
                @if let Some(hint) = hint { pre { code { (hint) } } }
            }
        }
        footer { p { "flowgate " (env!("CARGO_PKG_VERSION")) } }
    };
    page("no report", body)
}

fn page(title: &str, body: Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "flowgate doctor: " (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    page.into_string()
}

/// The class of the whole: that of its worst root.
fn tone(report: &Report) -> &'static str {
    match report.heard_roots().map(|root| root.severity).max() {
        Some(severity) if severity > Severity::Info => class(severity),
        _ if report.summary.unknown > 0 => "unknown",
        _ => "ok",
    }
}

/// The class of a severity.
fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// A part that is read on request: closed, with its size.
fn folded(n: usize, one: &str, content: Markup) -> Markup {
    html! {
        @if n > 0 {
            details { summary { (count(n, one)) } (content) }
        }
    }
}
