//! `flowgate init`: the configs and keys of a new gateway. What is there is kept.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use jiff::Timestamp;

use super::failure::Failure;
use super::opened::{self, Opened};
use super::{Global, again, output, profile};
use crate::config::activate;
use crate::config::discover::{Discovery, Surroundings};
use crate::config::keys::{self, SecretsDir};
use crate::config::{load, starter};
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::redact::Redactor;
use crate::sys::write::{self, Created, Modes};

mod gateway;
mod ignore;
mod written;

use written::Written;

/// Writes what a new gateway needs; gives the exit code.
///
/// Each file is written whole or not at all, and none is overwritten, so that a call that was cut
/// short is simply repeated.
///
/// # Errors
/// A flowgate.yaml that is there and does not load, or belongs to somebody else; a file that
/// cannot be written.
pub fn run(global: &Global) -> Result<u8, Failure> {
    let around = Surroundings::of_process(global.config.clone());
    let before = around.discover();
    let path = target(&around, &before)?;
    let mut written = Written::new(&path);
    let done = write_all(&path, &around, &mut written);
    // What was written is there, also when the next file could not be.
    written.print(global)?;
    done?;
    note_hidden(&path, &before);
    output::errors(&format!("\nhint: {}\n", again::command(global, "doctor")));
    Ok(0)
}

/// The same for a command that goes on: only what was written is told. A gateway of a folder above
/// is this one.
///
/// # Errors
/// As [`run`].
pub fn ensure(global: &Global) -> Result<(), Failure> {
    let around = Surroundings::of_process(global.config.clone());
    let before = around.discover();
    let path = match before.exists {
        true => before.path,
        false => target(&around, &before)?,
    };
    let mut written = Written::new(&path);
    let done = write_all(&path, &around, &mut written);
    written.print_new(global)?;
    done
}

fn write_all(path: &Path, around: &Surroundings, written: &mut Written) -> Result<(), Failure> {
    let opened = flowgate_yaml(path, around, written)?;
    folders(&opened)?;
    let fingerprinter = fingerprint_key(&opened, written)?;
    gateway::keys_and_config(&opened, written)?;
    ignore::add_lines(&opened, written)?;
    activate_profile(&opened, &fingerprinter, written)
}

/// The flowgate.yaml to write: a named one, else the one of this very folder. One that a folder
/// above has is not this gateway's.
fn target(around: &Surroundings, found: &Discovery) -> Result<PathBuf, Failure> {
    if around.explicit.is_some() || around.variable.is_some() {
        return Ok(found.path.clone());
    }
    let cwd = around
        .cwd
        .as_deref()
        .context("failed to tell the current folder")?;
    let usual = cwd.join("config/flowgate.yaml");
    let path = [&usual, &cwd.join("flowgate.yaml")]
        .into_iter()
        .find(|path| std::fs::symlink_metadata(path).is_ok())
        .unwrap_or(&usual)
        .clone();
    if found.foreign.contains(&path) {
        return Err(Failure::failed(anyhow!(
            "failed to set up a gateway: {} belongs to another user",
            path.display()
        ))
        .hint("call init in a folder of your own, or name the file with --config"));
    }
    Ok(path)
}

/// A config of a folder above was the one in use here until now.
fn note_hidden(path: &Path, before: &Discovery) {
    if before.exists && before.path != path {
        output::errors(&format!(
            "here {} is used from now on, and {} no more\n",
            path.display(),
            before.path.display()
        ));
    }
}

/// flowgate.yaml, written when it is not there, and what it says.
fn flowgate_yaml(
    path: &Path,
    around: &Surroundings,
    written: &mut Written,
) -> Result<Opened, Failure> {
    let is_in_config_folder = path
        .parent()
        .and_then(Path::file_name)
        .is_some_and(|name| name == "config");
    let text = starter::flowgate(is_in_config_folder);
    let created = write::create(path, text.as_bytes(), Modes::PLAIN)?;
    let opened = load_it(path, around)?;
    output::errors(&opened.warnings());
    written.note(path, created);
    Ok(opened)
}

fn load_it(path: &Path, around: &Surroundings) -> Result<Opened, Failure> {
    let discovery = Surroundings {
        explicit: Some(path.to_owned()),
        ..around.clone()
    }
    .discover();
    let root = load::root_of(path);
    let fingerprinter = Fingerprinter::load(&load::fingerprint_key(path));
    let redactor = Redactor::default();
    let loaded = load::load(path, &root, &fingerprinter, &redactor);
    match loaded.config {
        Some(config) => Ok(Opened {
            config,
            file: loaded.file,
            path: path.to_owned(),
            cwd: around.cwd.clone().unwrap_or_else(|| root.path().to_owned()),
            root,
            redactor,
            fingerprinter,
        }),
        None => Err(Failure::known(opened::refusal(&loaded.file, &discovery))),
    }
}

/// The runtime dir, and the folder of the logins, which nobody else should list.
fn folders(opened: &Opened) -> Result<(), Failure> {
    let runtime = &opened.config.paths.runtime_dir;
    write::create_folder(runtime, 0o755)?;
    if let Some(above) = runtime.parent() {
        write::create_folder(&above.join("auths"), 0o700)?;
    }
    Ok(())
}

fn fingerprint_key(opened: &Opened, written: &mut Written) -> Result<Fingerprinter, Failure> {
    let secrets = SecretsDir::beside(&opened.config.paths.runtime_dir);
    let (_, created) = secrets.ensure(keys::FINGERPRINT, keys::random_hex)?;
    let path = secrets.path(keys::FINGERPRINT);
    written.note(&path, created);
    Ok(Fingerprinter::load(&path))
}

/// Renders a first profile, where none was ever active.
fn activate_profile(
    opened: &Opened,
    fingerprinter: &Fingerprinter,
    written: &mut Written,
) -> Result<(), Failure> {
    let paths = &opened.config.paths;
    let profiles = &opened.config.profiles;
    let balanced = profiles.keys().find(|name| *name == "balanced");
    let Some(name) = balanced.or_else(|| profiles.keys().next()) else {
        return Ok(());
    };
    let both = [&paths.active_config, &paths.state_file];
    let is_there = |path: &&PathBuf| std::fs::symlink_metadata(path).is_ok();
    if both.iter().any(is_there) {
        for path in both.into_iter().filter(is_there) {
            written.note(path, Created::Kept);
        }
        return Ok(());
    }
    let rendered =
        activate::render(&opened.config, &opened.file.path, name).map_err(profile::refusal)?;
    rendered.write(paths, fingerprinter, Timestamp::now())?;
    profile::note_switch(name, opened);
    for path in both {
        written.note(path, Created::Written);
    }
    Ok(())
}
