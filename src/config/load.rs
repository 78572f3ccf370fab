//! Loading flowgate.yaml.

use std::path::{Path, PathBuf};

use flowgate_checks::model::{ConfigFile, ConfigState};

use super::allow::FileKind;
use super::cliproxyapi;
use super::document::{Document, Rules};
use super::file::{LARGEST, Loaded, Reading};
use super::schema::FlowgateConfig;
use super::section::{Base, Section};
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::place::{Root, normalise};
use crate::sys::read;
use crate::sys::redact::Redactor;

/// The folder that paths are shown from: the parent of the folder `config` that holds the file,
/// else the file's folder.
pub fn root_of(config: &Path) -> Root {
    let config = normalise(config);
    let folder = config.parent().unwrap_or(Path::new("/"));
    match folder.parent() {
        Some(parent) if folder.file_name().is_some_and(|name| name == "config") => {
            Root::new(parent)
        }
        _ => Root::new(folder),
    }
}

/// Reads flowgate.yaml; `path` is absolute.
///
/// Nothing here fails: what is wrong with the file is its state. The home directory for `~` is
/// that of this process.
pub fn load(
    path: &Path,
    root: &Root,
    fingerprinter: &Fingerprinter,
    redactor: &Redactor,
) -> Loaded<FlowgateConfig> {
    let reading = Reading {
        root,
        fingerprinter,
        redactor,
    };
    let base = base_of(path);
    let loaded = reading.load(path, FileKind::Flowgate, |document, problems| {
        FlowgateConfig::read(document, &base, problems)
    });
    completed(loaded, &reading)
}

/// The same of a text that the file holds, or is about to hold.
pub fn of_bytes(path: &Path, bytes: &[u8], reading: &Reading<'_>) -> Loaded<FlowgateConfig> {
    let base = base_of(path);
    let loaded = reading.of_bytes(path, bytes, FileKind::Flowgate, |document, problems| {
        FlowgateConfig::read(document, &base, problems)
    });
    completed(loaded, reading)
}

fn completed(mut loaded: Loaded<FlowgateConfig>, reading: &Reading<'_>) -> Loaded<FlowgateConfig> {
    if let Some(config) = &mut loaded.config {
        fill_in_version_3(config, reading);
    }
    loaded
}

fn base_of(path: &Path) -> Base {
    Base {
        folder: normalise(path.parent().unwrap_or(Path::new("/"))),
        home: std::env::var_os("HOME")
            .filter(|home| !home.is_empty())
            .map(PathBuf::from),
    }
}

/// Where the key of the fingerprints is kept: `secrets/fingerprint.key` beside the runtime dir.
///
/// Entries need the key while they are read, so the config is looked at once before; one that
/// does not load is taken for the template.
pub fn fingerprint_key(config: &Path) -> PathBuf {
    let runtime = runtime_dir(config);
    let runtime = runtime.unwrap_or_else(|| root_of(config).path().join(".router/runtime"));
    runtime
        .parent()
        .unwrap_or(Path::new("/"))
        .join("secrets/fingerprint.key")
}

fn runtime_dir(config: &Path) -> Option<PathBuf> {
    let bytes = read::whole(config, LARGEST).ok()?;
    let document = Document::parse_bytes(&bytes, Rules::default()).ok()?;
    let top = Section::open("", &document.root).ok()?;
    let paths = top.section("paths").ok()??;
    paths.field("runtime_dir")?.file(&base_of(config)).ok()
}

/// With `config_version: 3` host and port stand in the program's own config.
fn fill_in_version_3(config: &mut FlowgateConfig, reading: &Reading<'_>) {
    if config.version != 3 {
        return;
    }
    for service in &mut config.services {
        let own = service
            .config_file
            .as_deref()
            .and_then(|file| cliproxyapi::load(file, reading).config);
        if let Some(own) = own {
            service.port = own.port;
            if let Some(host) = own.reachable_host() {
                service.host = host;
            }
        }
    }
}

/// The one sentence for a config that does not load, without the leading `Config error: `;
/// none for one that does.
pub fn sentence(file: &ConfigFile) -> Option<String> {
    let path = &file.path;
    match &file.state {
        ConfigState::Loaded | ConfigState::NotLooked => None,
        ConfigState::Missing => Some(format!("{path}: no such file")),
        ConfigState::Unreadable { why } => Some(format!("{path}: {why}")),
        ConfigState::Invalid {
            position, message, ..
        } => Some(match position {
            Some(at) => format!("{path}:{}:{}: {message}", at.line, at.column),
            None => format!("{path}: {message}"),
        }),
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
