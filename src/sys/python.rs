//! Pythons of the system that can make virtual environments.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::content::{Sniffed, sniff};
use super::on_path::find_executable;
use super::read;

/// LiteLLM needs at least Python 3.10 (litellm.md §1.1); the newest name that is tried is 3.30.
const PYTHON_MINORS: std::ops::RangeInclusive<u32> = 10..=30;

/// A Python of the system, 3.10 or newer, that can make virtual environments: links followed, so that
/// a virtual environment on PATH shows the Python behind it. Scripts that choose a Python are left
/// out: which one, only running them would tell.
pub fn find(path: Option<&OsStr>, cwd: &Path) -> Option<PathBuf> {
    let names = PYTHON_MINORS
        .rev()
        .map(|minor| format!("python3.{minor}"))
        .chain(["python3".to_owned()]);
    let folders: Vec<PathBuf> = path
        .map(|path| std::env::split_paths(path).collect())
        .unwrap_or_default();
    for name in names {
        for folder in &folders {
            let Some(python) = find_executable(&name, Some(folder.as_os_str()), cwd) else {
                continue;
            };
            if let Ok(real) = python.canonicalize()
                && let Some(minor) = minor_of(&real)
                && PYTHON_MINORS.contains(&minor)
                && is_binary(&real)
                && makes_environments(&real, minor)
            {
                return Some(real);
            }
        }
    }
    None
}

/// `/usr/bin/python3.11` is 3.11.
fn minor_of(python: &Path) -> Option<u32> {
    let minor = python.file_name()?.to_str()?.strip_prefix("python3.")?;
    minor.parse().ok()
}

fn is_binary(path: &Path) -> bool {
    read::head(path, 512).is_ok_and(|head| {
        !matches!(
            sniff(&head),
            Sniffed::Script | Sniffed::Text | Sniffed::Empty
        )
    })
}

/// Whether its library holds `venv` and `ensurepip`, which some systems pack apart. A library that is
/// not where it usually is, is not held against it.
fn makes_environments(python: &Path, minor: u32) -> bool {
    let Some(prefix) = python.parent().and_then(Path::parent) else {
        return false;
    };
    let version = format!("python3.{minor}");
    let library = ["lib", "lib64"]
        .iter()
        .map(|folder| prefix.join(folder).join(&version))
        .find(|library| library.join("os.py").exists());
    library
        .is_none_or(|library| library.join("venv").is_dir() && library.join("ensurepip").is_dir())
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the files that are looked at"
)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A folder for PATH beside a library of Python 3.12.
    struct Prefix(tempfile::TempDir);

    impl Prefix {
        fn new() -> Self {
            let prefix = Self(tempfile::tempdir().unwrap());
            prefix.write("lib/python3.12/os.py", b"", 0o644);
            prefix.write("lib/python3.12/venv/x", b"", 0o644);
            prefix.write("lib/python3.12/ensurepip/x", b"", 0o644);
            prefix
        }

        fn at(&self, name: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(name)
        }

        fn write(&self, name: &str, bytes: &[u8], mode: u32) {
            let path = self.at(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }

        fn find(&self) -> Option<PathBuf> {
            find(Some(self.at("bin").as_os_str()), Path::new("/"))
        }
    }

    const BINARY: &[u8] = b"\x7fELF\x02\x01";

    #[test]
    fn a_python_is_known_by_the_name_behind_its_links() {
        let prefix = Prefix::new();
        prefix.write("bin/python3.12", BINARY, 0o755);
        symlink("python3.12", prefix.at("bin/python3")).unwrap();
        assert_eq!(prefix.find(), Some(prefix.at("bin/python3.12")));
        fs::remove_dir_all(prefix.at("lib/python3.12/ensurepip")).unwrap();
        assert_eq!(prefix.find(), None);
    }

    #[test]
    fn old_pythons_and_scripts_that_choose_one_do_not_count() {
        let prefix = Prefix::new();
        prefix.write("bin/python3.9", BINARY, 0o755);
        symlink("python3.9", prefix.at("bin/python3")).unwrap();
        prefix.write("bin/python3.12", b"#!/bin/sh\nexec pyenv\n", 0o755);
        prefix.write("bin/python3.13", BINARY, 0o644);
        assert_eq!(prefix.find(), None);
    }
}
