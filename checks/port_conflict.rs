#![doc = include_str!("port_conflict.md")]

use crate::model::{Check, Snapshot, Verdict};

/// The check.
pub static CHECK: Check = Check {
    id: "port-conflict",
    title: "who holds the ports",
    section: Some(1),
    page: include_str!("port_conflict.md"),
    findings: &[],
    run,
};

fn run(_snapshot: &Snapshot) -> Verdict {
    Verdict::default()
}
