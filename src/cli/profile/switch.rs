//! A profile takes effect: LiteLLM is restarted under it, and goes back to the former one when it does
//! not become ready.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::cli::failure::Failure;
use crate::cli::opened::Opened;
use crate::cli::progress::Progress;
use crate::cli::services::ask::{ask, referenced};
use crate::cli::services::diagnosis::Diagnosis;
use crate::cli::services::outcome::{End, Outcome, Verb};
use crate::cli::services::say::Speaker;
use crate::cli::{Global, output};
use crate::config::schema::ConfigPaths;
use crate::config::service::ServiceConfig;
use crate::supervisor::client::Client;
use crate::sys::read::{self, ReadError};
use crate::sys::write::{self, Modes};

/// Neither file is larger, in bytes.
const LARGEST: u64 = 4 << 20;

/// The active config and the state file as they are before a switch.
pub struct Former {
    files: Vec<(PathBuf, Option<Vec<u8>>)>,
    /// The profile that was active.
    pub profile: Option<String>,
}

impl Former {
    /// Takes both down.
    ///
    /// # Errors
    /// One that is there and cannot be read: it could not be put back.
    pub fn of(paths: &ConfigPaths, profile: Option<String>) -> Result<Self, Failure> {
        let look = |path: &Path| match read::whole(path, LARGEST) {
            Ok(bytes) => Ok((path.to_owned(), Some(bytes))),
            Err(ReadError::Missing) => Ok((path.to_owned(), None)),
            Err(why) => Err(anyhow::anyhow!("failed to read {}: {why}", path.display())),
        };
        Ok(Self {
            files: vec![look(&paths.active_config)?, look(&paths.state_file)?],
            profile,
        })
    }

    /// Puts both back; what was not there stays.
    fn put_back(&self) -> Result<(), Failure> {
        for (path, bytes) in &self.files {
            if let Some(bytes) = bytes {
                write::replace(path, bytes, Modes::PRIVATE, None)?;
            }
        }
        Ok(())
    }

    /// Whether there is a config to go back to.
    fn can_be_put_back(&self) -> bool {
        self.files.first().is_some_and(|(_, bytes)| bytes.is_some())
    }
}

/// Restarts LiteLLM; when it does not become ready, says why, puts the former files back and restarts
/// it under them. Gives how it went under the new one; none when that is not active.
///
/// # Errors
/// A former file that cannot be put back.
pub fn restart(
    service: &ServiceConfig,
    profile: &str,
    former: &Former,
    opened: &Opened,
    global: &Global,
) -> Result<Option<Outcome>, Failure> {
    let speaker = Speaker::new(Verb::Restart, false, global);
    let outcome = ask_for_restart(service, opened, &speaker);
    if !outcome.end.is_failure() {
        return Ok(Some(outcome));
    }
    speaker.say(&outcome)?;
    // The doctor looks before anything is put back: it tells what is wrong with the new one.
    let failed = BTreeSet::from([service.name.as_str()]);
    let diagnosis = Diagnosis::of(&failed, global);
    speaker.finish(std::slice::from_ref(&outcome), Some(&diagnosis))?;
    if !former.can_be_put_back() {
        output::errors(&format!(
            "{} is not ready under profile {profile}, and there is no former one to go back to\n",
            service.name
        ));
        return Ok(None);
    }
    former.put_back()?;
    let again = ask_for_restart(service, opened, &speaker);
    let to = match &former.profile {
        Some(name) => format!("profile {name}"),
        None => "the former config".into(),
    };
    output::errors(&match &again.end {
        End::Failed { reason, .. } => format!(
            "{} is not ready under profile {profile}: {to} is active again, and it is not ready \
             under that either ({reason})\n",
            service.name
        ),
        _ => format!(
            "{} is not ready under profile {profile}: {to} is active again, and it runs under that\n",
            service.name
        ),
    });
    Ok(None)
}

/// Asks the supervisor, which adopts what its records name.
fn ask_for_restart(service: &ServiceConfig, opened: &Opened, speaker: &Speaker) -> Outcome {
    let begun = Instant::now();
    let end = match Client::ensure(&opened.config.paths.runtime_dir, &opened.path) {
        Ok(mut client) => {
            let progress = Progress::of(&service.name, speaker.shows_progress());
            let names = referenced(opened);
            ask(
                &mut client,
                Verb::Restart,
                service,
                &names,
                opened,
                &progress,
            )
        }
        Err(error) => End::failed("no-supervisor", format!("failed to {error}")),
    };
    let took: Duration = begun.elapsed();
    Outcome {
        service: service.name.clone(),
        host: service.host.clone(),
        port: service.port,
        end,
        took,
    }
}
