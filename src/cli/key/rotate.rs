//! `flowgate key rotate`: another key in every place of the old one.

use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use flowgate_checks::model::Policy;
use jiff::Timestamp;
use serde_json::json;

use super::KeyName;
use crate::cli::doctor::talk::Terminal;
use crate::cli::failure::{EXIT_FAILED, Failure};
use crate::cli::opened::{self, Opened};
use crate::cli::{Global, again, output};
use crate::config::in_use::KeyKind;
use crate::doctor::{self, Request, Source, Underway};
use crate::repair::journal;
use crate::repair::rotate::{Rotated, Rotation, rotate};
use crate::report::repair::{Run, RunState};
use crate::sys::event_log::{self, Event};

/// Bound of one look.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Which key, and how.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// Which
    #[arg(value_enum)]
    key: KeyName,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Show what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs `key rotate`; gives the exit code.
///
/// # Errors
/// A config that does not load, a key that stands where flowgate does not write.
pub fn run(args: &RotateArgs, global: &Global) -> Result<u8, Failure> {
    rotated(args, global).map_err(|failure| failure.as_document(args.json))
}

fn rotated(args: &RotateArgs, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    let kind = args.key.kind();
    let look = || {
        let request = Request {
            config: global.config.clone(),
            policy: Policy::default(),
            timeout: TIMEOUT,
        };
        doctor::see(Source::Machine(request), None, &Underway::default())
    };
    let rotation = Rotation {
        kind,
        yes: args.yes,
        dry_run: args.dry_run,
        lines: &journal::on_disk,
    };
    let outcome = {
        let mut talk = Terminal::new(!args.json, global.quiet);
        rotate(&look, &rotation, &mut talk)
    };
    let run = match outcome.map_err(|error| {
        Failure::failed(anyhow!("failed to {error}")).hint(again::command(global, "doctor"))
    })? {
        Rotated::Run(run) => run,
        Rotated::Declined { asked: true } => {
            output::errors("left as it is\n");
            return Ok(0);
        }
        Rotated::Declined { asked: false } => {
            let command = format!("key rotate {} --yes", kind.name());
            return Err(Failure::failed(anyhow!(
                "failed to ask whether the {} key may be rotated: no terminal",
                kind.name()
            ))
            .hint(again::command(global, &command)));
        }
    };
    if run.state != RunState::Planned {
        note(kind, &run, &opened);
    }
    if args.json {
        let is_well = matches!(run.state, RunState::Kept | RunState::Planned);
        output::json(&json!({
            "schemaVersion": 1, "ok": is_well, "key": kind.name(), "run": run,
        }))?;
    } else {
        say(kind, &run, global)?;
    }
    Ok(match run.state {
        RunState::Kept | RunState::Planned => 0,
        _ => EXIT_FAILED,
    })
}

fn say(kind: KeyKind, run: &Run, global: &Global) -> Result<(), Failure> {
    let name = kind.name();
    let reason = run.reason.as_deref().unwrap_or_default();
    match run.state {
        RunState::Planned => output::text(&format!(
            "{}{}",
            run.diff.as_deref().unwrap_or_default(),
            steps(run, "would_")
        )),
        RunState::Kept if output::is_for_scripts(global) => output::text(&format!(
            "key={name}\n{}run={}\n",
            steps(run, ""),
            run.run_id.as_deref().unwrap_or_default()
        )),
        RunState::Kept => {
            output::text(&format!("the {name} key is a new one\n{}", steps(run, "")))?;
            output::errors(&format!(
                "\nhint: {}\n",
                again::command(global, "doctor undo")
            ));
            Ok(())
        }
        _ => {
            output::errors(&format!("the {name} key is the old one: {reason}\n"));
            if let Some(restored) = &run.restored {
                output::errors(&format!("{restored}\n"));
            }
            Ok(())
        }
    }
}

/// What was done, one place or service a line.
fn steps(run: &Run, before: &str) -> String {
    run.steps
        .iter()
        .map(|step| match step.kind.as_str() {
            "restart-service" => format!("{before}restarted={}\n", step.target),
            _ => format!("{before}changed={}\n", step.target.trim_end_matches(": ")),
        })
        .collect()
}

/// Writes it into the event log; one that cannot be written takes nothing back.
fn note(kind: KeyKind, run: &Run, opened: &Opened) {
    let id = run.run_id.as_deref().unwrap_or("none");
    let detail = format!("key={} run={id}", kind.name());
    let event = Event {
        event: "key_rotate",
        service: None,
        profile: None,
        provider: None,
        result: match run.state {
            RunState::Kept => "success",
            _ => "failed",
        },
        detail: Some(&detail),
    };
    if let Err(error) = event_log::append(&opened.config.paths.log_file, Timestamp::now(), &event) {
        output::errors(&format!("the event log was left out: {error}\n"));
    }
}
