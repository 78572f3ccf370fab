//! Logs that others may read and in which a secret stands.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use flowgate_checks::model::FileRole;

use super::WantedFile;
use crate::sys::read;
use crate::sys::redact::Redactor;

/// So many bytes of the end of a log are searched.
const BYTES: u64 = 256 * 1024;

/// Bits with which a group or everybody may read.
const OTHERS_READ: u32 = 0o044;

/// Where a log may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPlace(pub PathBuf);

/// Of the logs that their bits let others read, those in whose end a learnt secret stands. The others
/// are of no concern.
pub fn with_secrets(places: &[LogPlace], redactor: &Redactor) -> Vec<WantedFile> {
    let is_open = |path: &PathBuf| {
        std::fs::metadata(path)
            .is_ok_and(|facts| facts.is_file() && facts.mode() & OTHERS_READ != 0)
    };
    let mut wanted: Vec<WantedFile> = Vec::new();
    for LogPlace(path) in places {
        if !is_open(path) || wanted.iter().any(|known| known.path == *path) {
            continue;
        }
        let Ok((bytes, _)) = read::tail(path, 0, BYTES) else {
            continue;
        };
        if redactor.knows_one_in(&String::from_utf8_lossy(&bytes)) {
            wanted.push(WantedFile {
                path: path.clone(),
                role: FileRole::Log,
                holds_secret: true,
            });
        }
    }
    wanted
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the files that are read"
)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use secrecy::SecretString;

    use super::*;

    #[test]
    fn only_an_open_log_with_a_known_secret_counts() {
        let folder = tempfile::tempdir().unwrap();
        let redactor = Redactor::default();
        redactor.learn(&SecretString::from("sk-known-0001"));
        let make = |name: &str, text: &str, mode: u32| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            LogPlace(path)
        };
        let places = [
            make("closed.log", "key sk-known-0001", 0o600),
            make("open.log", "key sk-known-0001 refused\n", 0o644),
            make("harmless.log", "key sk-other-0002", 0o644),
            LogPlace(folder.path().join("gone.log")),
        ];
        let wanted = with_secrets(&places, &redactor);
        let names: Vec<_> = wanted.iter().map(|file| file.path.clone()).collect();
        assert_eq!(names, [folder.path().join("open.log")]);
    }
}
