//! Where the token files of this gateway lie.

use std::path::PathBuf;

use flowgate_checks::model::ServiceKind;

use crate::cli::opened::Opened;
use crate::config::file::Reading;
use crate::config::{auth_dir, cliproxyapi, command};

/// The auth dirs, the one that the service reads first; each once.
pub fn dirs(opened: &Opened) -> Vec<PathBuf> {
    let services = &opened.config.services;
    let proxy = services
        .iter()
        .find(|service| service.kind == ServiceKind::Cliproxyapi);
    let reading = Reading {
        root: &opened.root,
        fingerprinter: &opened.fingerprinter,
        redactor: &opened.redactor,
    };
    let own = proxy
        .and_then(|proxy| command::config_path(proxy, &opened.cwd))
        .and_then(|path| cliproxyapi::load(&path, &reading).config);
    let mut dirs: Vec<PathBuf> = auth_dir::auth_dirs(&opened.config, own.as_ref(), &opened.cwd)
        .into_iter()
        .map(|(dir, _)| dir)
        .collect();
    dirs.dedup();
    dirs
}

/// The dir into which logins are imported: the one that the service reads, where that is known.
pub fn default_dir(opened: &Opened) -> PathBuf {
    let first = dirs(opened).into_iter().next();
    first.unwrap_or_else(|| opened.root.path().join("auths"))
}
