//! The .gitignore of the folder of the gateway: what holds keys and logins is not for a repository.

use std::io;
use std::path::Path;

use anyhow::anyhow;
use flowgate_checks::model::ServiceKind;

use super::Written;
use crate::cli::failure::Failure;
use crate::cli::opened::Opened;
use crate::config::{command, starter};
use crate::sys::read::{self, ReadError};
use crate::sys::write::{self, Created, Modes};

/// A .gitignore is far smaller, in bytes.
const LARGEST: u64 = 1 << 20;

/// Adds the lines that are not there yet.
pub fn add_lines(opened: &Opened, written: &mut Written) -> Result<(), Failure> {
    let path = opened.root.path().join(".gitignore");
    let before = match read::whole(&path, LARGEST) {
        Ok(bytes) => bytes,
        Err(ReadError::Missing) => Vec::new(),
        Err(why) => {
            return Err(Failure::failed(anyhow!(
                "failed to read {}: {why}",
                path.display()
            )));
        }
    };
    let Ok(text) = std::str::from_utf8(&before) else {
        written.warn(&path, "is not UTF-8, so nothing was added to it");
        return Ok(());
    };
    let wanted = lines(opened);
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let created = match starter::gitignore(text, &wanted) {
        None => Created::Kept,
        Some(text) => {
            let is_there = exists(&path)?;
            let expected = is_there.then_some(before.as_slice());
            write::replace(&path, text.as_bytes(), Modes::PLAIN, expected)?;
            Created::Written
        }
    };
    written.note(&path, created);
    Ok(())
}

fn exists(path: &Path) -> io::Result<bool> {
    path.try_exists()
}

/// The folder above the runtime dir and the config with the key, where they lie in the folder of
/// the gateway.
fn lines(opened: &Opened) -> Vec<String> {
    let services = &opened.config.services;
    let proxy = services
        .iter()
        .find(|service| service.kind == ServiceKind::Cliproxyapi)
        .and_then(|service| command::config_path(service, &opened.cwd));
    let state = opened.config.paths.runtime_dir.parent();
    let root = opened.root.path();
    let shown = |path: &Path, ending: &str| {
        let below = path.strip_prefix(root).ok()?.to_str()?;
        (!below.is_empty()).then(|| format!("{below}{ending}"))
    };
    let folder = state.and_then(|state| shown(state, "/"));
    let proxy = proxy.and_then(|proxy| shown(&proxy, ""));
    folder.into_iter().chain(proxy).collect()
}
