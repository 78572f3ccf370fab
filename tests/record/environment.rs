//! The variables of a running service, and of flowgate itself.

use std::collections::BTreeSet;

use flowgate::config::secrets::environment_reference;
use flowgate::gather::environment::{EnvironmentLook, interpret};
use flowgate_checks::model::{EntryValue, Observed};

use crate::recording::Started;
use crate::stage::Stage;

/// The variables of a service whose process lives; nobody asks for those of another.
pub fn of(stage: &Stage<'_>, service: &str) -> Observed<EnvironmentLook> {
    let moment = &stage.recording.moment;
    match stage.recording.last_run(service) {
        Some(run) if run.pid.is_some() && !run.has_ended_by(moment.t) => {
            Observed::Known(look(stage, run, |_| true))
        }
        _ => Observed::NotAsked,
    }
}

/// The variables of flowgate, called from the shell in which the services were started.
pub fn of_flowgate(stage: &Stage<'_>) -> EnvironmentLook {
    let run = stage.recording.last_run("cliproxyapi_plus").unwrap();
    look(stage, run, |name| {
        ["PATH", "HOME", "USER", "LANG"].contains(&name)
    })
}

fn look(stage: &Stage<'_>, run: &Started, is_taken: impl Fn(&str) -> bool) -> EnvironmentLook {
    let pairs = run.env_set.iter().filter(|(name, _)| is_taken(name));
    interpret(
        pairs.map(|(name, value)| (name.clone(), value.clone())),
        &referenced(stage),
        &stage.fingerprinter,
        &stage.redactor,
    )
}

/// The variables that the configs name as `os.environ/NAME`.
fn referenced(stage: &Stage<'_>) -> BTreeSet<String> {
    [&stage.flowgate_file, &stage.litellm.file]
        .into_iter()
        .flat_map(|file| file.entries.values())
        .filter_map(|entry| match &entry.value {
            EntryValue::Text(text) => environment_reference(text),
            _ => None,
        })
        .map(str::to_owned)
        .collect()
}
