//! `flowgate doctor undo`: takes repairs back.

use flowgate_checks::words::count;

use super::fix::failure;
use crate::cli::failure::{EXIT_FAILED, Failure};
use crate::cli::{Global, again, opened, output};
use crate::repair::error::RepairError;
use crate::repair::ground::Ground;
use crate::repair::lock;
use crate::repair::place::Place;
use crate::repair::record::RunState;
use crate::repair::{journal, owner, undo};

/// Takes back one run, or what still stands of the last group; gives the exit code.
pub fn run(wanted: Option<u64>, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    let ground = Ground::opened(&opened.path, &opened.config, &opened.cwd);
    owner::check_dir(&ground.runtime, &ground.root.show(&ground.runtime)).map_err(failure)?;
    let place = Place::below(&ground.runtime);
    let ids = undo::chosen(&place, wanted).map_err(failure)?;
    let _lock = lock::win(&place).map_err(failure)?;
    let mut refused = 0;
    for id in ids {
        let end = match journal::read(&place, id) {
            Some(history) if history.is_unfinished() => RunState::Recovered,
            _ => RunState::Undone,
        };
        let (record, back) =
            undo::undo(&place, id, end, &ground, &journal::on_disk).map_err(failure)?;
        refused += back.refused.len();
        let arrow = if output::is_utf8() { "↩" } else { "<-" };
        output::text(&format!(
            "{arrow} run {id}  {}\n   {}\n",
            record.title,
            back.words()
        ))?;
        let lasting = undo::lasting(&record);
        if !lasting.is_empty() {
            output::text(&format!(
                "   cannot be taken back: {}\n",
                lasting.join(", ")
            ))?;
        }
    }
    output::errors(&format!("\nhint: {}\n", again::command(global, "doctor")));
    if refused == 0 {
        return Ok(0);
    }
    output::errors(&format!("{} left as they are\n", count(refused, "step")));
    Ok(EXIT_FAILED)
}

/// There is nothing to show.
pub fn no_runs() -> Failure {
    failure(RepairError::NoRun("to show".into()))
}
