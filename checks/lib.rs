//! Pure diagnosis of a local LLM gateway: a snapshot in, findings out.
//!
//! Nothing here touches the machine; `clippy.toml` beside this file is the fence.

pub mod answers;
pub mod by_hand;
pub mod chain;
pub mod changes;
pub mod clients;
pub mod config;
pub mod correlate;
pub mod diagnose;
pub mod holder;
pub mod logins;
pub mod logs;
pub mod missing_binaries;
pub mod model;
pub mod oauth_login;
pub mod places;
pub mod port_conflict;
pub mod reach;
pub mod readiness;
pub mod routes;
pub mod secret_permissions;
pub mod shell;
pub mod state;
pub mod steps;
pub mod suggest;
pub mod supervisor;
pub mod upstream;
pub mod words;

use model::Check;

/// Every check, in the order of the runbook.
pub static ALL: &[&Check] = &[
    &port_conflict::CHECK,
    &oauth_login::CHECK,
    &secret_permissions::CHECK,
    &missing_binaries::CHECK,
    &readiness::CHECK,
    &config::CHECK,
    &supervisor::CHECK,
];

/// The example of the contributor's guide, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../CONTRIBUTING.md")]
pub struct ContributorsGuide;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Files beside this one that are no check.
    const OTHERS: &[&str] = &[
        "answers",
        "by_hand",
        "chain",
        "changes",
        "clients",
        "correlate",
        "diagnose",
        "holder",
        "lib",
        "logins",
        "logs",
        "model",
        "places",
        "reach",
        "routes",
        "shell",
        "state",
        "steps",
        "suggest",
        "upstream",
        "words",
    ];

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "the test reads the folder of this crate"
    )]
    fn no_check_is_left_out_and_each_has_its_page() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/");
        let names: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                let is_module = name.ends_with(".rs")
                    || (entry.path().is_dir() && entry.path().join("mod.rs").is_file());
                is_module.then(|| name.trim_end_matches(".rs").to_owned())
            })
            .filter(|name| !OTHERS.contains(&name.as_str()))
            .collect();
        let listed: BTreeSet<String> = ALL.iter().map(|check| check.id.replace('-', "_")).collect();
        assert_eq!(names, listed);
        for check in ALL {
            let page =
                std::fs::read_to_string(format!("{folder}{}.md", check.id.replace('-', "_")))
                    .unwrap();
            assert_eq!(page, check.page);
        }
    }

    #[test]
    fn every_finding_has_its_section_with_the_fixed_headings() {
        const HEADINGS: [&str; 6] = [
            "Symptom",
            "Evidence",
            "Cause",
            "Fix",
            "Fix safety",
            "Not this",
        ];
        for check in ALL {
            let mut names = BTreeSet::new();
            for section in check.page.split("\n## ").skip(1) {
                let name = section.lines().next().unwrap();
                let headings: Vec<&str> = section
                    .lines()
                    .filter_map(|line| line.strip_prefix("### "))
                    .collect();
                assert_eq!(headings, HEADINGS, "{}/{name}", check.id);
                names.insert(format!("{}/{name}", check.id));
            }
            let ids: BTreeSet<String> = check
                .findings
                .iter()
                .map(|spec| spec.id.to_owned())
                .collect();
            assert_eq!(names, ids, "sections of {}", check.id);
        }
    }

    #[test]
    fn every_id_is_unique_and_belongs_to_its_check() {
        let mut seen = BTreeSet::new();
        for check in ALL {
            for spec in check.findings {
                assert!(
                    spec.id.starts_with(&format!("{}/", check.id)),
                    "{}",
                    spec.id
                );
                assert!(seen.insert(spec.id), "{} stands twice", spec.id);
                assert!(
                    check
                        .page
                        .contains(&format!("## {}\n", spec.id.split('/').nth(1).unwrap())),
                    "the page of {} has no section on {}",
                    check.id,
                    spec.id
                );
            }
        }
    }
}
