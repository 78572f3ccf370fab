//! `flowgate doctor runs`: what was repaired so far.

use owo_colors::OwoColorize;

use super::undo;
use crate::cli::failure::Failure;
use crate::cli::{Global, opened, output};
use crate::repair::journal::{self, History};
use crate::repair::place::Place;
use crate::repair::{runs, shown_step};

/// Lists the runs, the newest first, or shows one; gives the exit code.
pub fn run(wanted: Option<u64>, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    let place = Place::below(&opened.config.paths.runtime_dir);
    match wanted {
        None => {
            let all = runs::all(&place);
            if all.is_empty() {
                output::errors("nothing was repaired yet\n");
            }
            output::text(&all.iter().map(line).collect::<String>())?;
        }
        Some(id) => {
            let history = journal::read(&place, id).ok_or_else(undo::no_runs)?;
            output::text(&format!("{}{}", line(&history), steps(&history)))?;
        }
    }
    Ok(0)
}

/// `7  2026-11-24T10:00:00Z  kept  chmod 600 a`.
fn line(history: &History) -> String {
    let record = &history.record;
    let state = match history.state() {
        Some(state) => state.words(),
        None if history.is_unfinished() => "unfinished",
        None => "not begun",
    };
    format!(
        "{:>4}  {:.0}  {:<11}  {}\n",
        record.run.bold(),
        record.at,
        state,
        record.title
    )
}

fn steps(history: &History) -> String {
    let record = &history.record;
    let roots = record
        .roots
        .iter()
        .map(|root| format!("      for   {root}\n"));
    let steps = record.steps.iter().map(|step| {
        let (kind, target) = shown_step(&step.step);
        let undo = format!("{:?}", step.undo).to_ascii_lowercase();
        format!("      step  {kind} {target}  (undo: {undo})\n")
    });
    roots.chain(steps).collect()
}
