//! A version that is known to do harm.

use super::{KNOWN_BAD_VERSION, ServiceProgram, install};
use crate::model::{Evidence, Finding, ProgramState, ServiceKind, Subject};
use crate::shell;

/// A release that is known to be bad.
struct Bad {
    kind: ServiceKind,
    version: &'static str,
    /// Since when it is known, for people.
    since: &'static str,
    what: &'static str,
    source: &'static str,
}

/// Every release that is known to be bad, as of 2026-11 (`facts/litellm.md` 1).
const TABLE: [Bad; 2] = [
    Bad {
        kind: ServiceKind::Litellm,
        version: "1.82.7",
        since: "2026-03-24",
        what: "a malicious release that steals keys",
        source: "BerriAI/litellm#24518",
    },
    Bad {
        kind: ServiceKind::Litellm,
        version: "1.82.8",
        since: "2026-03-24",
        what: "a malicious release that steals keys whenever Python starts",
        source: "BerriAI/litellm#24518",
    },
];

/// The finding for an installed release of the table, whether it runs or not: what it steals is stolen
/// either way.
pub fn find(target: &ServiceProgram<'_>) -> Option<Finding> {
    let ProgramState::File(file) = &target.program.state else {
        return None;
    };
    let facts = file.packages.known()?;
    let version = facts.litellm.as_deref()?;
    let bad = TABLE
        .iter()
        .find(|bad| bad.kind == target.view.service.kind && bad.version == version)?;
    let site = &facts.site_packages;
    let folder = format!("{site}/litellm-{version}.dist-info");
    Some(
        Finding::new(
            &KNOWN_BAD_VERSION,
            Subject::Service(target.view.name.into()),
            format!(
                "the installed LiteLLM {version} is {}: change every key that this user can read",
                bad.what
            ),
            format!("known since {}: {}", bad.since, bad.source),
        )
        .brief(format!("LiteLLM {version} is malicious"))
        .evidence(
            Evidence::new("packages", format!("litellm {version}"), site)
                .expected("a release that is not known to be bad")
                .command(format!(
                    "ls -d {}",
                    shell::path(target.view.snapshot, &folder)
                )),
        )
        .evidence(target.named_row())
        .fix(install::fix(target)),
    )
}
