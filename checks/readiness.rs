#![doc = include_str!("readiness.md")]

use crate::model::{Check, Snapshot, Verdict};

/// The check.
pub static CHECK: Check = Check {
    id: "readiness",
    title: "whether the gateway answers",
    section: Some(5),
    page: include_str!("readiness.md"),
    findings: &[],
    run,
};

fn run(_snapshot: &Snapshot) -> Verdict {
    Verdict::default()
}
