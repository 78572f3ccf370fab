//! The files that a start reads: whether one of them is another than it was.
//!
//! They are looked at by their facts, once a second while somebody waits for a change, and by nothing
//! that has to be told of it: that sees files that are not there yet, files that are put in the place
//! of others, and files on every kind of disk, and costs a few microseconds.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What tells a file from the one that was there before, as one word: `803.1a2b.5120.…`. The time of
/// its last change of mode or owner is part of it, since those can keep a program from reading it.
pub fn identity(path: &Path) -> Option<String> {
    let facts = path.metadata().ok()?;
    Some(format!(
        "{:x}.{:x}.{:x}.{:x}.{:x}.{:x}.{:x}",
        facts.dev(),
        facts.ino(),
        facts.size(),
        facts.mtime(),
        facts.mtime_nsec(),
        facts.ctime(),
        facts.ctime_nsec()
    ))
}

/// Some files, as they were when they were looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched(Vec<(PathBuf, Option<String>)>);

impl Watched {
    /// These files, as they are now.
    pub fn now(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let paths = paths.into_iter();
        Self(
            paths
                .map(|path| {
                    let identity = identity(&path);
                    (path, identity)
                })
                .collect(),
        )
    }

    /// The same files, as they are now.
    pub fn again(&self) -> Self {
        Self::now(self.0.iter().map(|(path, _)| path.clone()))
    }

    /// The first that is not as it was.
    pub fn changed(&self) -> Option<&Path> {
        let differs = |(path, then): &&(PathBuf, Option<String>)| identity(path) != *then;
        self.0.iter().find(differs).map(|(path, _)| path.as_path())
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test changes the files that are watched"
)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_that_appears_grows_is_replaced_or_opened_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.yaml");
        let look = || Watched::now([dir.path().join("b"), path.clone()]);
        let mut before = look();
        let mut differs = |what: &str| {
            assert_eq!(before.changed(), Some(path.as_path()), "{what}");
            before = before.again();
            assert_eq!(before.changed(), None);
        };
        std::fs::write(&path, "a").unwrap();
        differs("appeared");
        std::fs::write(&path, "ab").unwrap();
        differs("grew");
        let other = dir.path().join("c");
        std::fs::write(&other, "ab").unwrap();
        std::fs::rename(&other, &path).unwrap();
        differs("was replaced");
        // The clock of a file system may stand still for some milliseconds.
        std::thread::park_timeout(std::time::Duration::from_millis(20));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        differs("has another mode");
        std::fs::remove_file(&path).unwrap();
        differs("went");
    }
}
