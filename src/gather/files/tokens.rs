//! The token files of an auth dir.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sys::read::ReadError;

/// At most so many token files of a dir are listed.
const TOKENS: usize = 2000;

/// At most so many entries of an auth dir are read.
const ENTRIES: usize = 20_000;

/// The token files of an auth dir.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenFiles {
    /// Every `*.json` directly in it, sorted; the ending in any case.
    pub paths: Vec<PathBuf>,
    /// Whether there are more than were listed.
    pub cut: bool,
}

/// The token files directly in an auth dir; files and links, no folders.
///
/// # Errors
/// [`ReadError`], when the dir is not there or cannot be listed.
pub fn token_files(dir: &Path) -> Result<TokenFiles, ReadError> {
    let mut found = TokenFiles::default();
    for (index, entry) in fs::read_dir(dir)?.enumerate() {
        if index >= ENTRIES {
            found.cut = true;
            break;
        }
        let path = entry?.path();
        let is_json = path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        if is_json && !path.symlink_metadata()?.is_dir() {
            found.paths.push(path);
        }
    }
    found.paths.sort();
    if found.paths.len() > TOKENS {
        found.paths.truncate(TOKENS);
        found.cut = true;
    }
    Ok(found)
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the files that are listed"
)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn token_files_are_listed_in_any_case_and_folders_are_not() {
        let place = tempfile::tempdir().unwrap();
        for name in ["b.json", "A.JSON", "c.txt", "sub/d.json", ".hidden.json"] {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{}").unwrap();
        }
        fs::create_dir(place.path().join("folder.json")).unwrap();
        symlink("/nowhere", place.path().join("link.json")).unwrap();
        let names: Vec<String> = token_files(place.path())
            .unwrap()
            .paths
            .iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(names, [".hidden.json", "A.JSON", "b.json", "link.json"]);
        assert!(matches!(
            token_files(&place.path().join("gone")),
            Err(ReadError::Missing)
        ));
    }
}
