//! Whether a login left a credential: a file that was not there before, or is another one now. No
//! clock is asked, since that of this machine may be wrong by hours.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use flowgate_checks::model::{AuthDirRole, CredentialState};
use flowgate_checks::routes::canonical_provider;

use super::error::LoginError;
use crate::gather::credentials::{self, interpret};
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::handle::Handle;
use crate::sys::place::Root;
use crate::sys::read;
use crate::sys::redact::Redactor;

/// Most entries of a folder that are looked at; an auth dir may be somebody's home.
const MOST_ENTRIES: usize = 50_000;

/// Inode, length, and when content and inode last changed.
type Stamp = (u64, u64, i64, i64, i64, i64);

/// The auth dirs as they were before a login.
pub struct Before {
    dirs: Vec<(PathBuf, AuthDirRole)>,
    files: BTreeMap<PathBuf, Stamp>,
}

/// What every look at a token file needs.
pub struct Reader<'a> {
    /// How paths are shown.
    pub root: &'a Root,
    /// Makes the fingerprints.
    pub fingerprinter: &'a Fingerprinter,
    /// Learns the secrets in the file.
    pub redactor: &'a Redactor,
}

/// What is there since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// Nothing of this provider.
    Nothing,
    /// A file of it that was not there, or is another now.
    Saved {
        /// The file.
        path: PathBuf,
        /// Whether it was not there before.
        is_new: bool,
    },
    /// One that cannot be used, with why.
    Unfit(String),
}

impl Before {
    /// Takes down what is there; what cannot be listed is as good as empty.
    pub fn take(dirs: &[(PathBuf, AuthDirRole)]) -> Self {
        Self {
            files: dirs.iter().flat_map(|(dir, _)| stamps(dir)).collect(),
            dirs: dirs.to_vec(),
        }
    }

    /// What a login of this provider left in the dir that the service reads.
    pub fn since(&self, provider: &str, reader: &Reader<'_>) -> Since {
        let mut unfit = None;
        for (dir, role) in &self.dirs {
            // What lies beside, in a dir that the service does not read, serves nobody.
            if *role != AuthDirRole::Service && self.dirs.len() > 1 && *dir != self.dirs[0].0 {
                continue;
            }
            for (path, stamp) in stamps(dir) {
                let before = self.files.get(&path);
                if before == Some(&stamp) {
                    continue;
                }
                match judge(&path, provider, reader) {
                    Ok(true) => {
                        return Since::Saved {
                            is_new: before.is_none(),
                            path,
                        };
                    }
                    Ok(false) => {}
                    Err(why) => unfit = Some(format!("{}: {why}", reader.root.show(&path))),
                }
            }
        }
        unfit.map_or(Since::Nothing, Since::Unfit)
    }

    /// The dir that the service reads, for words about it.
    pub fn dir(&self) -> Option<&Path> {
        self.dirs.first().map(|(dir, _)| dir.as_path())
    }
}

/// Whether a file is a credential of the provider.
///
/// # Errors
/// Why it cannot be told or used.
fn judge(path: &Path, provider: &str, reader: &Reader<'_>) -> Result<bool, String> {
    let bytes = read::whole(path, credentials::FILE_LIMIT).map_err(|error| error.to_string())?;
    match interpret(&bytes, reader.fingerprinter, reader.redactor) {
        CredentialState::Parsed { provider: of, .. } => Ok(of == canonical_provider(provider)),
        CredentialState::Empty => Err("it is empty".into()),
        CredentialState::NotJson { at } => Err(format!("no JSON at {at}")),
        CredentialState::NoType => Err("it names no type".into()),
        CredentialState::Unreadable { why } => Err(why),
    }
}

fn stamps(dir: &Path) -> Vec<(PathBuf, Stamp)> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    entries
        .take(MOST_ENTRIES)
        .flatten()
        .filter(|entry| credentials::is_token_file_name(&entry.file_name().to_string_lossy()))
        .filter_map(|entry| {
            let facts = fs::metadata(entry.path())
                .ok()
                .filter(fs::Metadata::is_file)?;
            let stamp = (
                facts.ino(),
                facts.len(),
                facts.mtime(),
                facts.mtime_nsec(),
                facts.ctime(),
                facts.ctime_nsec(),
            );
            Some((entry.path(), stamp))
        })
        .collect()
}

/// Closes a credential to all but its owner; gives the mode that it has then. The program saves it
/// readable by everybody (`facts/cliproxyapi.md` 5.3).
///
/// # Errors
/// [`LoginError::Exposed`], where it belongs to somebody else.
pub fn close(path: &Path, root: &Root) -> Result<u32, LoginError> {
    let exposed = |mode, why: String| LoginError::Exposed {
        path: root.show(path),
        mode,
        why,
    };
    let held = Handle::open(path).map_err(|error| exposed(0, error.to_string()))?;
    let closed = held.mode & 0o600;
    if held.mode == closed {
        return Ok(closed);
    }
    let me = rustix::process::geteuid().as_raw();
    if me != 0 && held.uid != me {
        let why = format!("it belongs to uid {}", held.uid);
        return Err(exposed(held.mode, why));
    }
    held.set_mode(closed)
        .and_then(|()| held.mode_now())
        .map_err(|error| exposed(held.mode, error.to_string()))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test makes what it looks at")]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::{Duration, SystemTime};

    use super::*;

    const CODEX: &str = r#"{"type":"codex","refresh_token":"rt-1234567890"}"#;

    struct House {
        dir: tempfile::TempDir,
        root: Root,
        fingerprinter: Fingerprinter,
        redactor: Redactor,
    }

    impl House {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            Self {
                root: Root::new(dir.path()),
                dir,
                fingerprinter: Fingerprinter::fixed([7; 32]),
                redactor: Redactor::default(),
            }
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        }

        fn before(&self) -> Before {
            Before::take(&[(self.dir.path().to_owned(), AuthDirRole::Service)])
        }

        fn since(&self, before: &Before) -> Since {
            let reader = Reader {
                root: &self.root,
                fingerprinter: &self.fingerprinter,
                redactor: &self.redactor,
            };
            before.since("codex", &reader)
        }
    }

    #[test]
    fn a_new_file_and_a_renewed_one_are_told_whatever_the_clock_says() {
        let house = House::new();
        let old = house.write("codex-a.json", CODEX);
        let before = house.before();
        assert_eq!(house.since(&before), Since::Nothing);
        // Saved by a clock that is six hours behind.
        let path = house.write("codex-b.json", CODEX);
        let then = SystemTime::now() - Duration::from_secs(6 * 3600);
        fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(then)
            .unwrap();
        assert_eq!(
            house.since(&before),
            Since::Saved {
                path: path.clone(),
                is_new: true
            }
        );
        let before = house.before();
        house.write("codex-a.json", &CODEX.replace("1234567890", "0987654321"));
        assert_eq!(
            house.since(&before),
            Since::Saved {
                path: old,
                is_new: false
            }
        );
    }

    #[test]
    fn what_is_no_credential_of_the_provider_does_not_count() {
        let house = House::new();
        let before = house.before();
        house.write(
            "claude.json",
            r#"{"type":"claude","refresh_token":"rt-1234567890"}"#,
        );
        house.write(".oauth-codex-s1.oauth", CODEX);
        house.write("notes.txt", CODEX);
        fs::create_dir(house.dir.path().join("sub.json")).unwrap();
        assert_eq!(house.since(&before), Since::Nothing);
        for (text, why) in [
            ("", "empty"),
            ("{\"type\": \"co", "no JSON"),
            ("{}", "no type"),
        ] {
            house.write("codex-x.json", text);
            let since = house.since(&before);
            assert!(
                matches!(&since, Since::Unfit(said) if said.contains(why)),
                "{since:?}"
            );
        }
    }

    #[test]
    fn one_among_2000_files_is_found_while_others_come_and_go() {
        let house = House::new();
        for number in 0..2000 {
            house.write(&format!("codex-{number}.json"), CODEX);
        }
        let before = house.before();
        assert_eq!(house.since(&before), Since::Nothing);
        for number in 0..100 {
            std::fs::remove_file(house.dir.path().join(format!("codex-{number}.json"))).unwrap();
        }
        assert_eq!(house.since(&before), Since::Nothing);
        let path = house.write("codex-new.json", CODEX);
        assert_eq!(house.since(&before), Since::Saved { path, is_new: true });
    }

    #[test]
    fn it_is_closed_and_never_opened() {
        let house = House::new();
        for (mode, closed) in [
            (0o644, 0o600),
            (0o600, 0o600),
            (0o400, 0o400),
            (0o444, 0o400),
        ] {
            let path = house.write("codex-a.json", CODEX);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(close(&path, &house.root).unwrap(), closed);
            let now = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(now, closed, "{mode:o}");
            std::fs::remove_file(&path).unwrap();
        }
        let target = house.write("codex-a.json", CODEX);
        let link = house.dir.path().join("link.json");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(matches!(
            close(&link, &house.root),
            Err(LoginError::Exposed { .. })
        ));
    }
}
