#![doc = include_str!("../config.md")]

mod file;
mod key;
mod port;

use crate::model::{Check, Snapshot, Verdict};

crate::findings! { "config";
    MISSING = "missing", Error, Outage, "no flowgate.yaml";
    UNREADABLE = "unreadable", Error, Outage, "flowgate.yaml cannot be read";
    INVALID = "invalid", Error, Outage, "flowgate.yaml is invalid";
    UNKNOWN_KEY = "unknown-key", Warning, Risk, "a key that flowgate does not know";
    DUPLICATE_KEY = "duplicate-key", Error, Risk, "a key that stands twice";
    PORT_MISMATCH = "port-mismatch", Error, Outage, "its ports are not the same";
}

/// The check.
pub static CHECK: Check = Check {
    id: "config",
    title: "flowgate.yaml",
    section: None,
    page: include_str!("../config.md"),
    findings: FINDINGS,
    run,
};

fn run(snapshot: &Snapshot) -> Verdict {
    let mut verdict = Verdict::default();
    file::look(snapshot, &mut verdict);
    key::look(snapshot, &mut verdict);
    port::look(snapshot, &mut verdict);
    verdict
}
