//! `flowgate doctor list`: every check and every finding, without a look.

use flowgate_checks::ALL;
use flowgate_checks::model::Severity;
use owo_colors::OwoColorize;

use crate::cli::failure::Failure;
use crate::cli::output;

/// Prints the catalogue.
pub fn run() -> Result<u8, Failure> {
    let longest = ALL
        .iter()
        .flat_map(|check| check.findings)
        .map(|spec| spec.id.len())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for check in ALL {
        let section = check
            .section
            .map(|n| format!("   runbook {n}"))
            .unwrap_or_default();
        text.push_str(&format!(
            "{}   {}{}\n",
            check.id.bold(),
            check.title,
            section.dimmed()
        ));
        for spec in check.findings {
            let severity = match spec.severity {
                Severity::Error => "error  ",
                Severity::Warning => "warning",
                Severity::Info => "info   ",
            };
            text.push_str(&format!(
                "  {:longest$}  {severity}  {}\n",
                spec.id, spec.title
            ));
        }
    }
    output::text(&text)?;
    Ok(0)
}
