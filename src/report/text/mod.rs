//! The report for people: the chain, then the roots with fix before proof, then one line of figures.

mod block;
mod chain;
pub mod layout;
mod repair;
mod summary;

pub use layout::Options;
use layout::Page;

use std::collections::BTreeSet;

use flowgate_checks::model::Finding;

use super::Report;

/// The report as text with ANSI styles; whoever prints it takes them away where they do not belong.
pub fn render(report: &Report, options: &Options) -> String {
    let mut page = Page::new(options);
    chain::header(&mut page, report);
    if let Some(repair) = &report.repair {
        repair::runs(&mut page, report, repair);
    }
    let numbered = report
        .heard_roots()
        .filter(|root| block::is_problem(root))
        .count();
    let mut number = 0;
    for root in report.heard_roots() {
        if block::is_problem(root) {
            number += 1;
            let label = (numbered > 1).then(|| format!("{number}/{numbered}"));
            block::problem(&mut page, report, root, label.as_deref());
        } else {
            block::note(&mut page, root);
        }
    }
    if options.explained {
        for effect in report.heard_effects() {
            block::effect(&mut page, effect);
        }
    }
    // Several checks may have needed the same datum: people read it once.
    let mut said = BTreeSet::new();
    for unknown in &report.unknowns {
        if said.insert((&unknown.datum.what, &unknown.datum.why)) {
            block::unknown(&mut page, unknown);
        }
    }
    summary::footer(&mut page, report);
    page.finish()
}

/// Some roots of a report alone, each with its name: what a command says that failed because of them.
pub fn blocks(report: &Report, roots: &[&Finding], options: &Options) -> String {
    let mut page = Page::new(options);
    for (index, root) in roots.iter().enumerate() {
        let label = (roots.len() > 1).then(|| format!("{}/{}", index + 1, roots.len()));
        block::problem(&mut page, report, root, label.as_deref());
        if label.is_none() {
            block::more(&mut page, report, root);
        }
    }
    page.finish()
}
