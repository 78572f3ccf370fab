#![doc = include_str!("secret_permissions.md")]

use crate::model::{Check, Snapshot, Verdict};

/// The check.
pub static CHECK: Check = Check {
    id: "secret-permissions",
    title: "who can read the secrets",
    section: Some(3),
    page: include_str!("secret_permissions.md"),
    findings: &[],
    run,
};

fn run(_snapshot: &Snapshot) -> Verdict {
    Verdict::default()
}
