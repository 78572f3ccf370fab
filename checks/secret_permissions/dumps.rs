//! Error dumps of CLIProxyAPI hold whole prompts, and others can read them.

use super::{PROMPTS_IN_DUMPS, SecretFile, look, set_mode};
use crate::model::{FileKind, FileRole, Finding, Snapshot, Subject};
use crate::reach::{self, Reach};

/// The finding for a folder with dumps whose bits let others read (`facts/real-stack.md`, Logs). A
/// folder that nobody else can list protects them.
pub fn find(file: &SecretFile<'_>, snapshot: &Snapshot) -> Option<Finding> {
    let facts = file.facts;
    if facts.role != FileRole::DumpDir || facts.kind != FileKind::Directory {
        return None;
    }
    let Reach::Open { given } = reach::of_listing_dir(facts, snapshot) else {
        return None;
    };
    Some(
        Finding::new(
            &PROMPTS_IN_DUMPS,
            Subject::File(file.path.into()),
            format!(
                "the error dumps in {} hold whole prompts, and can be read by {}",
                file.path,
                look::others(given, facts.gid)
            ),
            "CLIProxyAPI writes one for each request that fails, mode 644",
        )
        .brief("prompts can be read")
        .evidence(look::mode_row(file, "700", snapshot))
        .fix(set_mode::for_dir(file, snapshot)),
    )
}
