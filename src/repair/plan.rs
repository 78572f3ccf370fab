//! From the roots of a report to runs: what is to be done, in which order, together or apart.

use std::collections::BTreeSet;

use flowgate_checks::model::{Finding, Fix, Safety, Snapshot, Step};

use super::order::ordered;
use crate::report::Report;

/// A run that is planned: roots whose fixes share a step or a file, and the steps of all of them.
#[derive(Debug, Clone)]
pub struct PlannedRun {
    /// Keys of the findings that it should end.
    pub roots: Vec<String>,
    /// What a user sees of them.
    pub symptoms: Vec<String>,
    /// Ids of their fixes.
    pub fixes: Vec<String>,
    /// `FIX:SUBJECT` of each.
    pub names: Vec<String>,
    /// What it does.
    pub title: String,
    /// Whether it has to be asked for.
    pub safety: Safety,
    /// The steps, in the order in which they are done.
    pub steps: Vec<Step>,
}

impl PlannedRun {
    /// Whether it takes back what earlier runs left, and has no journal of its own.
    pub fn is_recovery(&self) -> bool {
        matches!(self.steps.first(), Some(Step::FinishRollBack { .. }))
    }
}

/// The findings to which a fix is looked for: what nothing else explains and nobody muted.
pub fn roots(report: &Report) -> Vec<&Finding> {
    report.heard_roots().collect()
}

/// Plans chosen fixes together. What shares a step, or changes the same file, is one run: neither
/// could be kept when the other is taken back.
pub fn plan(chosen: &[(&Finding, &Fix)], snapshot: &Snapshot) -> Vec<PlannedRun> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for index in 0..chosen.len() {
        let is_bound = |group: &Vec<usize>| {
            group
                .iter()
                .any(|other| is_shared(&chosen[*other].1.steps, &chosen[index].1.steps))
        };
        let (bound, free): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_bound);
        groups = free;
        let mut joined: Vec<usize> = bound.into_iter().flatten().collect();
        joined.push(index);
        joined.sort_unstable();
        groups.push(joined);
    }
    groups.sort();
    let mut runs: Vec<PlannedRun> = groups
        .iter()
        .map(|group| run(group, chosen, snapshot))
        .collect();
    // Modes before anything else: what runs later may need to read the file.
    runs.sort_by_key(|run| {
        !matches!(
            run.steps.first(),
            Some(Step::SetMode { .. } | Step::FinishRollBack { .. })
        )
    });
    runs
}

fn run(group: &[usize], chosen: &[(&Finding, &Fix)], snapshot: &Snapshot) -> PlannedRun {
    let members = || group.iter().map(|index| chosen[*index]);
    let mut titles: Vec<String> = Vec::new();
    for (_, fix) in members() {
        if !titles.contains(&fix.title) {
            titles.push(fix.title.clone());
        }
    }
    let steps = members().flat_map(|(_, fix)| fix.steps.clone()).collect();
    PlannedRun {
        roots: members().map(|(finding, _)| finding.key()).collect(),
        symptoms: members()
            .map(|(finding, _)| finding.symptom.clone())
            .collect(),
        fixes: members().map(|(_, fix)| fix.id.clone()).collect(),
        names: members()
            .map(|(finding, fix)| format!("{}:{}", fix.id, finding.subject))
            .collect(),
        title: titles.join("; "),
        safety: if members().all(|(_, fix)| fix.safety == Safety::Safe) {
            Safety::Safe
        } else {
            Safety::Unsafe
        },
        steps: ordered(steps, snapshot),
    }
}

fn is_shared(one: &[Step], other: &[Step]) -> bool {
    let touched = |steps: &[Step]| -> BTreeSet<String> { steps.iter().flat_map(touches).collect() };
    !touched(one).is_disjoint(&touched(other))
}

/// The things of which a step changes one: files by name, services, the supervisor.
fn touches(step: &Step) -> Vec<String> {
    match step {
        Step::SetMode { path, .. } | Step::RemoveRecord { path } => vec![format!("file {path}")],
        Step::SetValue { file, .. } | Step::InsertKey { file, .. } => vec![format!("file {file}")],
        Step::Signal { pid, .. } => vec![format!("pid {pid}")],
        Step::StartService { service }
        | Step::StopService { service }
        | Step::RestartService { service }
        | Step::ContinueService { service, .. } => vec![format!("service {service}")],
        Step::StartSupervisor | Step::RestartSupervisor { .. } | Step::ReexecSupervisor => {
            vec!["supervisor".into()]
        }
        Step::ActivateProfile { .. } => vec!["active config".into()],
        Step::Integration { path, .. } => vec![format!("file {path}")],
        Step::Init => vec!["gateway".into()],
        Step::FinishRollBack { run } => vec![format!("run {run}")],
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
