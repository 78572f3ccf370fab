//! The runs that the journal knows, for `doctor runs`.

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
