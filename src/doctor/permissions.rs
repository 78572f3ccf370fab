//! How many secrets others can reach, without a whole look.

use std::path::PathBuf;
use std::time::Duration;

use flowgate_checks::ALL;
use flowgate_checks::model::{Finding, Observed, Snapshot, Subject};
use flowgate_checks::reach::{Reach, of_writing_dir};

use crate::gather;

/// Bound of the look; a file system that hangs must not hold `status` up.
const TIMEOUT: Duration = Duration::from_secs(2);

/// `secret_permission_issues` of `status`: exposed secrets and configs, protected by a closed folder
/// or not, and directories of secrets that others can write. None when nobody could look.
pub fn secret_permission_issues(config: Option<PathBuf>) -> Option<usize> {
    let snapshot = gather::permissions(config, TIMEOUT).ok()?;
    issues_in(&snapshot)
}

/// The same of a snapshot that was gathered already.
pub(super) fn issues_in(snapshot: &Snapshot) -> Option<usize> {
    let check = ALL.iter().find(|check| check.id == "secret-permissions")?;
    let verdict = (check.run)(snapshot);
    let issues = verdict.findings.iter();
    Some(issues.filter(|finding| counts(finding, snapshot)).count())
}

fn counts(finding: &Finding, snapshot: &Snapshot) -> bool {
    match finding.spec.id {
        "secret-permissions/file-exposed" | "secret-permissions/config-exposed" => true,
        "secret-permissions/directory-exposed" => match &finding.subject {
            Subject::File(path) => match snapshot.files.get(path) {
                Some(Observed::Known(facts)) => of_writing_dir(facts, snapshot) != Reach::Nobody,
                _ => false,
            },
            _ => false,
        },
        _ => false,
    }
}
