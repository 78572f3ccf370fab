#![doc = include_str!("supervisor.md")]

use crate::model::{Check, Snapshot, Verdict};

/// The check.
pub static CHECK: Check = Check {
    id: "supervisor",
    title: "who runs the services",
    section: None,
    page: include_str!("supervisor.md"),
    findings: &[],
    run,
};

fn run(_snapshot: &Snapshot) -> Verdict {
    Verdict::default()
}
