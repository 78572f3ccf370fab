//! The fixes of the catalogue and those that are proved live are the same list.

use std::collections::BTreeSet;

use crate::catalogue::CATALOGUE;
use crate::situations;

const OF_CLIENTS: &str = "the config of a client lies outside of the gateway; the tests of the clients \
                          write and put back one in a home of its own";

/// What is not proved by a situation, and why.
const NOT_PROVED: &[(&str, &str, char, &str)] = &[
    (
        "config/missing",
        "init",
        'U',
        "no plan does it: `flowgate init` makes the files of a new gateway, and has tests of its own",
    ),
    (
        "readiness/hung",
        "restart",
        'U',
        "it is asked for where a service answers on one path and is silent on another for 10 s, which \
         no stand-in does; without asking it is proved",
    ),
    (
        "readiness/client-not-pointed",
        "integration",
        'U',
        OF_CLIENTS,
    ),
    ("readiness/client-wrong-url", "integration", 'U', OF_CLIENTS),
    (
        "readiness/client-unknown-model",
        "integration",
        'U',
        OF_CLIENTS,
    ),
];

#[test]
fn every_fix_that_can_be_applied_is_proved_live() {
    let known: BTreeSet<&str> = flowgate_checks::ALL
        .iter()
        .flat_map(|check| check.findings)
        .map(|spec| spec.id)
        .collect();
    let rows = CATALOGUE.iter().filter(|(id, _)| known.contains(id));
    let wanted: BTreeSet<(&str, &str, char)> = rows
        .flat_map(|(id, row)| row.iter().map(move |(fix, letters)| (*id, *fix, *letters)))
        .filter(|(_, fix, _)| *fix != "install-runtime")
        .flat_map(|(id, fix, letters)| letters.chars().map(move |letter| (id, fix, letter)))
        .filter(|(_, _, letter)| "SU".contains(*letter))
        .collect();
    let proved: BTreeSet<(&str, &str, char)> = situations::all()
        .map(|one| (one.root.split(':').next().unwrap(), one.fix, one.letter))
        .collect();
    let left_out: BTreeSet<(&str, &str, char)> = NOT_PROVED
        .iter()
        .map(|(id, fix, letter, _)| (*id, *fix, *letter))
        .collect();
    let told: BTreeSet<(&str, &str, char)> = proved.union(&left_out).copied().collect();
    assert_eq!(
        wanted.difference(&told).collect::<Vec<_>>(),
        Vec::<&(&str, &str, char)>::new(),
        "not proved"
    );
    assert_eq!(
        told.difference(&wanted).collect::<Vec<_>>(),
        Vec::<&(&str, &str, char)>::new(),
        "in no row"
    );
    assert!(proved.is_disjoint(&left_out));
}

#[test]
fn every_situation_has_a_name_of_its_own() {
    let names: Vec<&str> = situations::all().map(|one| one.name).collect();
    let unique: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(unique.len(), names.len());
}
