//! Every relative link leads to a file that is there, and to a heading in it.

use std::path::Path;

use crate::pages::{self, Page};

#[test]
fn every_relative_link_leads_somewhere() {
    let mut faults = Vec::new();
    let pages = pages::all();
    let mut seen = 0;
    for page in &pages {
        for link in links(&page.text) {
            if link.contains("://") {
                continue;
            }
            seen += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.path.clone(),
                file => page.path.parent().unwrap().join(file),
            };
            if !target.exists() {
                faults.push(format!("{}: {link}", page.path.display()));
            } else if !anchor.is_empty() && !has_heading(&pages, &target, anchor) {
                faults.push(format!("{}: no heading for {link}", page.path.display()));
            }
        }
    }
    assert!(seen > 20, "{seen}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What stands in `](…)`, outside of code.
fn links(text: &str) -> Vec<&str> {
    let mut links = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        is_code ^= line.starts_with("```");
        if is_code {
            continue;
        }
        let rests = line.split("](").skip(1);
        links.extend(rests.filter_map(|rest| Some(rest.split_once(')')?.0)));
    }
    links
}

fn has_heading(pages: &[Page], target: &Path, anchor: &str) -> bool {
    let target = target.canonicalize().unwrap();
    let page = pages
        .iter()
        .find(|page| page.path.canonicalize().unwrap() == target);
    page.is_some_and(|page| {
        page.text
            .lines()
            .filter(|line| line.starts_with('#'))
            .any(|line| slug(line.trim_start_matches('#').trim()) == anchor)
    })
}

/// The anchor of a heading, as the common forges make it.
fn slug(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}
