//! The services of the snapshot, put together from config, records, programs, logs and environments.

use std::collections::BTreeMap;

use flowgate_checks::model::{LastReady, Observed, Program, Scheme, Service, Settings, Unknown};

use super::configs::Wave0;
use super::context::Context;
use super::who::Who;
use super::{changes, targets};
use crate::config::service::ServiceConfig;
use crate::supervisor::records::RecordedService;

/// Every service of flowgate.yaml, those that are off included.
pub fn assemble(
    wave: &Wave0,
    programs: &BTreeMap<String, Observed<Program>>,
    who: &Observed<Who>,
    context: &Context,
) -> BTreeMap<String, Service> {
    let configured = wave.flowgate.iter().flat_map(|config| &config.services);
    configured
        .map(|service| {
            (
                service.name.clone(),
                one(service, wave, programs, who, context),
            )
        })
        .collect()
}

fn one(
    service: &ServiceConfig,
    wave: &Wave0,
    programs: &BTreeMap<String, Observed<Program>>,
    who: &Observed<Who>,
    context: &Context,
) -> Service {
    let recorded = who
        .known()
        .and_then(|who| who.recorded.get(&service.name))
        .cloned()
        .unwrap_or_default();
    let last_ready = last_ready(&recorded, wave.digests.get(&service.kind), context);
    Service {
        kind: service.kind,
        settings: settings(service, targets::scheme_of(service, wave), context),
        wanted: recorded.wanted,
        run: recorded.run,
        tries: recorded.tries,
        exits: recorded.exits,
        log: from_who(who, |who| who.logs.get(&service.name).cloned()),
        program: programs.get(&service.name).cloned().unwrap_or_default(),
        environment: from_who(who, |who| {
            Some(match who.environments.get(&service.name)? {
                Observed::Known(look) => Observed::Known(look.variables.clone()),
                Observed::Unknown(unknown) => Observed::Unknown(unknown.clone()),
                Observed::NotAsked => Observed::NotAsked,
            })
        }),
        env_files: who
            .known()
            .and_then(|who| who.env_files.get(&service.name))
            .cloned()
            .unwrap_or_default(),
        changed_entries: changes::since(
            &recorded.digests,
            wave.digests.get(&service.kind),
            context.fingerprinter.is_kept(),
        ),
        last_ready,
        records: recorded.files,
    }
}

/// With what a service was ready last, compared with its config of now and with its last run.
fn last_ready(
    recorded: &RecordedService,
    now: Option<&BTreeMap<String, String>>,
    context: &Context,
) -> Option<LastReady> {
    let then = recorded.last_ready.as_ref()?;
    let without = |names: &[String], others: &[String]| {
        let is_new = |name: &&String| !others.is_empty() && !others.contains(name);
        names.iter().filter(is_new).cloned().collect()
    };
    Some(LastReady {
        at: then.at,
        port: then.port,
        changed_entries: changes::since(&then.digests, now, context.fingerprinter.is_kept()),
        program_changed: match (&then.binary_digest, &recorded.binary_digest) {
            (Some(then), Some(last)) => Observed::Known(then != last),
            _ => Observed::NotAsked,
        },
        variables_gone: without(&then.variables, &recorded.variables),
        variables_new: without(&recorded.variables, &then.variables),
    })
}

/// A part of what was looked at together; unknown when the whole is.
fn from_who<T>(who: &Observed<Who>, part: impl Fn(&Who) -> Option<Observed<T>>) -> Observed<T> {
    match who {
        Observed::Known(who) => part(who).unwrap_or_default(),
        Observed::Unknown(Unknown { why, .. }) => Observed::unknown(why.clone()),
        Observed::NotAsked => Observed::NotAsked,
    }
}

fn settings(service: &ServiceConfig, scheme: Scheme, context: &Context) -> Settings {
    Settings {
        enabled: service.enabled,
        managed: service.managed,
        host: service.host.clone(),
        port: service.port,
        scheme,
        readiness_path: service.readiness_path.clone(),
        args: service
            .args
            .iter()
            .map(|arg| context.redactor.clean(arg))
            .collect(),
        cwd: context.show(service.cwd.as_deref().unwrap_or(&context.cwd)),
        ready_timeout_seconds: service.ready_timeout.as_secs(),
    }
}
