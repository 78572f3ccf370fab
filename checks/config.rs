#![doc = include_str!("config.md")]

use crate::model::{Check, Snapshot, Verdict};

/// The check.
pub static CHECK: Check = Check {
    id: "config",
    title: "flowgate.yaml",
    section: None,
    page: include_str!("config.md"),
    findings: &[],
    run,
};

fn run(_snapshot: &Snapshot) -> Verdict {
    Verdict::default()
}
