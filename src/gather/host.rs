//! The machine, the user and the room that is left.

use std::path::{Path, PathBuf};

use flowgate_checks::model::{Host, Observed, Space, Unknown};
use flowgate_checks::shell;

use crate::platform;
use crate::sys::on_path::find_executable;
use crate::sys::place::Root;
use crate::sys::users::Users;
use crate::sys::{autostart, distribution, python};

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
        python: python::find(path, &cwd).map(|python| python.display().to_string()),
        distribution: distribution::look(),
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

#[cfg(test)]
mod tests {
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
}
