//! In which order steps are done, and in which they are taken back.

use flowgate_checks::model::{ServiceKind, Snapshot, Step};

/// The steps of a run in their order, each once: modes and records first, what stops before what
/// writes, what writes before what starts. A service is started once, the far end of the chain
/// before the near one.
pub fn ordered(steps: Vec<Step>, snapshot: &Snapshot) -> Vec<Step> {
    let mut once: Vec<Step> = Vec::new();
    for step in steps {
        if !once.contains(&step) {
            once.push(step);
        }
    }
    let restarted: Vec<String> = once
        .iter()
        .filter_map(|step| match step {
            Step::RestartService { service } => Some(service.clone()),
            _ => None,
        })
        .collect();
    once.retain(|step| match step {
        Step::StartService { service } => !restarted.contains(service),
        _ => true,
    });
    once.sort_by_key(|step| (rank(step), hop(step, snapshot)));
    once
}

fn rank(step: &Step) -> u8 {
    match step {
        Step::FinishRollBack { .. } => 0,
        Step::SetMode { .. } => 1,
        Step::RemoveRecord { .. } => 2,
        Step::StopService { .. } | Step::Signal { .. } => 3,
        Step::Init => 4,
        Step::SetValue { .. } | Step::InsertKey { .. } => 5,
        Step::ActivateProfile { .. } | Step::Integration { .. } => 6,
        Step::StartSupervisor | Step::RestartSupervisor { .. } | Step::ReexecSupervisor => 7,
        Step::ContinueService { .. } => 8,
        Step::RestartService { .. } | Step::StartService { .. } => 9,
    }
}

/// CLIProxyAPIPlus before LiteLLM, which asks it at its start; a stop goes the other way round.
fn hop(step: &Step, snapshot: &Snapshot) -> u8 {
    let place = |service: &String| match snapshot.services.get(service).map(|found| found.kind) {
        Some(ServiceKind::Cliproxyapi) => 1,
        Some(ServiceKind::Litellm) => 2,
        _ => 3,
    };
    match step {
        Step::StartService { service } | Step::RestartService { service } => place(service),
        Step::StopService { service } => 4 - place(service),
        _ => 0,
    }
}

/// In which part of taking a run back a step has its turn: what runs is stopped, then files are put
/// back, then what ran is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// Stop what was started.
    Stop,
    /// Put back files and modes.
    Files,
    /// Start what was stopped, and let what ran run with its old files.
    Start,
}

/// The turn of a step; `was_running` tells of its service.
pub fn turn(step: &Step, was_running: bool) -> Turn {
    match step {
        Step::StartService { .. } | Step::StartSupervisor => Turn::Stop,
        Step::RestartService { .. } if !was_running => Turn::Stop,
        Step::RestartService { .. } | Step::StopService { .. } => Turn::Start,
        _ => Turn::Files,
    }
}
