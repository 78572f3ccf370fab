//! The Python environment of LiteLLM lacks packages that it needs at its start.

use super::{PACKAGE_MISSING, ServiceProgram, install};
use crate::logs;
use crate::model::{
    Evidence, Finding, PackageFacts, ProgramContent, ProgramState, ServiceKind, Subject,
};
use crate::places;
use crate::shell;
use crate::state::View;
use crate::words;

/// The finding for a LiteLLM that does not run, from the metadata of its environment or from the last
/// words of its log. What runs is proven: its tracebacks and a lost metadata folder are noise.
pub fn find(view: &View<'_>) -> Option<Finding> {
    if view.service.kind != ServiceKind::Litellm || view.is_running() {
        return None;
    }
    let packages = packages(view);
    let missing = packages.map(missing).unwrap_or_default();
    let said = said(view);
    if missing.is_empty() && said.is_none() {
        return None;
    }
    let lacks = match (missing.as_slice(), &said) {
        ([], Some((_, Some(module)))) => format!("the module {module}"),
        ([], _) => "parts of litellm[proxy]".to_owned(),
        ([only], _) => only.clone(),
        ([first, second], _) => format!("{first} and {second}"),
        ([first, second, rest @ ..], _) => {
            format!(
                "{first}, {second} and {}",
                words::count(rest.len(), "more package")
            )
        }
    };
    let cause = match packages {
        Some(facts) if facts.litellm.is_none() => {
            "LiteLLM was removed from the environment, or never installed in it".to_owned()
        }
        _ => {
            "LiteLLM was installed without its [proxy] parts, or its environment was changed since"
                .to_owned()
        }
    };
    let mut finding = Finding::new(
        &PACKAGE_MISSING,
        Subject::Service(view.name.into()),
        format!("{} cannot start: its environment lacks {lacks}", view.name),
        cause,
    )
    .brief("packages missing");
    finding
        .evidence
        .extend(metadata_row(view, packages, &missing));
    finding
        .evidence
        .extend(said.as_ref().map(|(line, _)| log_row(view, line)));
    finding = finding.evidence(places::setting_row(
        view,
        "command.args[0]",
        view.settings().args.first().map_or("", String::as_str),
    ));
    finding.fixes.push(fix(view));
    // A log tells of the last start; the environment may have been mended since.
    let is_mended = packages.is_some() && missing.is_empty();
    let is_gone = packages.is_some_and(|facts| facts.litellm.is_none());
    let is_proven = is_gone || said.is_some() && !is_mended;
    Some(if is_proven { finding } else { finding.likely() })
}

fn packages<'a>(view: &View<'a>) -> Option<&'a PackageFacts> {
    match &view.service.program.known()?.state {
        // Behind a broken interpreter lies another environment, or none.
        ProgramState::File(file) => match &file.content {
            ProgramContent::Script(script) if !script.usable => None,
            _ => file.packages.known(),
        },
        _ => None,
    }
}

fn missing(facts: &PackageFacts) -> Vec<String> {
    let mut missing = facts.missing.clone();
    missing.sort();
    if facts.litellm.is_none() && !missing.iter().any(|name| name == "litellm") {
        missing.insert(0, "litellm".into());
    }
    missing
}

/// The line of the last run's log that names what it lacks, and the module. A run that served had all.
fn said(view: &View<'_>) -> Option<(String, Option<String>)> {
    let lines = &view.service.log.known()?.lines;
    if logs::has_served(lines) {
        return None;
    }
    if let Some(line) = logs::missing_dependency(lines) {
        return Some((line.to_owned(), logs::named_module(line).map(str::to_owned)));
    }
    let module = logs::missing_module(lines)?;
    let line = lines.iter().rev().find(|line| !line.trim().is_empty())?;
    Some((line.clone(), Some(module.to_owned())))
}

fn metadata_row(
    view: &View<'_>,
    packages: Option<&PackageFacts>,
    missing: &[String],
) -> Option<Evidence> {
    let facts = packages.filter(|_| !missing.is_empty())?;
    let folder = shell::path(view.snapshot, &facts.site_packages);
    Some(
        Evidence::new(
            "packages",
            format!("no metadata of {}", words::list(missing)),
            &facts.site_packages,
        )
        .expected("every package of litellm[proxy]")
        .command(format!("ls {folder}")),
    )
}

fn log_row(view: &View<'_>, line: &str) -> Evidence {
    let path = view.service.log.known().map_or("", |log| log.path.as_str());
    Evidence::new("log", line, path).command(format!(
        "grep -n 'No module named' {} | tail -n 3",
        shell::path(view.snapshot, path)
    ))
}

fn fix(view: &View<'_>) -> crate::model::Fix {
    match view.service.program.known() {
        Some(program) => install::fix(&ServiceProgram {
            view: *view,
            program,
        }),
        None => install::packages_by_hand(view),
    }
}
