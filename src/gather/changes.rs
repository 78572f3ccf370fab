//! What differs from the digests that a start recorded.

use std::collections::BTreeMap;

use flowgate_checks::model::{ChangedEntry, EntryChange, Observed};

/// So many changed entries are told; they serve as examples.
const MOST: usize = 50;

/// The entries that are not as they were recorded; not asked when nothing was recorded.
///
/// `now` is none where the config does not load. Digests of another key tell nothing, so without a
/// kept one (`is_kept`) it is unknown.
pub fn since(
    recorded: &BTreeMap<String, String>,
    now: Option<&BTreeMap<String, String>>,
    is_kept: bool,
) -> Observed<Vec<ChangedEntry>> {
    // A start without this config recorded nothing of it.
    let Some(now) = now.filter(|now| !now.is_empty()) else {
        return match recorded.is_empty() {
            true => Observed::NotAsked,
            false => Observed::unknown("its config does not load"),
        };
    };
    let kinds = |path: &str| path.split_once(':').map(|(kind, _)| kind.to_owned());
    let own = now.keys().next().and_then(|path| kinds(path));
    let then: BTreeMap<&str, &str> = recorded
        .iter()
        .filter(|(path, _)| kinds(path) == own)
        .map(|(path, digest)| (path.as_str(), digest.as_str()))
        .collect();
    if then.is_empty() {
        return Observed::NotAsked;
    }
    if !is_kept {
        return Observed::unknown("the key of the recorded fingerprints is gone");
    }
    let now = now
        .iter()
        .map(|(path, digest)| (path.as_str(), digest.as_str()))
        .collect();
    Observed::Known(if is_reordered(&then, &now) {
        Vec::new()
    } else {
        differences(&then, &now)
    })
}

/// Whether both hold the same values, in lists of another order.
fn is_reordered(then: &BTreeMap<&str, &str>, now: &BTreeMap<&str, &str>) -> bool {
    let without_places = |digests: &BTreeMap<&str, &str>| {
        let mut values: Vec<(String, String)> = digests
            .iter()
            .map(|(path, digest)| (without_indices(path), (*digest).to_owned()))
            .collect();
        values.sort();
        values
    };
    without_places(then) == without_places(now)
}

/// `model_list[].model_name` of `model_list[3].model_name`.
fn without_indices(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut is_inside = false;
    for character in path.chars() {
        match character {
            '[' => is_inside = true,
            ']' => is_inside = false,
            digit if is_inside && digit.is_ascii_digit() => continue,
            _ => {}
        }
        out.push(character);
    }
    out
}

fn differences(then: &BTreeMap<&str, &str>, now: &BTreeMap<&str, &str>) -> Vec<ChangedEntry> {
    let mut changes: BTreeMap<&str, EntryChange> = BTreeMap::new();
    for (path, digest) in now {
        match then.get(path) {
            None => changes.insert(path, EntryChange::Added),
            Some(before) if before != digest => changes.insert(path, EntryChange::Changed),
            Some(_) => None,
        };
    }
    for path in then.keys().filter(|path| !now.contains_key(*path)) {
        changes.insert(path, EntryChange::Removed);
    }
    changes
        .into_iter()
        .take(MOST)
        .map(|(path, change)| ChangedEntry {
            entry: path
                .split_once(':')
                .map_or(path, |(_, entry)| entry)
                .to_owned(),
            change,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn digests(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(path, digest)| ((*path).into(), (*digest).into()))
            .collect()
    }

    fn changed(then: &[(&str, &str)], now: &[(&str, &str)]) -> Vec<(String, EntryChange)> {
        let seen = since(&digests(then), Some(&digests(now)), true);
        let known = seen.known().unwrap().iter();
        known
            .map(|change| (change.entry.clone(), change.change))
            .collect()
    }

    #[test]
    fn every_kind_of_change_is_told() {
        let then = [
            ("cliproxyapi:port", "1"),
            ("cliproxyapi:host", "2"),
            ("cliproxyapi:debug", "3"),
        ];
        let now = [
            ("cliproxyapi:port", "9"),
            ("cliproxyapi:host", "2"),
            ("cliproxyapi:auth-dir", "4"),
        ];
        assert_eq!(
            changed(&then, &now),
            [
                ("auth-dir".into(), EntryChange::Added),
                ("debug".into(), EntryChange::Removed),
                ("port".into(), EntryChange::Changed),
            ]
        );
        assert_eq!(changed(&then, &then), []);
    }

    #[test]
    fn another_order_of_a_list_is_no_change() {
        let list = |first: &'static str, second: &'static str| {
            [
                ("litellm:model_list[0].model_name", first),
                ("litellm:model_list[1].model_name", second),
            ]
        };
        assert_eq!(changed(&list("1", "2"), &list("2", "1")), []);
        assert_eq!(changed(&list("1", "2"), &list("2", "2")).len(), 1);
    }

    #[test]
    fn what_cannot_be_compared_is_unknown_and_what_was_not_recorded_is_not_asked() {
        let one = digests(&[("litellm:a", "1")]);
        let of_another_file = digests(&[("flowgate:a", "1")]);
        assert!(since(&one, None, true).why_unknown().is_some());
        assert!(since(&one, Some(&one), false).why_unknown().is_some());
        for nothing in [BTreeMap::new(), of_another_file] {
            assert!(since(&nothing, Some(&one), true).is_not_asked());
        }
    }

    proptest! {
        #[test]
        fn the_same_digests_never_differ(pairs in prop::collection::btree_map("litellm:[a-z.\\[\\]0-9]{1,12}", "[0-9a-f]{4}", 1..6)) {
            let seen = since(&pairs, Some(&pairs), true);
            prop_assert_eq!(seen.known(), Some(&Vec::new()));
        }
    }
}
