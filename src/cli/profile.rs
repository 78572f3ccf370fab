//! `flowgate profile list`, `current` and `set`.

mod switch;

use clap::{Args, Subcommand};
use flowgate_checks::model::{RunLife, ServiceKind};
use jiff::Timestamp;

use self::switch::Former;
use super::failure::{EXIT_FAILED, Failure};
use super::opened::{self, Opened};
use super::services::outcome::Verb;
use super::services::say::Speaker;
use super::{Global, again, output};
use crate::config::activate::{self, ActivateError};
use crate::config::keys::{self, SecretsDir};
use crate::config::profiles;
use crate::config::service::ServiceConfig;
use crate::platform;
use crate::supervisor::records::{self, LifeSign};
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::write::WriteError;

/// List the profiles, tell which is active, or make one the active LiteLLM config.
#[derive(Debug, Args)]
pub struct ProfileArgs {
    #[command(subcommand)]
    command: ProfileCommand,
}

#[derive(Debug, Subcommand)]
enum ProfileCommand {
    /// List the profiles of flowgate.yaml, sorted
    List,
    /// Tell which profile is active, and since when
    Current,
    /// Lay a profile over litellm_base and write the active LiteLLM config
    ///
    /// LiteLLM is restarted when it runs, and goes back to the former profile when it does not become
    /// ready.
    Set {
        /// One of `profile list`
        name: String,
    },
}

/// Runs `profile list`, `current` or `set`; gives the exit code.
///
/// # Errors
/// A config that does not load, a profile that is not there, a file that cannot be written.
pub fn run(args: &ProfileArgs, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    match &args.command {
        ProfileCommand::List => list(&opened),
        ProfileCommand::Current => current(&opened, global),
        ProfileCommand::Set { name } => set(name, &opened, global),
    }
}

fn list(opened: &Opened) -> Result<u8, Failure> {
    let names = opened.config.profiles.keys();
    output::text(&names.map(|name| format!("{name}\n")).collect::<String>())?;
    Ok(0)
}

fn current(opened: &Opened, global: &Global) -> Result<u8, Failure> {
    let file = &opened.config.paths.state_file;
    let state = profiles::state(file).map_err(|why| {
        Failure::failed(anyhow::anyhow!(
            "failed to read {}: {why}",
            opened.root.show(file)
        ))
    })?;
    let name = state.current_profile.as_deref();
    let since = state.updated_at.as_deref();
    let text = if output::is_for_scripts(global) {
        format!(
            "current_profile={}\nupdated_at={}\n",
            name.unwrap_or("unknown"),
            since.unwrap_or("unknown")
        )
    } else {
        match (name, since) {
            (Some(name), Some(since)) => format!("{name}, since {since}\n"),
            (Some(name), None) => format!("{name}\n"),
            (None, _) => format!(
                "no profile is active yet: {}\n",
                again::command(global, "profile set NAME")
            ),
        }
    };
    output::text(&text)?;
    Ok(0)
}

fn set(name: &str, opened: &Opened, global: &Global) -> Result<u8, Failure> {
    let config = &opened.config;
    let paths = &config.paths;
    let rendered = activate::render(config, &opened.file.path, name).map_err(refusal)?;
    output::errors(&opened.warnings());
    let running = running_litellm(opened);
    let former = match &running {
        Some(running) if running.is_ours() => {
            let profile = profiles::current(&paths.state_file).ok().flatten();
            Some((running.service, Former::of(paths, profile)?))
        }
        _ => None,
    };
    rendered.write(paths, &kept_fingerprinter(opened), Timestamp::now())?;
    let restarted = match &former {
        Some((service, former)) => match switch::restart(service, name, former, opened, global)? {
            Some(outcome) => Some(outcome),
            None => {
                note_failed_switch(name, opened);
                return Ok(EXIT_FAILED);
            }
        },
        None => None,
    };
    note_switch(name, opened);
    let active = &paths.active_config;
    let text = if output::is_for_scripts(global) {
        format!(
            "profile={name}\nactive_config={}\nstate_file={}\n",
            active.display(),
            paths.state_file.display()
        )
    } else {
        format!("profile {name} is active: {}\n", opened.root.show(active))
    };
    output::text(&text)?;
    if let Some(outcome) = restarted {
        Speaker::new(Verb::Restart, false, global).say(&outcome)?;
    } else if let Some(running) = running {
        output::errors(&running.still_has_the_old_one(global));
    }
    Ok(0)
}

/// What is wrong with what was asked, in the words that scripts know, ends with 2.
pub fn refusal(error: ActivateError) -> Failure {
    match error {
        ActivateError::NotReadBack { .. } => Failure::failed(error),
        told => Failure::known(told.to_string()),
    }
}

/// The fingerprints of what is written must be comparable later, so the key is kept from now on.
/// Where that fails they are not, and nothing else is lost.
fn kept_fingerprinter(opened: &Opened) -> Fingerprinter {
    let secrets = SecretsDir::beside(&opened.config.paths.runtime_dir);
    // One that is there and no key at all is left alone.
    let _ = secrets.ensure(keys::FINGERPRINT, keys::random_hex);
    Fingerprinter::load(&secrets.path(keys::FINGERPRINT))
}

/// Writes the switch into the event log; one that cannot be written takes nothing back.
pub fn note_switch(profile: &str, opened: &Opened) {
    let log_file = &opened.config.paths.log_file;
    say_left_out(activate::note_switch(log_file, profile, Timestamp::now()));
}

fn note_failed_switch(profile: &str, opened: &Opened) {
    let log_file = &opened.config.paths.log_file;
    let noted = activate::note_failed_switch(log_file, profile, "not-ready", Timestamp::now());
    say_left_out(noted);
}

fn say_left_out(noted: Result<(), WriteError>) {
    if let Err(error) = noted {
        output::errors(&format!("the event log was left out: {error}\n"));
    }
}

/// A LiteLLM that runs, as the records tell.
struct Running<'a> {
    service: &'a ServiceConfig,
    pid: u32,
    /// Whether our own record names it; else the pid file of the original does.
    is_recorded: bool,
}

impl Running<'_> {
    fn is_ours(&self) -> bool {
        self.is_recorded && self.service.managed
    }

    /// LiteLLM reads its config at its start only.
    fn still_has_the_old_one(&self, global: &Global) -> String {
        let (name, pid) = (&self.service.name, self.pid);
        let begins = format!("\nhint: {name} (pid {pid}) still has the config of its start");
        match (&self.service.unit, &self.service.container) {
            _ if self.service.managed => format!(
                "{begins}, and was not started by this flowgate: kill {pid}, then {}\n",
                again::command(global, &format!("service start {name}"))
            ),
            (Some(unit), _) => format!("{begins}: systemctl restart {unit}\n"),
            (None, Some(container)) => format!("{begins}: docker restart {container}\n"),
            (None, None) => format!("{begins}: restart it where it was started\n"),
        }
    }
}

/// LiteLLM, when the records name a process of it that lives.
fn running_litellm(opened: &Opened) -> Option<Running<'_>> {
    let service = opened
        .config
        .services
        .iter()
        .find(|service| service.kind == ServiceKind::Litellm && service.enabled)?;
    let read = records::read(
        &opened.config.paths.runtime_dir,
        &service.name,
        &opened.root,
        platform::pid_limit(),
    );
    let recorded = read
        .record
        .and_then(|(_, record)| record.ok()?.run)
        .map(|run| (run.pid, Some((run.start_time, run.boot_id))));
    let of_original = read
        .pid_file
        .and_then(|(_, file)| Some((file.ok()?.pid, None)));
    recorded
        .into_iter()
        .chain(of_original)
        .find(|(pid, identity)| {
            let identity = identity
                .as_ref()
                .map(|(start, boot)| (*start, boot.as_str()));
            records::life_of(identity, &platform::boot_id(), sign(*pid).as_ref()) == RunLife::Alive
        })
        .map(|(pid, identity)| Running {
            service,
            pid,
            is_recorded: identity.is_some(),
        })
}

fn sign(pid: u32) -> Option<LifeSign> {
    let stat = platform::process_stat(pid)?;
    let is_litellm = platform::command_line(pid)
        .iter()
        .any(|word| word.contains("litellm"));
    Some(LifeSign {
        start_time: stat.start_time,
        started_at_seconds: None,
        is_zombie: stat.is_dead(),
        is_configured_program: is_litellm,
    })
}
