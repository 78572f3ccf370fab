//! The .gitignore of the folder of the gateway: what holds keys and logins is not for a repository.

use std::path::Path;

use flowgate_checks::model::ServiceKind;

use super::Written;
use crate::cli::failure::Failure;
use crate::cli::opened::Opened;
use crate::config::{command, starter};
use crate::sys::read::{self, ReadError};
use crate::sys::write::{self, Created, Modes, WriteError};

/// A .gitignore is far smaller, in bytes.
const LARGEST: u64 = 1 << 20;

/// How often it is tried again when somebody else writes the file too.
const TRIES: u32 = 8;

/// Adds the lines that are not there yet.
pub fn add_lines(opened: &Opened, written: &mut Written) -> Result<(), Failure> {
    let path = opened.root.path().join(".gitignore");
    let wanted = lines(opened);
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    for _ in 1..TRIES {
        match try_once(&path, &wanted, written) {
            Err(WriteError::Changed { .. }) => {}
            done => return Ok(done?),
        }
    }
    Ok(try_once(&path, &wanted, written)?)
}

fn try_once(path: &Path, wanted: &[&str], written: &mut Written) -> Result<(), WriteError> {
    let before = match read::whole(path, LARGEST) {
        Ok(bytes) => Some(bytes),
        Err(ReadError::Missing) => None,
        Err(why) => {
            return Err(WriteError::Io {
                path: path.into(),
                why: why.to_string(),
            });
        }
    };
    let Ok(text) = std::str::from_utf8(before.as_deref().unwrap_or_default()) else {
        written.warn(path, "is not UTF-8, so nothing was added to it");
        return Ok(());
    };
    let created = match (starter::gitignore(text, wanted), &before) {
        (None, _) => Created::Kept,
        (Some(text), None) => {
            let created = write::create(path, text.as_bytes(), Modes::PLAIN)?;
            if created == Created::Kept {
                return Err(WriteError::Changed { path: path.into() });
            }
            created
        }
        (Some(text), Some(before)) => {
            write::replace(path, text.as_bytes(), Modes::PLAIN, Some(before))?;
            Created::Written
        }
    };
    written.note(path, created);
    Ok(())
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
