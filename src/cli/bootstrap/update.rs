//! `bootstrap update`: a newer version, which has to get ready once before the old one goes.

use std::collections::BTreeSet;

use super::obtain::{lock, take};
use super::order::Order;
use super::shown::Shown;
use super::{DownloadArgs, Program, places};
use crate::bootstrap::environment::Tools;
use crate::bootstrap::error::BootstrapError;
use crate::bootstrap::litellm::List;
use crate::bootstrap::manifest::Manifest;
use crate::bootstrap::places::Places;
use crate::bootstrap::{cliproxyapi, litellm, release};
use crate::cli::failure::{EXIT_FAILED, EXIT_USAGE, Failure};
use crate::cli::opened::Opened;
use crate::cli::progress::Progress;
use crate::cli::services::ask::{ask, referenced};
use crate::cli::services::outcome::{End, Verb};
use crate::cli::{Global, again, output};
use crate::config::service::ServiceConfig;
use crate::supervisor::client::Client;
use crate::supervisor::status;

/// What can be done about one program.
enum Step {
    Current(String),
    Newer { from: String, to: String },
}

/// Updates, and gives the exit code: 0 done or nothing to do, 1 failed, 2 nobody agreed.
pub fn run(args: &DownloadArgs, opened: &Opened, global: &Global) -> Result<u8, Failure> {
    let order = Order::of(args, opened, global)?;
    let places = places(opened);
    let _lock = lock(&places)?;
    let mut code = 0;
    for program in &order.programs {
        let name = program.token();
        match look(*program, &order, opened, &places) {
            Ok(Step::Current(version)) => {
                output::text(&format!("{name}:up_to_date current={version}\n"))?;
            }
            Ok(Step::Newer { from, to }) if !order.yes => {
                output::text(&format!(
                    "{name}:update_available current={from} latest={to}\n"
                ))?;
                let command = again::command(global, "bootstrap update --yes");
                output::errors(&format!("hint: {command}\n"));
                code = EXIT_USAGE;
            }
            Ok(Step::Newer { to, .. }) => match replace(*program, &to, &order, opened, &places) {
                Ok(lines) => output::text(&lines)?,
                Err(error) => {
                    output::errors(&format!("bootstrap failed: {error}\n"));
                    code = EXIT_FAILED;
                }
            },
            Err(error) => {
                output::errors(&format!("bootstrap failed: {error}\n"));
                code = EXIT_FAILED;
            }
        }
    }
    Ok(code)
}

fn look(
    program: Program,
    order: &Order,
    opened: &Opened,
    places: &Places,
) -> Result<Step, BootstrapError> {
    let manifest = Manifest::read(places).unwrap_or_default();
    let (from, to) = match program {
        Program::Cliproxyapi => {
            let from = manifest.cliproxyapi_plus.map(|entry| entry.version);
            let to = match (&order.archive, order.is_release_named) {
                (Some(file), _) => file.display().to_string(),
                (None, true) if order.wish.version != release::LATEST => order.wish.version.clone(),
                _ => cliproxyapi::latest(&order.wish, order.token.clone(), order.stall)?,
            };
            (from, to)
        }
        Program::Litellm => {
            let list = List::of(opened.config.bootstrap.requirements.as_deref())?;
            let to = list.version().unwrap_or("unknown").to_owned();
            let from = manifest.litellm.map(|entry| {
                match entry.requirements_sha256 == list.sha256() {
                    true => to.clone(),
                    // The same LiteLLM with other packages is another version.
                    false => format!("{}+{}", entry.version, &entry.requirements_sha256[..8]),
                }
            });
            (from, to)
        }
    };
    Ok(match from {
        Some(from) if from == to => Step::Current(from),
        from => Step::Newer {
            from: from.unwrap_or_else(|| "none".into()),
            to,
        },
    })
}

/// Installs, proves, and keeps or goes back; gives the lines of what was done.
fn replace(
    program: Program,
    to: &str,
    order: &Order,
    opened: &Opened,
    places: &Places,
) -> Result<String, anyhow::Error> {
    let name = program.token();
    let watch = Shown::of(name, order.is_quiet);
    let service = opened
        .config
        .services
        .iter()
        .find(|service| service.kind == program.kind());
    // Asked before anything is replaced: what went down with a new version is to run with the old.
    let was_running = status::read_all(&opened.config, &opened.root)
        .iter()
        .any(|now| service.is_some_and(|one| one.name == now.name) && now.is_running());
    let had_old = match program {
        Program::Cliproxyapi => {
            let mut order_of_it = order.wish.clone();
            order_of_it.version = to.to_owned();
            let obtained = match &order.archive {
                Some(_) => take(order, places, &watch)?,
                None => cliproxyapi::download(
                    &order_of_it,
                    places,
                    order.token.clone(),
                    order.stall,
                    &watch,
                )?,
            };
            let had_old = std::fs::symlink_metadata(places.program()).is_ok();
            cliproxyapi::put_in_place(obtained, places, true)?;
            had_old
        }
        Program::Litellm => {
            let list = List::of(opened.config.bootstrap.requirements.as_deref())?;
            let entry = litellm::install(&list, places, &Tools::find(), true, &watch)?;
            entry.previous.is_some()
        }
    };
    drop(watch);
    let Some(service) = service else {
        return Ok(format!("{name}:updated version={to}\n"));
    };
    match prove(service, was_running, opened) {
        Ok(lines) => {
            match program {
                Program::Cliproxyapi => cliproxyapi::settle(places)?,
                Program::Litellm => litellm::settle(places)?,
            }
            Ok(format!("{name}:updated version={to}\n{lines}"))
        }
        Err(why) if had_old => {
            match program {
                Program::Cliproxyapi => cliproxyapi::go_back(places)?,
                Program::Litellm => litellm::go_back(places)?,
            };
            let again = prove(service, was_running, opened).map_or_else(
                |why| format!("the old one did not get ready either: {why}"),
                |_| "the old one is back".into(),
            );
            Err(anyhow::anyhow!(
                "{name} {to} did not get ready ({why}); {again}"
            ))
        }
        Err(why) => Err(anyhow::anyhow!("{name} {to} did not get ready ({why})")),
    }
}

/// Lets a service get ready once: one that runs is restarted, another started and stopped again.
fn prove(service: &ServiceConfig, was_running: bool, opened: &Opened) -> Result<String, String> {
    let runtime = &opened.config.paths.runtime_dir;
    let mut client = Client::ensure(runtime, &opened.path).map_err(|error| error.to_string())?;
    let names = referenced(opened);
    let mut act = |verb, names: &BTreeSet<String>| {
        let progress = Progress::of(&service.name, true);
        ask(&mut client, verb, service, names, opened, &progress)
    };
    match act(Verb::Restart, &names) {
        End::Running { pid, .. } if was_running => {
            Ok(format!("{}:restarted pid={pid}\n", service.name))
        }
        End::Running { .. } => {
            act(Verb::Stop, &BTreeSet::new());
            Ok(String::new())
        }
        End::Stopped { .. } => Err("it was stopped meanwhile".into()),
        End::Failed {
            reason, message, ..
        } => {
            if !was_running {
                act(Verb::Stop, &BTreeSet::new());
            }
            Err(message.unwrap_or(reason))
        }
    }
}
