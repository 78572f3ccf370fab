//! `flowgate service disable`: nothing starts the gateway at login any more.

use std::io::{self, ErrorKind};
use std::path::Path;

use anyhow::Context;

use super::enable::{AtLogin, folder, own_unit};
use super::systemd;
use crate::cli::failure::Failure;
use crate::cli::opened;
use crate::cli::{Global, output};
use crate::sys::autostart::{self, UNIT};

/// Removes what `service enable` wrote, and nothing else. What runs goes on.
///
/// # Errors
/// When the unit belongs to somebody else.
pub fn run(args: &AtLogin, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    args.check(&opened)?;
    let folder = folder()?;
    let unit = autostart::unit_path(&folder);
    let is_there = own_unit(&folder, &opened.path)?.is_some();
    remove_link(&folder)?;
    if is_there {
        gone(std::fs::remove_file(&unit))
            .with_context(|| format!("failed to remove {}", unit.display()))?;
        if let Some(runtime) = systemd::manager() {
            // One that runs goes on; of one that does not answer there is nothing to forget.
            let _ = systemd::systemctl(&runtime, &["daemon-reload"]);
        }
    }
    output::text(&format!("{UNIT}:disabled\n"))?;
    if is_there && systemd::lingers() {
        output::errors("this user lingers still, for other units too: loginctl disable-linger\n");
    }
    Ok(0)
}

/// The link goes when it leads to the unit, and its folder when it was the last one in it.
fn remove_link(folder: &Path) -> Result<(), Failure> {
    let link = autostart::link_path(folder);
    let leads_to = std::fs::read_link(&link).ok();
    let leads_to = leads_to.and_then(|to| Some(link.parent()?.join(to)));
    let is_ours = leads_to.is_some_and(|to| {
        let unit = autostart::unit_path(folder);
        to == unit
            || to
                .canonicalize()
                .ok()
                .is_some_and(|to| Some(to) == unit.canonicalize().ok())
    });
    if !is_ours {
        return Ok(());
    }
    gone(std::fs::remove_file(&link))
        .with_context(|| format!("failed to remove {}", link.display()))?;
    if let Some(parent) = link.parent() {
        // Other units may be wanted too.
        let _ = std::fs::remove_dir(parent);
    }
    Ok(())
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
