#![doc = include_str!("../supervisor.md")]

mod external;
mod gone;
mod runtime_dir;
mod stale_record;
mod unfinished_repair;
mod version;

use crate::model::{Check, Snapshot, Verdict};

/// The check.
pub static CHECK: Check = Check {
    id: "supervisor",
    title: "who runs the services",
    section: None,
    page: include_str!("../supervisor.md"),
    findings: FINDINGS,
    run,
};

crate::findings! { "supervisor";
    GONE = "gone", Warning, Risk, "nobody watches the services";
    UNFINISHED_REPAIR = "unfinished-repair", Error, Risk, "a repair was begun and not finished";
    STALE_RECORD = "stale-record", Info, Hint, "a record of a run that is over";
    EXTERNAL = "external", Info, Hint, "somebody else runs the service";
    RUNTIME_NOT_WRITABLE = "runtime-not-writable", Error, Outage, "the runtime dir cannot be written";
    VERSION_SKEW = "version-skew", Info, Hint, "the supervisor is another flowgate";
}

fn run(snapshot: &Snapshot) -> Verdict {
    let mut verdict = Verdict::default();
    gone::look(snapshot, &mut verdict);
    unfinished_repair::look(snapshot, &mut verdict);
    stale_record::look(snapshot, &mut verdict);
    external::look(snapshot, &mut verdict);
    runtime_dir::look(snapshot, &mut verdict);
    version::look(snapshot, &mut verdict);
    verdict
}
