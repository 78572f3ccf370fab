//! `flowgate auth import-headless`: takes over the login of another program of this machine.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::places;
use super::providers::IMPORTED;
use crate::cli::failure::{EXIT_FAILED, Failure};
use crate::cli::opened::{self, Opened};
use crate::cli::{Global, again, output};
use crate::config::imported::{self, Imported};
use crate::sys::event_log::{self, Event};
use crate::sys::handle::Handle;
use crate::sys::read::{self, ReadError};
use crate::sys::write::{self, Modes};

/// The file that is written, in the auth dir.
const NAME: &str = "codex-headless-import.json";

/// No login is longer, in bytes.
const LARGEST: u64 = 256 << 10;

/// Where the login is, and where it goes.
#[derive(Debug, Args)]
pub struct Options {
    /// The file of the other program [default: ~/.codex/auth.json]
    #[arg(long, value_name = "FILE")]
    source: Option<PathBuf>,
    /// The folder of logins [default: the one of `auth status`]
    #[arg(long, value_name = "DIR")]
    dest_dir: Option<PathBuf>,
}

/// Take over the login of another program.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Whose login: codex
    #[arg(value_name = "PROVIDER")]
    pub provider: String,
    /// From where, to where.
    #[command(flatten)]
    pub options: Options,
}

/// Runs `auth import-headless`; gives the exit code.
///
/// # Errors
/// A config that does not load, a provider whose logins cannot be taken over.
pub fn run(provider: &str, options: &Options, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    if !IMPORTED.contains(&provider) {
        return Err(Failure::known(format!(
            "headless import not supported for provider={provider}; supported={}",
            IMPORTED.join(",")
        )));
    }
    let source = match &options.source {
        Some(named) => in_home(named, &opened.cwd),
        None => codex_home().join("auth.json"),
    };
    let dir = match &options.dest_dir {
        Some(named) => in_home(named, &opened.cwd),
        None => places::default_dir(&opened),
    };
    let target = dir.join(NAME);
    let saved = read_login(&source).and_then(|imported| {
        save(&target, &imported).map_err(|error| error.to_string())?;
        Ok(imported)
    });
    let imported = match saved {
        Ok(imported) => imported,
        // In the words that scripts know.
        Err(why) => {
            output::errors(&format!("headless import failed: {why}\n"));
            return Ok(EXIT_FAILED);
        }
    };
    note(&target, provider, &opened);
    let text = if output::is_for_scripts(global) {
        format!("saved_auth={}\n", target.display())
    } else {
        let whose = imported
            .email
            .as_deref()
            .unwrap_or("an account without an address");
        format!(
            "took over the login of {whose}: {}\n",
            opened.root.show(&target)
        )
    };
    output::text(&text)?;
    output::errors(&format!(
        "\nhint: both programs hold one login now, and whoever renews it first ends it for the other; \
         a login of its own lasts: {}\n",
        again::command(global, &format!("auth login {provider}"))
    ));
    Ok(0)
}

fn read_login(source: &Path) -> Result<Imported, String> {
    let shown = source.display().to_string();
    let bytes = read::whole(source, LARGEST).map_err(|error| match error {
        ReadError::Missing => format!("Source auth file not found: {shown}"),
        other => format!("{shown}: {other}"),
    })?;
    imported::from_codex(&bytes, &shown).map_err(|error| error.to_string())
}

/// Writes the token file: 0600 from its first moment on. One that is there is closed to others
/// before the new login goes into it.
fn save(target: &Path, imported: &Imported) -> Result<(), write::WriteError> {
    if let Ok(held) = Handle::open(target)
        && held.mode & 0o077 != 0
    {
        // Where it cannot be closed it cannot be written either, and that is said below.
        let _ = held.set_mode(0o600);
    }
    let text = imported.text.expose_secret().as_bytes();
    write::replace(target, text, Modes::SECRET, None)
}

/// Where the Codex CLI keeps its login.
fn codex_home() -> PathBuf {
    let home = || std::env::home_dir().unwrap_or_default().join(".codex");
    std::env::var_os("CODEX_HOME").map_or_else(home, PathBuf::from)
}

/// A path as a person writes it: `~` is the home, the rest is relative to this folder.
fn in_home(path: &Path, cwd: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => cwd.join(path),
    }
}

/// Writes it into the event log; one that cannot be written takes nothing back.
fn note(target: &Path, provider: &str, opened: &Opened) {
    let detail = format!("method=headless path={}", target.display());
    let event = Event {
        event: "auth_import",
        service: None,
        profile: None,
        provider: Some(provider),
        result: "success",
        detail: Some(&detail),
    };
    if let Err(error) = event_log::append(&opened.config.paths.log_file, Timestamp::now(), &event) {
        output::errors(&format!("the event log was left out: {error}\n"));
    }
}
