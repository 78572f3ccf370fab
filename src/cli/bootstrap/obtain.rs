//! Obtains each program that is missing, one after the other; one that fails keeps no other back.

use std::path::PathBuf;

use flowgate_checks::shell;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::order::Order;
use super::shown::Shown;
use super::{Program, places};
use crate::bootstrap::environment::Tools;
use crate::bootstrap::error::{BootstrapError, Reason};
use crate::bootstrap::litellm::List;
use crate::bootstrap::manifest::Manifest;
use crate::bootstrap::places::Places;
use crate::bootstrap::{cliproxyapi, failure, litellm};
use crate::cli::failure::Failure;
use crate::cli::opened::Opened;
use crate::cli::{Global, again, output};
use crate::sys::lock::{self, Lock};
use crate::sys::write::{self, Modes, WriteError};

/// What became of one program.
pub struct Obtained {
    /// Which.
    pub program: Program,
    /// Where it is, and what was done; or why it is not.
    pub end: Result<There, BootstrapError>,
}

/// A program that is there.
pub struct There {
    /// Its file.
    pub path: PathBuf,
    /// What was done about it.
    pub how: How,
}

/// What was done about a program that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// It was installed now, in this version.
    Installed(String),
    /// It was installed before, in this version.
    Kept(String),
    /// It is not flowgate's, and was left alone.
    NotOurs,
}

/// Who installs, as it wrote down itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Holder {
    pid: u32,
    start_time: u64,
    since: Timestamp,
}

impl Obtained {
    /// Whether the program is there.
    pub fn is_there(&self) -> bool {
        self.end.is_ok()
    }

    /// Says it: the token of the original, or `bootstrap failed: …` and what helps.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn say(&self, global: &Global) -> Result<(), Failure> {
        let name = self.program.token();
        match &self.end {
            Ok(there) => {
                match &there.how {
                    How::Installed(version) => {
                        output::errors(&format!("{name}: installed {version}\n"))
                    }
                    How::Kept(version) => {
                        output::errors(&format!("{name}: {version} is installed\n"))
                    }
                    How::NotOurs => output::errors(&format!(
                        "{name}: {} is there and was not installed by flowgate; --yes replaces it\n",
                        there.path.display()
                    )),
                }
                output::text(&format!("{name}={}\n", there.path.display()))
            }
            Err(error) => {
                output::errors(&format!("bootstrap failed: {error}\n"));
                output::errors(&self.help(error, global));
                Ok(())
            }
        }
    }

    /// What helps where the machine cannot reach a release: the file, its address, its digest, and
    /// the command that takes it.
    fn help(&self, error: &BootstrapError, global: &Global) -> String {
        let named = |wanted: &crate::bootstrap::error::Wanted| {
            let digest = wanted
                .sha256
                .as_deref()
                .unwrap_or("see checksums.txt of the release");
            let command = again::command(
                global,
                &format!(
                    "bootstrap download --archive {}",
                    shell::quote(&wanted.asset)
                ),
            );
            format!(
                "\n  asset   {}\n  url     {}\n  sha256  {digest}\n\nhint: fetch it elsewhere, then: {command}\n",
                wanted.asset, wanted.url
            )
        };
        match (self.program, error.reason) {
            (_, Reason::Locked | Reason::Disk) => String::new(),
            (Program::Cliproxyapi, _) => error.wanted.as_ref().map_or_else(String::new, named),
            (Program::Litellm, Reason::NoPython) => {
                let distribution = crate::sys::distribution::look();
                let command =
                    flowgate_checks::missing_binaries::python_command(distribution.as_deref());
                format!("\nhint: {command}\n")
            }
            (Program::Litellm, _) => String::new(),
        }
    }
}

/// Obtains what an order names.
///
/// # Errors
/// When the runtime dir cannot be used, or somebody else installs at this moment.
pub fn obtain(order: &Order, opened: &Opened) -> Result<Vec<Obtained>, Failure> {
    let places = places(opened);
    let _lock = lock(&places)?;
    let obtained = order.programs.iter().map(|program| {
        let end = one(*program, order, opened, &places);
        match &end {
            Ok(_) => failure::forget(&places, program.token()),
            Err(error) => failure::note(&places, program.token(), error),
        }
        Obtained {
            program: *program,
            end,
        }
    });
    Ok(obtained.collect())
}

/// Takes the lock of the installing.
///
/// # Errors
/// `bootstrap failed: …`, exit 1, when somebody else has it.
pub fn lock(places: &Places) -> Result<Lock, Failure> {
    let failed = |text: String| Failure::refused(format!("bootstrap failed: {text}"));
    write::create_folder(&places.folder(), Modes::PLAIN.folder)
        .map_err(|error| failed(error.to_string()))?;
    let path = places.lock();
    let won = lock::win(&path, |pid, start_time| Holder {
        pid,
        start_time,
        since: Timestamp::now(),
    });
    match won {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => {
            let who = lock::holder::<Holder>(&path).map_or_else(String::new, |holder| {
                format!(" (pid {}, since {})", holder.pid, holder.since)
            });
            Err(failed(format!(
                "another flowgate installs at this moment{who}"
            )))
        }
        Err(error) => Err(failed(WriteError::io(&path, &error).to_string())),
    }
}

fn one(
    program: Program,
    order: &Order,
    opened: &Opened,
    places: &Places,
) -> Result<There, BootstrapError> {
    // A manifest that cannot be read says nothing of what is there.
    let manifest = Manifest::read(places).unwrap_or_default();
    match program {
        Program::Cliproxyapi => proxy(order, places, &manifest),
        Program::Litellm => packages(order, opened, places, &manifest),
    }
}

fn proxy(order: &Order, places: &Places, manifest: &Manifest) -> Result<There, BootstrapError> {
    use cliproxyapi::Found;
    let is_asked = order.archive.is_some() || order.is_release_named;
    let there = |how| There {
        path: places.program(),
        how,
    };
    let found = cliproxyapi::look(places, manifest);
    match &found {
        Found::Installed(entry) if !is_asked => return Ok(there(How::Kept(entry.version.clone()))),
        Found::Other if !order.yes => return Ok(there(How::NotOurs)),
        _ => {}
    }
    let watch = Shown::of(Program::Cliproxyapi.token(), order.is_quiet);
    let obtained = take(order, places, &watch)?;
    let version = obtained.entry.version.clone();
    // What is not flowgate's own is put aside, not away.
    let keep_old = matches!(found, Found::Other | Found::Broken);
    cliproxyapi::put_in_place(obtained, places, keep_old)?;
    Ok(there(How::Installed(version)))
}

/// The program of the archive or release of an order.
pub fn take(
    order: &Order,
    places: &Places,
    watch: &Shown,
) -> Result<cliproxyapi::Obtained, BootstrapError> {
    match &order.archive {
        Some(file) => cliproxyapi::from_archive(
            file,
            order.wish.sha256.as_deref(),
            order.require_sha256,
            places,
        ),
        None => cliproxyapi::download(&order.wish, places, order.token.clone(), order.stall, watch),
    }
}

fn packages(
    order: &Order,
    opened: &Opened,
    places: &Places,
    manifest: &Manifest,
) -> Result<There, BootstrapError> {
    use litellm::Found;
    let there = |how| There {
        path: places.entry(),
        how,
    };
    match litellm::look(places, manifest) {
        Found::Installed(entry) => return Ok(there(How::Kept(entry.version))),
        Found::Other if !order.yes => return Ok(there(How::NotOurs)),
        Found::Nothing | Found::Broken | Found::Other => {}
    }
    // One that was killed between its last two steps needs no more than these.
    if litellm::resume(places, manifest)?
        && let Some(entry) = &manifest.litellm
    {
        return Ok(there(How::Installed(entry.version.clone())));
    }
    let list = List::of(opened.config.bootstrap.requirements.as_deref())?;
    let watch = Shown::of(Program::Litellm.token(), order.is_quiet);
    let entry = litellm::install(&list, places, &Tools::find(), false, &watch)?;
    Ok(there(How::Installed(entry.version)))
}
