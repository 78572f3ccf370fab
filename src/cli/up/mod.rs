//! `flowgate up`: from nothing to a running gateway. Each step is skipped when it is done.

mod card;
mod programs;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use flowgate_checks::model::{Expectation, Policy};

use self::card::Card;
use super::bootstrap::DownloadArgs;
use super::failure::{EXIT_FAILED, Failure};
use super::opened::{self, Opened};
use super::services::outcome::Verb;
use super::services::targets::targets;
use super::{Global, init, output, service};
use crate::doctor::{self, Request, Source, Wish};
use crate::report::{FailOn, Report, Selection, text};

/// Bound of the look.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Set up, install, start and verify the gateway; what is done already is skipped
///
/// Writes the configs and keys that are not there, obtains the programs that are missing (asked,
/// unless --yes), starts all services, and lets the doctor look. Called again it goes on where it
/// stopped.
#[derive(Debug, Args)]
pub struct UpArgs {
    /// Obtain missing programs without asking
    #[arg(long, short)]
    yes: bool,
    /// Take CLIProxyAPIPlus from this tar.gz
    #[arg(long, value_name = "FILE")]
    archive: Option<PathBuf>,
}

/// Does what is left to do, and gives the exit code: 0 it serves, or only a login is missing.
///
/// # Errors
/// When a step could not begin.
pub fn run(args: &UpArgs, global: &Global) -> Result<u8, Failure> {
    init::ensure(global)?;
    let opened = opened::open(global)?;
    output::errors(&opened.warnings());
    let download = DownloadArgs {
        archive: args.archive.clone(),
        yes: args.yes,
        stall_timeout: 30.0,
        ..DownloadArgs::default()
    };
    let missing = programs::obtain_missing(&download, &opened, global)?;
    let started = start(&missing, &opened, global)?;
    if !missing.is_empty() {
        // Why each is missing, and what helps, was said.
        return Ok(EXIT_FAILED);
    }
    let report = look(global)?;
    let card = Card::of(&report, &opened, global);
    if let Some(roots) = card.troubles(&report) {
        output::errors(&text::blocks(&report, &roots, &output::layout(false)));
        return Ok(report.exit_code.max(started));
    }
    card.print(global)?;
    Ok(0)
}

/// Starts the services whose programs are there; gives the worst exit code.
fn start(
    missing: &[flowgate_checks::model::ServiceKind],
    opened: &Opened,
    global: &Global,
) -> Result<u8, Failure> {
    if missing.is_empty() {
        return service::act(Verb::Start, "all", global);
    }
    let mut code = 0;
    for one in targets("all", Verb::Start, opened)?.services {
        if !missing.contains(&one.kind) {
            code = code.max(service::act(Verb::Start, &one.name, global)?);
        }
    }
    Ok(code)
}

fn look(global: &Global) -> Result<Report, Failure> {
    let wish = Wish {
        source: Source::Machine(Request {
            config: global.config.clone(),
            policy: Policy::default(),
            timeout: TIMEOUT,
        }),
        expect: Some(Expectation::Serving),
        selection: Selection::default(),
        fail_on: FailOn::default(),
        bundle: None,
    };
    doctor::look(wish).map_err(Failure::failed)
}
