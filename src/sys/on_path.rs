//! Programs by bare name, as PATH gives them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::access::{can_execute, reach};
use super::place::normalise;

/// Where a program is looked for without PATH, as the C library does.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The program that PATH gives a bare name: the first that can be executed, else the first of the name.
pub fn find_on_path(name: &str, path: Option<&OsStr>, cwd: &Path) -> Option<PathBuf> {
    find_executable(name, path, cwd).or_else(|| {
        places_on_path(name, path, cwd)
            .into_iter()
            .find(|place| std::fs::symlink_metadata(place).is_ok_and(|found| !found.is_dir()))
    })
}

/// The first program of a bare name on PATH that this user can execute.
pub fn find_executable(name: &str, path: Option<&OsStr>, cwd: &Path) -> Option<PathBuf> {
    places_on_path(name, path, cwd).into_iter().find(|place| {
        reach(place).is_ok_and(|found| found.is_file() && can_execute(place, &found, false))
    })
}

/// Where a bare name is looked for; an empty part of PATH is the working directory.
fn places_on_path(name: &str, path: Option<&OsStr>, cwd: &Path) -> Vec<PathBuf> {
    if name.is_empty() || name.contains('/') {
        return Vec::new();
    }
    std::env::split_paths(path.unwrap_or(OsStr::new(DEFAULT_PATH)))
        .map(|folder| normalise(&cwd.join(folder).join(name)))
        .collect()
}
