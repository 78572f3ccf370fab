//! Each kind of step to its own file.

use flowgate_checks::model::Step;

use super::error::StepError;
use super::files::FileChange;
use super::ground::Ground;
use super::prepare::{Overlay, PreparedStep};
use super::record::Facts;
use super::services::Services;
use super::set_value::SetValue;
use super::{
    activate_profile, continue_service, end_process, insert_key, integration, reexec_supervisor,
    remove_record, restart_service, restart_supervisor, set_mode, set_value, signal, start_service,
    start_supervisor, stop_service,
};

/// Takes down what is there before a step, and what it will make of it.
///
/// # Errors
/// [`StepError`], when it cannot be done.
pub fn prepare(
    step: &Step,
    overlay: &Overlay,
    ground: &Ground,
    services: &Services<'_>,
) -> Result<PreparedStep, StepError> {
    match step {
        Step::SetMode { path, from, to } => set_mode::prepare(step, path, *from, *to, ground),
        Step::SetValue {
            file,
            path,
            from,
            to,
        } => {
            let from = from.as_deref();
            let wanted = SetValue {
                file,
                path,
                from,
                to,
            };
            set_value::prepare(step, &wanted, overlay, ground)
        }
        Step::InsertKey {
            file,
            under,
            key,
            value,
        } => insert_key::prepare(step, file, (under, key), value, overlay, ground),
        Step::RemoveRecord { path } => remove_record::prepare(step, path, overlay, ground),
        Step::Signal {
            pid,
            start_time,
            command,
            ..
        } => signal::prepare(step, (*pid, *start_time), command),
        Step::StartService { service }
        | Step::StopService { service }
        | Step::RestartService { service } => Ok(start_service::prepare(step, service, services)),
        Step::ContinueService {
            pid, start_time, ..
        } => continue_service::prepare(step, *pid, *start_time),
        Step::StartSupervisor => Ok(start_supervisor::prepare(step, ground)),
        Step::RestartSupervisor { pid, start_time } => {
            restart_supervisor::prepare(step, (*pid, *start_time), ground)
        }
        Step::ActivateProfile { profile } => {
            activate_profile::prepare(step, profile, overlay, ground)
        }
        Step::ReexecSupervisor => reexec_supervisor::prepare(step, ground),
        Step::Integration {
            client,
            path,
            change,
        } => integration::prepare(step, (client, path, *change), overlay, ground),
        Step::Init | Step::FinishRollBack { .. } => Err(StepError::Refused(format!(
            "{} is not done by a plan",
            kind(step)
        ))),
    }
}

/// Whether a plan can hold a step.
pub fn is_done_by_plans(step: &Step) -> bool {
    !matches!(step, Step::Init)
}

/// Does a step; what it acts upon must be what it was when it was prepared.
///
/// # Errors
/// [`StepError`].
pub fn apply(
    step: &PreparedStep,
    ground: &Ground,
    services: &Services<'_>,
) -> Result<(), StepError> {
    apply_files(&step.files)?;
    match (&step.step, &step.facts) {
        (
            Step::SetMode { .. },
            Facts::Mode {
                path,
                device,
                inode,
                from,
                to,
                ..
            },
        ) => set_mode::apply(path, (*device, *inode), *from, *to),
        (
            Step::Signal {
                pid,
                start_time,
                ladder,
                ..
            },
            _,
        ) => end_process::end(*pid, *start_time, ladder),
        (Step::StartService { service }, _) => services.start(service),
        (Step::StopService { service }, _) => services.stop(service),
        (Step::RestartService { service }, _) => services.restart(service),
        (
            Step::ContinueService {
                pid, start_time, ..
            },
            _,
        ) => continue_service::apply(*pid, *start_time),
        (Step::StartSupervisor, _) => start_supervisor::apply(ground),
        (Step::ReexecSupervisor, _) => reexec_supervisor::apply(ground),
        (Step::RestartSupervisor { pid, start_time }, _) => {
            restart_supervisor::apply(*pid, *start_time, ground)
        }
        (Step::ActivateProfile { profile }, _) => {
            activate_profile::note(profile, ground);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// All files of a step, or none.
fn apply_files(files: &[FileChange]) -> Result<(), StepError> {
    for (number, file) in files.iter().enumerate() {
        if let Err(why) = file.apply() {
            for done in files[..number].iter().rev() {
                // What cannot be put back at once is put back with the run.
                done.reverse()
                    .map_err(|error| StepError::Failed(error.to_string()))?;
            }
            return Err(why);
        }
    }
    Ok(())
}

/// Takes a step back; says what is restored besides files, when there is something to say.
/// `with_old_files` tells that files of the same run were put back.
///
/// # Errors
/// [`StepError::Changed`] when what it acts upon was changed since.
pub fn reverse(
    step: &PreparedStep,
    with_old_files: bool,
    ground: &Ground,
    services: &Services<'_>,
) -> Result<Option<String>, StepError> {
    for file in step.files.iter().rev() {
        file.reverse()?;
    }
    match (&step.step, &step.facts) {
        (
            Step::SetMode { .. },
            Facts::Mode {
                path,
                device,
                inode,
                from,
                to,
                seal,
            },
        ) => {
            let identity = (*device, *inode);
            set_mode::reverse(path, identity, (*from, *to), seal.as_ref())?;
            Ok(None)
        }
        (Step::StartService { service }, Facts::Service { was_running, .. }) => {
            start_service::reverse(service, *was_running, services)
        }
        (Step::StopService { service }, Facts::Service { was_running, .. }) => {
            stop_service::reverse(service, *was_running, services)
        }
        (
            Step::RestartService { service },
            Facts::Service {
                was_running: true, ..
            },
        ) => restart_service::reverse(service, with_old_files, services),
        (Step::RestartService { service }, Facts::Service { .. }) => {
            start_service::reverse(service, false, services)
        }
        (Step::StartSupervisor, Facts::Supervisor { was_running }) => {
            start_supervisor::reverse(*was_running, ground)
        }
        (Step::ActivateProfile { .. }, _) => {
            activate_profile::note_back(ground);
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// The kind of a step and what it acts upon.
pub fn named(step: &Step) -> (String, String) {
    (kind(step), target(step))
}

/// The kind of a step, as it is serialised.
pub fn kind(step: &Step) -> String {
    let value = serde_json::to_value(step).unwrap_or_default();
    value["kind"].as_str().unwrap_or_default().to_owned()
}

/// What a step acts upon, in a few words.
pub fn target(step: &Step) -> String {
    match step {
        Step::SetMode { path, .. } | Step::RemoveRecord { path } => path.clone(),
        Step::SetValue { file, path, .. } => format!("{file}: {path}"),
        Step::InsertKey {
            file, under, key, ..
        } => format!("{file}: {}", crate::config::path::key(under, key)),
        Step::Signal { pid, command, .. } => format!("pid {pid} ({command})"),
        Step::StartService { service }
        | Step::StopService { service }
        | Step::RestartService { service }
        | Step::ContinueService { service, .. } => service.clone(),
        Step::StartSupervisor | Step::RestartSupervisor { .. } | Step::ReexecSupervisor => {
            "supervisor".into()
        }
        Step::ActivateProfile { profile } => format!("profile {profile}"),
        Step::Integration { client, path, .. } => format!("{client}: {path}"),
        Step::Init => "config/flowgate.yaml".into(),
        Step::FinishRollBack { run } => format!("run {run}"),
    }
}
