//! `flowgate doctor explain ID`: the runbook page.

use anyhow::anyhow;
use owo_colors::OwoColorize;

use crate::cli::failure::Failure;
use crate::cli::output;
use crate::doctor::pages;

/// Prints the page of a check, or the section of a finding.
pub fn run(id: &str) -> Result<u8, Failure> {
    let page = pages::find(id).ok_or_else(|| {
        let failure = Failure::usage(anyhow!("no check or finding is named {id:?}"));
        match pages::nearest(id) {
            Some(near) => failure.hint(format!("flowgate doctor explain {near}")),
            None => failure.hint("flowgate doctor list"),
        }
    })?;
    let mut text = String::new();
    for line in page.lines() {
        match line.trim_start_matches('#') {
            heading if heading.len() < line.len() => {
                text.push_str(&heading.trim().bold().to_string())
            }
            plain => text.push_str(plain),
        }
        text.push('\n');
    }
    output::text(&text)?;
    Ok(0)
}
