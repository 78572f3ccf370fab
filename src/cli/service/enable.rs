//! `flowgate service enable`: the gateway starts at login, and with lingering with the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use flowgate_checks::shell;

use super::{systemd, unit};
use crate::cli::failure::Failure;
use crate::cli::opened::{self, Opened};
use crate::cli::services::ask::referenced;
use crate::cli::{Global, output};
use crate::supervisor::environment;
use crate::sys::autostart::{self, Autostart, UNIT};
use crate::sys::read;
use crate::sys::users::Users;
use crate::sys::write::{self, Modes};

/// So long a stop takes beyond the `stop_timeout` of a service, when it has to be killed.
const AFTER_STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A unit is never larger.
const LARGEST: u64 = 64 * 1024;

/// Arguments of `service enable` and `service disable`.
#[derive(Debug, Args)]
pub struct AtLogin {
    /// The gateway starts as a whole: `all` is the only name
    #[arg(default_value = "all")]
    name: String,
}

impl AtLogin {
    /// The gateway starts as a whole.
    pub(super) fn check(&self, opened: &Opened) -> Result<(), Failure> {
        if self.name == "all" {
            return Ok(());
        }
        if opened.config.service(&self.name).is_none() {
            return Err(Failure::known(format!("Unknown service: {}", self.name)));
        }
        let sentence = format!(
            "all services start at login or none; {0}.enabled: false in flowgate.yaml switches {0} off",
            self.name
        );
        Err(Failure::usage(anyhow!(sentence)))
    }
}

/// Writes the unit, has it wanted, and lets it start with the machine.
///
/// # Errors
/// When there is no systemd, or the unit belongs to somebody else.
pub fn run(args: &AtLogin, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    args.check(&opened)?;
    if !systemd::is_installed() {
        let config = shell::quote(&opened.path.display().to_string());
        return Err(Failure::failed(anyhow!(
            "this machine has no systemd; let its own service manager run: flowgate --config {config} run"
        )));
    }
    let folder = folder()?;
    let change = write_unit(&folder, &opened)?;
    let wanted = have_wanted(&folder, change != Change::None)?;
    output::text(&format!("{UNIT}:enabled\n"))?;
    if change == Change::Updated {
        output::errors(&format!(
            "{} was updated\n",
            autostart::unit_path(&folder).display()
        ));
    }
    for line in wanted.into_iter().chain(linger()).chain(variables(&opened)) {
        output::errors(&format!("{line}\n"));
    }
    Ok(0)
}

/// The folder of this user's units.
pub(super) fn folder() -> Result<PathBuf, Failure> {
    autostart::unit_folder(
        std::env::var_os("XDG_CONFIG_HOME"),
        std::env::var_os("HOME"),
    )
    .ok_or_else(|| Failure::failed(anyhow!("failed to tell where units are: HOME is not set")))
}

/// The unit as it is, when it is this config's and nobody changed it; none when there is none.
///
/// # Errors
/// When it belongs to another config, or was written by somebody else.
pub(super) fn own_unit(folder: &Path, config: &Path) -> Result<Option<String>, Failure> {
    let path = autostart::unit_path(folder);
    let shown = path.display();
    match autostart::look(folder, config) {
        Autostart::Absent => return Ok(None),
        Autostart::OfAnother(other) => {
            let other = shell::quote(&other.display().to_string());
            let sentence =
                format!("{UNIT} starts another gateway, that of {other}; a user has one");
            let failure = Failure::failed(anyhow!(sentence));
            return Err(failure.hint(format!("flowgate --config {other} service disable")));
        }
        Autostart::Foreign => {
            return Err(Failure::failed(anyhow!("flowgate did not write {shown}")));
        }
        Autostart::Enabled | Autostart::NotWanted => {}
    }
    let bytes =
        read::whole(&path, LARGEST).map_err(|error| anyhow!("failed to read {shown}: {error}"))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if unit::is_untouched(&text) {
        return Ok(Some(text));
    }
    let sentence = format!("{shown} was edited; what is added belongs into a drop-in");
    let file = shell::quote(&shown.to_string());
    Err(Failure::failed(anyhow!(sentence))
        .hint(format!("systemctl --user edit {UNIT}, then rm {file}")))
}

/// What became of the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    Written,
    Updated,
}

fn write_unit(folder: &Path, opened: &Opened) -> Result<Change, Failure> {
    let program = std::env::current_exe().context("failed to tell where flowgate is")?;
    let path = std::env::var("PATH").ok();
    let managed = opened
        .config
        .services
        .iter()
        .filter(|one| one.enabled && one.managed);
    let text = unit::Unit {
        program: &program,
        config: &opened.path,
        folder: opened.root.path(),
        path: path.as_deref(),
        stop_timeout: managed
            .map(|one| one.stop_timeout + AFTER_STOP_TIMEOUT)
            .sum(),
    };
    let text = text
        .text()
        .map_err(|why| anyhow!("failed to write the unit: {why}"))?;
    let before = own_unit(folder, &opened.path)?;
    if before.as_ref() == Some(&text) {
        return Ok(Change::None);
    }
    let expected = before.as_ref().map(String::as_bytes);
    write::replace(
        &autostart::unit_path(folder),
        text.as_bytes(),
        Modes::PLAIN,
        expected,
    )
    .map_err(|error| anyhow!("failed to {error}"))?;
    Ok(if before.is_some() {
        Change::Updated
    } else {
        Change::Written
    })
}

/// Lets a login want the unit; gives what is missing for that to count at once.
fn have_wanted(folder: &Path, is_changed: bool) -> Result<Option<String>, Failure> {
    let asked = match systemd::manager() {
        Some(runtime) => {
            let reloaded = match is_changed {
                true => systemd::systemctl(&runtime, &["daemon-reload"]),
                false => Ok(()),
            };
            reloaded.and_then(|()| systemd::systemctl(&runtime, &["enable", UNIT]))
        }
        None => Err("no systemd manager of this user runs here".to_owned()),
    };
    match asked {
        Ok(()) => Ok(None),
        Err(why) => {
            link(folder)?;
            Ok(Some(format!(
                "{why}; the unit counts from the next login on"
            )))
        }
    }
}

/// What `systemctl enable` would do.
fn link(folder: &Path) -> Result<(), Failure> {
    let link = autostart::link_path(folder);
    if let Some(parent) = link.parent() {
        let made = DirBuilder::new().recursive(true).mode(0o755).create(parent);
        made.with_context(|| format!("failed to make {}", parent.display()))?;
    }
    match symlink(autostart::unit_path(folder), &link) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && link.exists() => Ok(()),
        linked => Ok(linked.with_context(|| format!("failed to link {}", link.display()))?),
    }
}

/// Has it start with the machine; what is to be said of that.
fn linger() -> Option<String> {
    if systemd::lingers() {
        return None;
    }
    let user = Users::load().name(rustix::process::geteuid().as_raw());
    match systemd::enable_linger() {
        Ok(()) => Some(format!(
            "{user} lingers from now on: it starts with the machine, before a login"
        )),
        Err(why) => Some(format!(
            "it starts at login, not yet with the machine ({why}): sudo loginctl enable-linger {}",
            shell::quote(&user)
        )),
    }
}

/// The variables that a login does not set. They are secrets, as a rule, so they are never copied.
fn variables(opened: &Opened) -> Option<String> {
    let services = opened.config.services.iter();
    let own: BTreeSet<String> = services
        .filter_map(|service| environment::of(service, &BTreeMap::new()).ok())
        .flat_map(BTreeMap::into_keys)
        .collect();
    let only_here = |name: &String| !own.contains(name) && std::env::var_os(name).is_some();
    let names: Vec<String> = referenced(opened).into_iter().filter(only_here).collect();
    (!names.is_empty()).then(|| {
        format!(
            "only this shell sets {}: the env_file of the service that needs it must, for a start at login",
            names.join(", ")
        )
    })
}
