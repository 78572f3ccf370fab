//! The programs, who runs them, and whether the kept management key is right.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowgate_checks::model::{Observed, Program, ServiceKind};

use crate::config::cliproxyapi::SecretKey;
use crate::config::service::ServiceConfig;
use crate::gather::configs::Wave0;
use crate::gather::context::Context;
use crate::gather::deadline::Deadline;
use crate::gather::management::{self, ConfirmedManagement, ManagementPlan};
use crate::gather::programs::{self, CommandLine};
use crate::gather::who::{self, Who};

/// The programs of the services, as far as they could be looked at, and who runs them.
pub type ProgramsAndWho = (BTreeMap<String, Observed<Program>>, Observed<Who>);

/// The programs, then who runs them, then whether the kept management key is right.
pub async fn who_and_management(
    wave: &Arc<Wave0>,
    context: &Arc<Context>,
    deadline: &Deadline,
) -> (
    BTreeMap<String, Observed<Program>>,
    Observed<Who>,
    ConfirmedManagement,
) {
    let (programs, who) = programs_and_who(wave, context, deadline).await;
    let confirmed = confirm(wave, &who, context, deadline).await;
    (programs, who, confirmed)
}

/// The programs, then who runs them.
pub async fn programs_and_who(
    wave: &Arc<Wave0>,
    context: &Arc<Context>,
    deadline: &Deadline,
) -> ProgramsAndWho {
    let services: Vec<ServiceConfig> = wave.services().cloned().collect();
    let programs = programs(&services, wave, context, deadline).await;
    let known: BTreeMap<String, Program> = programs
        .iter()
        .filter_map(|(name, program)| Some((name.clone(), program.known()?.clone())))
        .collect();
    let runtime_dir = wave
        .flowgate
        .as_ref()
        .map(|config| config.paths.runtime_dir.clone())
        .unwrap_or_default();
    let referenced = wave.referenced_variables();
    let shared = Arc::clone(context);
    let who = deadline
        .blocking("sockets, records, processes", move || {
            who::look(&services, &known, &runtime_dir, &referenced, &shared)
        })
        .await;
    (programs, who)
}

async fn programs(
    services: &[ServiceConfig],
    wave: &Arc<Wave0>,
    context: &Arc<Context>,
    deadline: &Deadline,
) -> BTreeMap<String, Observed<Program>> {
    let services: Vec<ServiceConfig> = services
        .iter()
        .filter(|service| !service.args.is_empty())
        .cloned()
        .collect();
    let names: Vec<String> = services
        .iter()
        .map(|service| service.name.clone())
        .collect();
    let (wave, context) = (Arc::clone(wave), Arc::clone(context));
    let resolved = deadline.blocking("programs", move || {
        let bin = wave
            .flowgate
            .as_ref()
            .map(|config| config.paths.runtime_dir.join("bin"))
            .unwrap_or_default();
        let path = std::env::var_os("PATH");
        let has_python_path = std::env::var_os("PYTHONPATH").is_some();
        services
            .iter()
            .map(|service| {
                let command = CommandLine {
                    arg0: &service.args[0],
                    cwd: service.cwd.as_deref().unwrap_or(&context.cwd),
                    path: path.as_deref(),
                    runtime_bin: &bin,
                    kind: service.kind,
                    arch: std::env::consts::ARCH,
                    has_python_path,
                };
                (
                    service.name.clone(),
                    programs::resolve(&command, &context.root),
                )
            })
            .collect::<BTreeMap<String, Program>>()
    });
    match resolved.await {
        Observed::Known(found) => found
            .into_iter()
            .map(|(name, program)| (name, Observed::Known(program)))
            .collect(),
        Observed::Unknown(unknown) => names
            .into_iter()
            .map(|name| (name, Observed::Unknown(unknown.clone())))
            .collect(),
        Observed::NotAsked => BTreeMap::new(),
    }
}

async fn confirm(
    wave: &Wave0,
    who: &Observed<Who>,
    context: &Arc<Context>,
    deadline: &Deadline,
) -> ConfirmedManagement {
    let Some(service) = wave.service(ServiceKind::Cliproxyapi) else {
        return ConfirmedManagement::default();
    };
    let environment = who
        .known()
        .and_then(|who| who.environments.get(&service.name));
    let plan = ManagementPlan {
        kept: kept_key(context),
        stored: wave
            .cliproxyapi
            .as_ref()
            .and_then(|config| match &config.secret_key {
                SecretKey::Hash(secret) | SecretKey::Plain(secret) => Some(secret.clone()),
                SecretKey::Absent => None,
            }),
        password: match environment {
            Some(Observed::Known(look)) => {
                Observed::Known(look.secrets.get("MANAGEMENT_PASSWORD").cloned())
            }
            Some(Observed::Unknown(unknown)) => Observed::Unknown(unknown.clone()),
            Some(Observed::NotAsked) | None => Observed::NotAsked,
        },
    };
    deadline
        .awaited("management key", management::confirm(plan))
        .await
        .unwrap_or_default()
}

fn kept_key(context: &Context) -> Option<management::KeptKey> {
    let path = context.secrets_dir.join("management.key");
    management::read_kept_key(&path, &context.show(&path), &context.redactor)
        .known()
        .cloned()
        .flatten()
}
