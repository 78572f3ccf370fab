//! The runbook pages behind `doctor explain`.

use flowgate_checks::ALL;
use flowgate_checks::model::Severity;

/// The page of a check, or the section of a finding.
pub fn find(id: &str) -> Option<String> {
    if let Some(check) = ALL.iter().find(|check| check.id == id) {
        return Some(check.page.to_owned());
    }
    let check = ALL
        .iter()
        .find(|check| check.findings.iter().any(|spec| spec.id == id))?;
    let name = id.split('/').nth(1)?;
    let mut section = format!("# {id}\n");
    let mut inside = false;
    for line in check.page.lines() {
        match line.strip_prefix("## ") {
            Some(heading) => inside = heading == name,
            None if inside => {
                section.push_str(line);
                section.push('\n');
            }
            None => {}
        }
    }
    Some(section)
}

/// Every page as one document, with the findings of each check in front of it.
pub fn runbook() -> String {
    let mut text = String::from(
        "# The runbook\n\n\
         What `flowgate doctor` looks for, and what to do about it; `flowgate doctor explain ID` \
         shows each part on its own. Made from the pages beside the checks: change those.\n",
    );
    for check in ALL {
        let mut lines = check.page.lines();
        let title = lines.next().unwrap_or_default().trim_start_matches('#');
        text.push_str(&format!("\n##{title}\n\n| finding | | |\n|---|---|---|\n"));
        for spec in check.findings {
            let severity = match spec.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "info",
            };
            let anchor = spec.id.replace('/', "");
            text.push_str(&format!(
                "| [{}](#{anchor}) | {severity} | {} |\n",
                spec.id, spec.title
            ));
        }
        let mut is_code = false;
        for line in lines {
            is_code ^= line.starts_with("```");
            match line.strip_prefix("## ") {
                Some(name) if !is_code => text.push_str(&format!("### {}/{name}\n", check.id)),
                _ if line.starts_with("###") && !is_code => text.push_str(&format!("#{line}\n")),
                _ => text.push_str(&format!("{line}\n")),
            }
        }
    }
    text
}

/// The check or finding whose name is nearest to what was typed.
pub fn nearest(typed: &str) -> Option<&'static str> {
    let name = typed.rsplit('/').next().unwrap_or(typed);
    let ids = ALL.iter().flat_map(|check| {
        std::iter::once(check.id).chain(check.findings.iter().map(|spec| spec.id))
    });
    ids.filter(|id| {
        let known = id.rsplit('/').next().unwrap_or(id);
        !name.is_empty() && (known == name || known.contains(name) || name.contains(known))
    })
    .min_by_key(|id| id.len().abs_diff(typed.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_has_a_page_of_its_own() {
        for check in ALL {
            for spec in check.findings {
                let page = find(spec.id).unwrap();
                assert!(page.lines().count() > 5, "{}: {page}", spec.id);
                assert!(page.contains("### Fix"), "{}", spec.id);
            }
        }
        assert_eq!(find("port-conflict/nothing"), None);
    }
}
