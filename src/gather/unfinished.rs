//! Repairs that were begun and neither kept nor taken back, as their journals tell.

use std::path::Path;

use flowgate_checks::model::{Observed, UnfinishedRepair};
use jiff::Timestamp;
use serde::Deserialize;

use crate::platform;
use crate::sys::lock;
use crate::sys::place::Root;
use crate::sys::read::{self, ReadError};

/// Bytes of a plan, and of the end of a journal, at most.
const LARGEST: u64 = 4 << 20;

/// Older runs than the last so many are not looked at.
const MOST: usize = 200;

#[derive(Deserialize)]
struct Plan {
    title: String,
    at: Option<Timestamp>,
    steps: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Line {
    event: String,
}

/// Looks through the journals of a runtime dir; blocking. While a doctor repairs, its run is not
/// unfinished.
pub fn look(runtime_dir: &Path, root: &Root) -> Observed<Vec<UnfinishedRepair>> {
    let folder = runtime_dir.join("doctor/runs");
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Observed::Known(Vec::new());
        }
        Err(error) => return Observed::unknown(format!("{}: {error}", root.show(&folder))),
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut ids: Vec<u64> = names.filter_map(|name| name.parse().ok()).collect();
    ids.sort_unstable();
    let recent = ids.split_off(ids.len().saturating_sub(MOST));
    let mut unfinished = Vec::new();
    for id in recent {
        match of_run(&folder.join(id.to_string()), id, root) {
            Ok(found) => unfinished.extend(found),
            Err(why) => return Observed::unknown(why),
        }
    }
    if let Some(since) = going_on_since(&runtime_dir.join("doctor/lock")) {
        unfinished.retain(|repair: &UnfinishedRepair| repair.begun_at.is_none_or(|at| at < since));
    }
    Observed::Known(unfinished)
}

fn of_run(folder: &Path, id: u64, root: &Root) -> Result<Option<UnfinishedRepair>, String> {
    let path = folder.join("journal.jsonl");
    let bytes = match read::whole(&path, LARGEST) {
        Ok(bytes) => bytes,
        // Nothing was begun.
        Err(ReadError::Missing) => return Ok(None),
        Err(error) => return Err(format!("{}: {error}", root.show(&path))),
    };
    let events: Vec<String> = bytes
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Line>(line).ok())
        .map(|line| line.event)
        .collect();
    if events.last().is_none_or(|event| event == "end") {
        return Ok(None);
    }
    let plan = read::whole(&folder.join("plan.json"), LARGEST).ok();
    let Some(plan) = plan.and_then(|plan| serde_json::from_slice::<Plan>(&plan).ok()) else {
        return Ok(None);
    };
    Ok(Some(UnfinishedRepair {
        run: id.to_string(),
        path: root.show(folder),
        title: plan.title,
        begun_at: plan.at,
        steps_begun: events.iter().filter(|event| *event == "intent").count(),
        steps: plan.steps.len(),
    }))
}

/// Who repairs, as it wrote into its lock.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Holder {
    pid: u32,
    start_time: u64,
    since: Timestamp,
}

/// Since when a doctor that lives repairs; none when none does. The lock itself is not tried: for a
/// moment that would keep another from repairing.
fn going_on_since(path: &Path) -> Option<Timestamp> {
    let holder: Holder = lock::holder(path)?;
    platform::is_alive(holder.pid, holder.start_time).then_some(holder.since)
}
