//! Token files of the auth dirs: what they are, never what they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use flowgate_checks::model::{
    AuthDir, AuthDirRole, CredentialFile, CredentialState, ForeignLogin, Observed, Unknown,
};
use jiff::Timestamp;

use crate::sys::fingerprint::Fingerprinter;
use crate::sys::place::{Root, normalise};
use crate::sys::read::{self, ReadError};
use crate::sys::redact::Redactor;

mod elsewhere;
mod interpret;
mod moment;

pub use interpret::interpret;

/// Longest token file that is read.
pub const FILE_LIMIT: u64 = 64 * 1024;

/// Most token files of one directory that are read.
const MOST_FILES: usize = 2000;

/// Most directory entries that are looked at; an auth dir may be somebody's home.
const MOST_ENTRIES: usize = 20_000;

/// A file that was written this recently may be half a file: the program writes in place
/// (`facts/cliproxyapi.md` 5.3).
const JUST_WRITTEN: Duration = Duration::from_secs(2);

/// Pause before such a file is read once more.
const PAUSE: Duration = Duration::from_millis(20);

/// So often it is read again: on a busy machine half a file stays half for a while.
const PAUSES: usize = 10;

/// What lies in the auth dirs.
#[derive(Debug, Default)]
pub struct TokenFiles {
    /// The directories in the order given, each once.
    pub auth_dirs: Vec<AuthDir>,
    /// The `*.json` files directly in them, by path as shown.
    pub files: BTreeMap<String, CredentialFile>,
    /// Logins of other programs of this user, by path as shown.
    pub elsewhere: BTreeMap<String, ForeignLogin>,
}

/// Looks into the auth dirs, the one that the service reads first. Blocks on the file system.
pub fn look(
    dirs: &[(PathBuf, AuthDirRole)],
    root: &Root,
    fingerprinter: &Fingerprinter,
    redactor: &Redactor,
) -> TokenFiles {
    let mut found = TokenFiles::default();
    let mut seen = BTreeSet::new();
    for (dir, role) in dirs {
        if !seen.insert(normalise(dir)) {
            continue;
        }
        let (auth_dir, names) = list(dir, *role, root);
        found.auth_dirs.push(auth_dir);
        for path in names {
            let file = CredentialFile {
                dir: *role,
                state: read_state(&path, fingerprinter, redactor, || thread::sleep(PAUSE)),
                modified_at: modified_at(&path),
            };
            // One that was taken away since it was listed is not there.
            if path.symlink_metadata().is_ok() {
                found.files.insert(root.show(&path), file);
            }
        }
    }
    found
}

/// The logins that other programs keep below the home of this user. Blocks on the file system.
pub fn look_elsewhere(
    own: &[(PathBuf, AuthDirRole)],
    root: &Root,
    fingerprinter: &Fingerprinter,
    redactor: &Redactor,
) -> BTreeMap<String, ForeignLogin> {
    let Some(home) = std::env::home_dir() else {
        return BTreeMap::new();
    };
    let own: Vec<PathBuf> = own.iter().map(|(dir, _)| dir.clone()).collect();
    let codex = std::env::var_os("CODEX_HOME").map(PathBuf::from);
    elsewhere::look(&home, codex.as_deref(), &own, root, fingerprinter, redactor)
}

/// Lists one directory: the fact about it, and its token files in the order of their names.
fn list(dir: &Path, role: AuthDirRole, root: &Root) -> (AuthDir, Vec<PathBuf>) {
    let shown = root.show(dir);
    let mut auth_dir = AuthDir {
        path: shown.clone(),
        role,
        listing: Observed::NotAsked,
        exists: true,
    };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => {
            match ReadError::from(error) {
                ReadError::Missing if !dir.is_file() => auth_dir.exists = false,
                ReadError::Missing => auth_dir.listing = Observed::unknown("is not a directory"),
                other => {
                    auth_dir.listing = Observed::Unknown(Unknown {
                        why: other.to_string(),
                        command: Some(format!("ls -ld {shown}")),
                    });
                }
            }
            return (auth_dir, Vec::new());
        }
    };
    let mut paths: Vec<PathBuf> = entries
        .take(MOST_ENTRIES)
        .flatten()
        .filter(|entry| is_token_file_name(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.path())
        // A folder of that name is none; a link, a FIFO or what cannot be looked at is kept.
        .filter(|path| !path.is_dir())
        .collect();
    paths.sort();
    auth_dir.listing = Observed::Known(u32::try_from(paths.len()).unwrap_or(u32::MAX));
    paths.truncate(MOST_FILES);
    (auth_dir, paths)
}

/// `*.json` in any case, as the program takes them; `.oauth-…` are logins under way.
pub fn is_token_file_name(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".json") && !name.starts_with(".oauth-")
}

fn read_state(
    path: &Path,
    fingerprinter: &Fingerprinter,
    redactor: &Redactor,
    mut pause: impl FnMut(),
) -> CredentialState {
    let mut state = read_once(path, fingerprinter, redactor);
    for _ in 0..PAUSES {
        let is_half = matches!(
            state,
            CredentialState::Empty | CredentialState::NotJson { .. }
        );
        if !is_half || !is_just_written(path) {
            break;
        }
        pause();
        state = read_once(path, fingerprinter, redactor);
    }
    state
}

fn read_once(path: &Path, fingerprinter: &Fingerprinter, redactor: &Redactor) -> CredentialState {
    match read::whole(path, FILE_LIMIT) {
        Ok(bytes) => interpret(&bytes, fingerprinter, redactor),
        Err(error) => CredentialState::Unreadable {
            why: error.to_string(),
        },
    }
}

fn is_just_written(path: &Path) -> bool {
    fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
        .and_then(|modified| modified.elapsed().ok())
        .is_some_and(|age| age < JUST_WRITTEN)
}

fn modified_at(path: &Path) -> Option<Timestamp> {
    let modified = fs::metadata(path).ok()?.modified().ok()?;
    Timestamp::try_from(modified).ok()
}

#[cfg(test)]
#[path = "credentials/tests.rs"]
mod tests;
