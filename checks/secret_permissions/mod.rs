#![doc = include_str!("../secret_permissions.md")]

mod directory_exposed;
mod dumps;
mod file_exposed;
mod look;
mod service_user;
mod set_mode;
mod symlink;
mod unreadable;
mod unwritable;
mod wrong_owner;

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
    UNWRITABLE = "unwritable", Error, Outage, "the service cannot write its auth dir";
    WRONG_OWNER = "wrong-owner", Warning, Exposure, "a secret belongs to another user";
    SYMLINK = "symlink", Warning, Risk, "a secret is a link that leads astray";
    PROMPTS_IN_DUMPS = "prompts-in-dumps", Info, Hint, "error dumps hold prompts";
}

fn run(snapshot: &Snapshot) -> Verdict {
    let mut verdict = unreadable::find(snapshot);
    let unreadable: Vec<String> = verdict
        .findings
        .iter()
        .map(|finding| finding.subject.to_string())
        .collect();
    let known = snapshot.files.iter().filter_map(|(path, observed)| {
        let facts = observed.known()?;
        Some(SecretFile { path, facts })
    });
    let unwritable: Vec<_> = known
        .filter_map(|file| unwritable::find(&file, snapshot))
        .filter(|finding| !unreadable.contains(&finding.subject.to_string()))
        .collect();
    let told: Vec<String> = verdict
        .findings
        .iter()
        .chain(&unwritable)
        .map(|finding| finding.subject.to_string())
        .collect();
    verdict.findings.extend(unwritable);
    for (path, observed) in &snapshot.files {
        match observed {
            Observed::Known(facts) => {
                let file = SecretFile { path, facts };
                let exposed = file_exposed::find(&file, snapshot);
                // Whoever can read it is told there, its owner among them; and a dir that is told
                // already speaks for what lies in it.
                let is_told = exposed.is_some() || told.iter().any(|dir| lies_in(path, dir));
                verdict.findings.extend(exposed);
                let others = [
                    directory_exposed::find(&file, snapshot),
                    wrong_owner::find(&file, snapshot).filter(|_| !is_told),
                    symlink::find(&file, snapshot),
                    dumps::find(&file, snapshot),
                ];
                verdict.findings.extend(others.into_iter().flatten());
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
