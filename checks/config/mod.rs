#![doc = include_str!("../config.md")]

mod ambiguous_scalar;
mod file;
mod key;
mod log_lost;
pub(crate) mod overridden;
mod port;
mod readiness_path;
mod running;

use crate::model::{Check, Snapshot, Verdict};

crate::findings! { "config";
    MISSING = "missing", Error, Outage, "no flowgate.yaml";
    UNREADABLE = "unreadable", Error, Outage, "flowgate.yaml cannot be read";
    INVALID = "invalid", Error, Outage, "flowgate.yaml is invalid";
    UNKNOWN_KEY = "unknown-key", Warning, Risk, "a key that flowgate does not know";
    DUPLICATE_KEY = "duplicate-key", Error, Risk, "a key that stands twice";
    LEGACY_KEY = "legacy-key", Info, Hint, "a key of an older version";
    AMBIGUOUS_SCALAR = "ambiguous-scalar", Warning, Risk, "a value that readers do not take alike";
    PORT_MISMATCH = "port-mismatch", Error, Outage, "its ports are not the same";
    RUNNING_CONFIG_DIFFERS = "running-config-differs", Warning, Risk, "runs with another config than its file";
    OVERRIDDEN = "overridden", Error, Outage, "something makes it ignore its config";
    COSTLY_READINESS_PATH = "costly-readiness-path", Warning, Risk, "its readiness path costs money";
    LOG_LOST = "log-lost", Warning, Risk, "its log lines go nowhere";
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
    ambiguous_scalar::look(snapshot, &mut verdict);
    port::look(snapshot, &mut verdict);
    running::look(snapshot, &mut verdict);
    overridden::look(snapshot, &mut verdict);
    readiness_path::look(snapshot, &mut verdict);
    log_lost::look(snapshot, &mut verdict);
    verdict
}
