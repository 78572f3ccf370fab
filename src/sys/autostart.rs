//! What starts flowgate at login: a systemd user unit, and the link by which the session wants it.
//!
//! Only files are looked at, so that the doctor can ask without a service manager.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::read;

/// The name of the unit; one user has one, since two gateways of one user would be started and
/// stopped by one name.
pub const UNIT: &str = "flowgate.service";

/// The target that a login reaches, and with lingering the start of the machine.
pub const TARGET: &str = "default.target";

/// The line of the unit that says whose it is; systemd reads over sections that begin with `X-`.
pub const CONFIG_LINE: &str = "Config=";

/// A unit that is larger is not flowgate's.
const LIMIT: u64 = 64 * 1024;

/// What a machine does about flowgate at login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Autostart {
    /// The unit of this config is there and wanted.
    Enabled,
    /// The unit of this config is there, and nothing wants it.
    NotWanted,
    /// The unit is of another config.
    OfAnother(PathBuf),
    /// A unit of this name is there that flowgate did not write, or that cannot be read.
    Foreign,
    /// There is no unit.
    Absent,
}

/// The folder of a user's units: `~/.config/systemd/user`. A relative `XDG_CONFIG_HOME` does not
/// count, by the rules of XDG.
pub fn unit_folder(xdg_config_home: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |value: OsString| Some(PathBuf::from(value)).filter(|path| path.is_absolute());
    let config = xdg_config_home
        .and_then(absolute)
        .or_else(|| home.and_then(absolute).map(|home| home.join(".config")))?;
    Some(config.join("systemd").join("user"))
}

/// The unit in a folder of units.
pub fn unit_path(folder: &Path) -> PathBuf {
    folder.join(UNIT)
}

/// The link by which the unit is wanted.
pub fn link_path(folder: &Path) -> PathBuf {
    folder.join(format!("{TARGET}.wants")).join(UNIT)
}

/// Whether the config, an absolute path, is started at login by the units of this folder.
pub fn is_enabled(folder: &Path, config: &Path) -> bool {
    look(folder, config) == Autostart::Enabled
}

/// What the units of this folder do for a config, an absolute path.
pub fn look(folder: &Path, config: &Path) -> Autostart {
    let path = unit_path(folder);
    if std::fs::symlink_metadata(&path).is_err() {
        return Autostart::Absent;
    }
    let text = read::whole(&path, LIMIT).unwrap_or_default();
    match config_of(&String::from_utf8_lossy(&text)) {
        None => Autostart::Foreign,
        Some(other) if other != config => Autostart::OfAnother(other),
        // A link that leads nowhere wants nothing.
        Some(_) if link_path(folder).exists() => Autostart::Enabled,
        Some(_) => Autostart::NotWanted,
    }
}

/// The config that a unit of flowgate is of.
pub fn config_of(unit: &str) -> Option<PathBuf> {
    let own = unit.split("[X-Flowgate]\n").nth(1)?;
    let line = own
        .lines()
        .find_map(|line| line.strip_prefix(CONFIG_LINE))?;
    Some(PathBuf::from(line)).filter(|path| path.is_absolute())
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the files that are read"
)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_follows_the_rules_of_xdg() {
        let folder = |xdg: Option<&str>, home: Option<&str>| {
            unit_folder(xdg.map(OsString::from), home.map(OsString::from))
        };
        let of = |path: &str| Some(PathBuf::from(path));
        assert_eq!(folder(Some("/x"), Some("/h")), of("/x/systemd/user"));
        assert_eq!(folder(Some("x"), Some("/h")), of("/h/.config/systemd/user"));
        assert_eq!(folder(None, Some("/h")), of("/h/.config/systemd/user"));
        assert_eq!(folder(None, None), None);
    }

    #[test]
    fn a_unit_counts_for_its_own_config_once_it_is_wanted() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path();
        let config = Path::new("/gw/config/flowgate.yaml");
        assert_eq!(look(folder, config), Autostart::Absent);
        std::fs::write(unit_path(folder), "[Service]\nExecStart=/bin/true\n").unwrap();
        assert_eq!(look(folder, config), Autostart::Foreign);
        let unit = "[Service]\n[X-Flowgate]\nConfig=/gw/config/flowgate.yaml\n";
        std::fs::write(unit_path(folder), unit).unwrap();
        assert_eq!(look(folder, config), Autostart::NotWanted);
        let link = link_path(folder);
        std::fs::create_dir(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(unit_path(folder), &link).unwrap();
        assert!(is_enabled(folder, config));
        assert_eq!(
            look(folder, Path::new("/other.yaml")),
            Autostart::OfAnother(config.into())
        );
        std::fs::remove_file(unit_path(folder)).unwrap();
        assert!(!is_enabled(folder, config));
    }
}
