#![doc = include_str!("missing_binaries.md")]

use crate::model::{Check, Snapshot, Verdict};

/// The check.
pub static CHECK: Check = Check {
    id: "missing-binaries",
    title: "the programs",
    section: Some(4),
    page: include_str!("missing_binaries.md"),
    findings: &[],
    run,
};

fn run(_snapshot: &Snapshot) -> Verdict {
    Verdict::default()
}
