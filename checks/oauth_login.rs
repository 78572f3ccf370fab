#![doc = include_str!("oauth_login.md")]

use crate::model::{Check, Snapshot, Verdict};

/// The check.
pub static CHECK: Check = Check {
    id: "oauth-login",
    title: "logins",
    section: Some(2),
    page: include_str!("oauth_login.md"),
    findings: &[],
    run,
};

fn run(_snapshot: &Snapshot) -> Verdict {
    Verdict::default()
}
