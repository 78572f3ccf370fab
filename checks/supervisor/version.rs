//! The supervisor that runs is another flowgate than this one.

use super::VERSION_SKEW;
use crate::model::{Evidence, Finding, Fix, RunLife, Safety, Snapshot, Step, Subject, Verdict};
use crate::shell;
use crate::steps;

/// Finds a supervisor that lives and says another version.
pub fn look(snapshot: &Snapshot, verdict: &mut Verdict) {
    let Some(Some(supervisor)) = snapshot.supervisor.recorded.known() else {
        return;
    };
    let Some(version) = &supervisor.version else {
        return;
    };
    let own = &snapshot.tool.version;
    let is_same = version == own || own.is_empty();
    if is_same || supervisor.life != RunLife::Alive {
        return;
    }
    let is_older = parts(version) < parts(own);
    let mut finding = Finding::new(
        &VERSION_SKEW,
        Subject::Supervisor,
        format!(
            "the supervisor (pid {}) is flowgate {version}, and this is {own}",
            supervisor.pid
        ),
        if is_older {
            "flowgate was replaced by a newer one while the supervisor ran"
        } else {
            "an older flowgate looks at the supervisor of a newer one"
        },
    )
    .brief(format!("supervisor is {version}"))
    .evidence(
        Evidence::new("record", format!("version {version}"), &supervisor.path)
            .expected(own)
            .command(format!("cat {}", shell::path(snapshot, &supervisor.path))),
    );
    // Only a newer flowgate replaces an older supervisor.
    if is_older {
        let fix = Fix::new(
            "reexec-supervisor",
            Safety::Safe,
            "let this flowgate take over as the supervisor; the services go on",
            vec![steps::apply(snapshot, "reexec-supervisor", "supervisor")],
        );
        finding = finding.fix(fix.with_steps(vec![Step::ReexecSupervisor]));
    }
    verdict.push(finding);
}

/// The numbers of a version, the most important first.
fn parts(version: &str) -> Vec<u64> {
    version
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|part| part.parse().ok())
        .collect()
}
