//! The whole result in one line.

use flowgate_checks::words::count;

use super::{CheckStatus, Report};

/// `2 problems, 1 note, 1 effect`; without one `nothing wrong found in 7 checks`, and which of them
/// have no verdict.
pub fn verdict(report: &Report) -> String {
    let summary = &report.summary;
    if summary.error + summary.warning > 0 {
        let counted: Vec<String> = [
            (summary.error, "problem"),
            (summary.warning, "warning"),
            (summary.info, "note"),
            (summary.explained, "effect"),
            (summary.unknown, "unknown"),
        ]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| count(n, word))
        .chain((summary.muted > 0).then(|| format!("{} muted", summary.muted)))
        .collect();
        return counted.join(", ");
    }
    let checked = format!("nothing wrong found in {}", count(summary.pass, "check"));
    let open: Vec<&str> = report
        .checks
        .iter()
        .filter(|row| row.status == CheckStatus::Unknown)
        .map(|row| row.id)
        .collect();
    match open.len() {
        0 => checked,
        1 => format!("{checked}, {} has no verdict", open.join(", ")),
        _ => format!("{checked}, {} have no verdict", open.join(", ")),
    }
}
