//! The first two lines: which config, and the chain with the break in it.

use flowgate_checks::chain::{Hop, HopState};

use super::layout::{Page, cyan, dim, green, red, yellow};
use crate::report::Report;

/// Draws which gateway this is and the whole answer for whoever knows the stack.
pub fn header(page: &mut Page<'_>, report: &Report) {
    page.line(&format!("flowgate doctor   {}", cyan(&report.config_shown)));
    if report.chain.is_empty() {
        return;
    }
    let joint = page.pick(" ─ ", " - ").to_owned();
    let hops: Vec<String> = report.chain.iter().map(|hop| draw(page, hop)).collect();
    page.line(&format!("  client{joint}{}", hops.join(&joint)));
}

fn draw(page: &Page<'_>, hop: &Hop) -> String {
    let port = hop
        .address
        .as_deref()
        .and_then(|address| address.rsplit(':').next())
        .map(|port| format!(" :{port}"))
        .unwrap_or_default();
    let mark = match hop.state {
        HopState::Ok => green(page.pick("✓", "ok")),
        HopState::Broken => red(page.pick("✗", "x")),
        HopState::Unproven => yellow("~"),
        HopState::Unknown => yellow("?"),
        HopState::Off => dim(page.pick("–", "-")),
    };
    let detail = match (&hop.detail, hop.state) {
        (Some(detail), HopState::Broken) => format!(" {}", red(detail)),
        (Some(detail), _) => format!(" {}", dim(detail)),
        (None, _) => String::new(),
    };
    format!("{}{port} {mark}{detail}", hop.hop)
}
