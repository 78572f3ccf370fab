#![doc = include_str!("../secret_permissions.md")]

mod directory_exposed;
mod file_exposed;
mod look;
mod service_user;
mod set_mode;
mod unreadable;

use crate::model::{Check, FileFacts, Observed, Snapshot, UnknownDatum, Verdict};

/// The check.
pub static CHECK: Check = Check {
    id: "secret-permissions",
    title: "who can read the secrets",
    section: Some(3),
    page: include_str!("../secret_permissions.md"),
    findings: FINDINGS,
    run,
};

crate::findings! { "secret-permissions";
    FILE_EXPOSED = "file-exposed", Error, Exposure, "a secret can be read by others";
    DIRECTORY_EXPOSED = "directory-exposed", Error, Exposure, "others can write into a directory of secrets";
    CONFIG_EXPOSED = "config-exposed", Error, Exposure, "a config with keys in it can be read by others";
    UNREADABLE = "unreadable", Error, Outage, "the service cannot read a file that it needs";
}

fn run(snapshot: &Snapshot) -> Verdict {
    let mut verdict = unreadable::find(snapshot);
    let unreadable: Vec<String> = verdict
        .findings
        .iter()
        .map(|finding| finding.subject.to_string())
        .collect();
    for (path, observed) in &snapshot.files {
        match observed {
            Observed::Known(facts) => {
                let file = SecretFile { path, facts };
                verdict.findings.extend(file_exposed::find(&file, snapshot));
                verdict
                    .findings
                    .extend(directory_exposed::find(&file, snapshot));
            }
            // What lies in a directory that cannot be read is told with the directory.
            Observed::Unknown(why) if !unreadable.iter().any(|dir| lies_in(path, dir)) => {
                verdict.unknowns.push(UnknownDatum {
                    what: format!("the mode of {path}"),
                    why: why.why.clone(),
                    command: why.command.clone(),
                    optional: false,
                });
            }
            Observed::Unknown(_) | Observed::NotAsked => {}
        }
    }
    verdict
}

/// A secret, a config or a directory, and what is known of it.
struct SecretFile<'a> {
    /// As the snapshot shows it.
    path: &'a str,
    facts: &'a FileFacts,
}

/// Whether a path is a directory, or lies in it.
fn lies_in(path: &str, dir: &str) -> bool {
    path.strip_prefix(dir)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
