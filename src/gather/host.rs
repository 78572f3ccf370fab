//! The machine, the user and the room that is left.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use flowgate_checks::model::{Host, Observed, Space, Unknown};
use flowgate_checks::shell;

use super::programs::{Sniffed, find_executable, sniff};
use crate::platform;
use crate::sys::autostart;
use crate::sys::place::Root;
use crate::sys::read;
use crate::sys::users::Users;

/// LiteLLM needs at least Python 3.10 (litellm.md §1.1); the newest name that is tried is 3.30.
const PYTHON_MINORS: std::ops::RangeInclusive<u32> = 10..=30;

/// The facts of the machine; `runtime_dir` tells which file system the room is wanted on. Blocking.
pub fn look(runtime_dir: &Path, config: &Path, users: &Users, root: &Root) -> Host {
    let path = std::env::var_os("PATH");
    let path = path.as_deref();
    let cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    Host {
        os: std::env::consts::OS.into(),
        arch: std::env::consts::ARCH.into(),
        kernel: platform::kernel_release(),
        boot_id: platform::boot_id(),
        user: users.current(),
        container: platform::is_container(),
        home: std::env::var_os("HOME")
            .filter(|home| !home.is_empty())
            .map(|home| home.to_string_lossy().into_owned()),
        runtime_space: space(runtime_dir, root),
        starts_at_login: starts_at_login(config),
        python: find_python(path, &cwd).map(|python| python.display().to_string()),
        uv: find_executable("uv", path, &cwd).map(|uv| uv.display().to_string()),
    }
}

/// Whether a unit of this user starts flowgate with this config; who has no home has no unit.
fn starts_at_login(config: &Path) -> Observed<bool> {
    let folder = autostart::unit_folder(
        std::env::var_os("XDG_CONFIG_HOME"),
        std::env::var_os("HOME"),
    );
    folder.map_or(Observed::NotAsked, |folder| {
        Observed::Known(autostart::is_enabled(&folder, config))
    })
}

/// The room on the file system of a dir, or of the nearest folder above that is there.
fn space(dir: &Path, root: &Root) -> Observed<Space> {
    for folder in dir.ancestors() {
        match rustix::fs::statvfs(folder) {
            Ok(facts) => {
                return Observed::Known(Space {
                    free_bytes: facts.f_bavail.saturating_mul(facts.f_frsize),
                    free_inodes: facts.f_favail,
                    total_inodes: facts.f_files,
                });
            }
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => {}
            Err(error) => {
                return Observed::Unknown(Unknown {
                    why: format!("{}: {error}", root.show(folder)),
                    command: Some(format!(
                        "df -h {}",
                        shell::quote(&folder.display().to_string())
                    )),
                });
            }
        }
    }
    Observed::unknown("no folder above the runtime dir is there")
}

/// A Python of the system, 3.10 or newer, that can make virtual environments: links followed, so that
/// a virtual environment on PATH shows the Python behind it. Scripts that choose a Python are left
/// out: which one, only running them would tell.
fn find_python(path: Option<&OsStr>, cwd: &Path) -> Option<PathBuf> {
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

    #[test]
    fn the_machine_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        let users = Users::load();
        let config = dir.path().join("config/flowgate.yaml");
        let host = look(&dir.path().join("not/there/yet"), &config, &users, &root);
        assert_eq!(host.os, "linux");
        assert_eq!(host.boot_id.len(), 36);
        assert_eq!(host.user.uid, rustix::process::geteuid().as_raw());
        assert!(host.runtime_space.known().unwrap().free_bytes > 0);
    }

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
            find_python(Some(self.at("bin").as_os_str()), Path::new("/"))
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
