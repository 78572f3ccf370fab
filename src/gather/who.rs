//! Who listens, what is recorded, and what the processes are to us: each needs the one before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use flowgate_checks::model::{
    EnvFile, LogTail, Observed, Owner, Process, Program, ProgramContent, ProgramState, ServiceKind,
    Socket, Supervisor,
};

use super::context::Context;
use super::environment::{self, EnvironmentLook};
use super::processes::{self, ServiceIdentity};
use super::{env_files, logs, sockets};
use crate::config::service::ServiceConfig;
use crate::platform;
use crate::supervisor::records::{self, RecordedService};

/// Listeners, records, processes, and the environments and logs of running services.
#[derive(Default)]
pub struct Who {
    /// Every TCP listener.
    pub sockets: Observed<BTreeMap<String, Socket>>,
    /// What is recorded of each service.
    pub recorded: BTreeMap<String, RecordedService>,
    /// flowgate's own supervisor.
    pub supervisor: Supervisor,
    /// The processes that matter.
    pub processes: BTreeMap<u32, Process>,
    /// The variables of each running service.
    pub environments: BTreeMap<String, Observed<EnvironmentLook>>,
    /// The `.env` files of each service.
    pub env_files: BTreeMap<String, Vec<EnvFile>>,
    /// The log of each service since its last start.
    pub logs: BTreeMap<String, Observed<LogTail>>,
}

/// Looks; blocking.
pub fn look(
    services: &[ServiceConfig],
    programs: &BTreeMap<String, Program>,
    runtime_dir: &Path,
    referenced: &BTreeSet<String>,
    context: &Context,
) -> Who {
    let mut who = Who {
        sockets: sockets::listeners(),
        ..Who::default()
    };
    let boot_id = platform::boot_id();
    who.supervisor.recorded = records::supervisor(runtime_dir, &context.root, &boot_id, |pid| {
        platform::process_stat(pid).map(|stat| processes::sign_of(&stat))
    });
    let mut identities = Vec::new();
    for service in services {
        let log = runtime_dir
            .join("process-logs")
            .join(format!("{}.log", service.name));
        let read = records::read(
            runtime_dir,
            &service.name,
            &context.root,
            platform::pid_limit(),
        );
        let mut identity = identify(service, programs.get(&service.name), &log, context);
        let recorded =
            records::interpret(&read, &boot_id, |pid| processes::life_sign(pid, &identity));
        identity.runs.clone_from(&recorded.runs);
        who.logs.insert(
            service.name.clone(),
            logs::tail(&log, recorded.log_offset, &context.root, &context.redactor),
        );
        who.env_files.insert(
            service.name.clone(),
            env_files::look(service, programs.get(&service.name), referenced, context),
        );
        who.recorded.insert(service.name.clone(), recorded);
        identities.push(identity);
    }
    who.processes = processes::look(
        &owners(&who.sockets),
        &identities,
        &context.users,
        &context.root,
        &context.redactor,
    );
    for service in services {
        if let Some(process) = main_process(service, &who) {
            let look = environment::of_process(
                process.pid,
                referenced,
                &context.fingerprinter,
                &context.redactor,
            );
            who.environments.insert(service.name.clone(), look);
        } else if let Some(pairs) = configured(service) {
            let look = environment::interpret(
                pairs.into_iter(),
                referenced,
                &context.fingerprinter,
                &context.redactor,
            );
            who.environments
                .insert(service.name.clone(), Observed::Known(look));
        }
    }
    who
}

/// What flowgate will give a LiteLLM that does not run: its keys are told before its next start.
fn configured(service: &ServiceConfig) -> Option<BTreeMap<String, String>> {
    let is_given = service.env_file.is_some() || !service.env.is_empty();
    if service.kind != ServiceKind::Litellm || !is_given {
        return None;
    }
    crate::supervisor::environment::of(service, &BTreeMap::new()).ok()
}

/// The process whose environment is that of the service: its recorded main process, else one of
/// its tree, else the copy of its program that somebody else runs on its port. A copy anywhere
/// else is that of another gateway.
fn main_process<'a>(service: &ServiceConfig, who: &'a Who) -> Option<&'a Process> {
    use flowgate_checks::model::Relation;
    let listens = |process: &Process| {
        let sockets = who.sockets.known().into_iter().flat_map(BTreeMap::values);
        sockets
            .filter(|socket| Some(socket.port) == service.port)
            .any(|socket| matches!(&socket.owner, Owner::Known { pids } if pids.contains(&process.pid)))
    };
    let find = |is_it: &dyn Fn(&Process, &str) -> bool| {
        who.processes
            .values()
            .filter(|process| process.state != 'Z')
            .find(|process| is_it(process, &service.name))
    };
    find(&|process, name| matches!(&process.relation, Relation::Service { service } if service == name))
        .or_else(|| find(&|process, name| matches!(&process.relation, Relation::Tree { service } if service == name)))
        .or_else(|| {
            find(&|process, name| {
                matches!(&process.relation, Relation::SameProgram { service } if service == name)
                    && listens(process)
            })
        })
}

fn identify(
    service: &ServiceConfig,
    program: Option<&Program>,
    log: &Path,
    context: &Context,
) -> ServiceIdentity {
    let interpreter = program.and_then(|program| match &program.state {
        ProgramState::File(file) => match &file.content {
            ProgramContent::Script(interpreter) => Some(context.root.resolve(&interpreter.path)),
            _ => None,
        },
        _ => None,
    });
    ServiceIdentity {
        name: service.name.clone(),
        kind: service.kind,
        program: program.map(|program| context.root.resolve(&program.path)),
        args: service.args.iter().skip(1).cloned().collect(),
        interpreter,
        log: Some(log.to_owned()),
        runs: Vec::new(),
    }
}

fn owners(sockets: &Observed<BTreeMap<String, Socket>>) -> BTreeSet<u32> {
    sockets
        .known()
        .into_iter()
        .flat_map(|sockets| sockets.values())
        .flat_map(|socket| match &socket.owner {
            Owner::Known { pids } => pids.clone(),
            Owner::Hidden { .. } => Vec::new(),
        })
        .collect()
}
