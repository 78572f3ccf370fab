//! The runs that the journal knows, and how many of them are kept.

use super::journal::{self, History};
use super::place::Place;

/// Every run with a plan, the newest first.
pub fn all(place: &Place) -> Vec<History> {
    let mut ids = place.ids();
    ids.reverse();
    ids.into_iter()
        .filter_map(|id| journal::read(place, id))
        .collect()
}

/// So many runs are kept: each holds copies of the files that it changed.
pub const KEPT: usize = 100;

/// Removes the oldest runs beyond `kept`. One that was not finished stays until it is taken back, and
/// so does what cannot be read. Whoever calls holds the lock.
pub fn prune(place: &Place, kept: usize) {
    let ids = place.ids();
    for id in &ids[..ids.len().saturating_sub(kept)] {
        if journal::read(place, *id).is_some_and(|history| history.state().is_some()) {
            // What could not be removed is tried again with the next repair.
            let _ = std::fs::remove_dir_all(place.run(*id));
        }
    }
}

#[cfg(test)]
mod tests {
    use flowgate_checks::model::Safety;
    use jiff::Timestamp;

    use super::*;
    use crate::repair::journal::{Journal, on_disk};
    use crate::repair::record::{Event, RunRecord, RunState, VERSION};

    fn run(place: &Place, end: Option<RunState>) -> u64 {
        let (id, folder) = Journal::new_folder(place).unwrap();
        let record = RunRecord {
            v: VERSION,
            run: id,
            group: id,
            round: 1,
            at: Timestamp::UNIX_EPOCH,
            roots: Vec::new(),
            fixes: Vec::new(),
            title: "chmod 600 a".into(),
            safety: Safety::Safe,
            digest_key: String::new(),
            steps: Vec::new(),
        };
        let mut journal = Journal::begin(&folder, &record, &[], b"{}", &on_disk).unwrap();
        journal.note(Event::Intent { step: 0 }).unwrap();
        if let Some(state) = end {
            journal.note(Event::End { state, why: None }).unwrap();
        }
        id
    }

    #[test]
    fn the_oldest_go_and_the_unfinished_stay() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::below(&dir.path().join("runtime"));
        place.make().unwrap();
        let ends = [
            Some(RunState::Kept),
            None,
            Some(RunState::RolledBack),
            Some(RunState::Kept),
            Some(RunState::Undone),
        ];
        let ids = ends.map(|end| run(&place, end));
        prune(&place, 5);
        assert_eq!(place.ids(), ids);
        prune(&place, 2);
        assert_eq!(place.ids(), [2, 4, 5]);
        assert_eq!(run(&place, None), 6, "an id is not given twice");
    }
}
