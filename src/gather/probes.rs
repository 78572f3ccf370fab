//! The probe families of the two waves, each under the deadline of the look.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use flowgate_checks::model::{
    AuthDir, AuthDirRole, BindReport, CallbackPort, FileFacts, Host, LoginEvent, Management,
    Observed, Owner, Program, ServiceKind, TargetProbes,
};
use flowgate_checks::routes;

use super::configs::Wave0;
use super::context::Context;
use super::credentials::{self, TokenFiles};
use super::deadline::Deadline;
use super::http::{self, ProbePlan, Probes, Target, Trust};
use super::management::{self, ConfirmedManagement, ManagementPlan};
use super::programs::CommandLine;
use super::targets::Variables;
use super::who::{self, Who};
use super::{binds, files, host, programs, secret_files, targets};
use crate::config::cliproxyapi::SecretKey;
use crate::config::service::ServiceConfig;
use crate::supervisor::records;

/// Bind tests.
#[derive(Default)]
pub struct Binds {
    /// By service.
    pub services: BTreeMap<String, BindReport>,
    /// Callback ports by provider.
    pub callbacks: BTreeMap<String, CallbackPort>,
}

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
    let confirmed = confirm(wave, &who, context, deadline).await;
    (programs, who, confirmed)
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

/// What the services and the logins could bind.
pub async fn binds(wave: &Arc<Wave0>, deadline: &Deadline) -> Binds {
    let wave = Arc::clone(wave);
    let tested = deadline.blocking("bind tests", move || {
        let mut tested = Binds::default();
        let ports: BTreeSet<u16> = wave.services().filter_map(|service| service.port).collect();
        for service in wave.services() {
            if let Some(port) = service.port {
                let report = binds::test(service.kind, &service.host, port, &ports);
                tested.services.insert(service.name.clone(), report);
            }
        }
        for provider in wave
            .flowgate
            .iter()
            .flat_map(|config| config.providers.keys())
        {
            if let Some(port) = routes::callback_port(provider) {
                let addresses = binds::test_loopbacks(port);
                tested
                    .callbacks
                    .insert(provider.clone(), CallbackPort { port, addresses });
            }
        }
        tested
    });
    // Without a test nothing is said about a port, and the checks say that nobody looked.
    tested.await.known_or_default()
}

/// The token files.
pub async fn tokens(
    dirs: Vec<(PathBuf, AuthDirRole)>,
    context: &Arc<Context>,
    deadline: &Deadline,
) -> TokenFiles {
    let shared = Arc::clone(context);
    let asked = dirs.clone();
    let looked = deadline.blocking("token files", move || {
        credentials::look(
            &asked,
            &shared.root,
            &shared.fingerprinter,
            &shared.redactor,
        )
    });
    match looked.await {
        Observed::Known(found) => found,
        Observed::Unknown(unknown) => TokenFiles {
            auth_dirs: dirs
                .iter()
                .map(|(dir, role)| AuthDir {
                    path: context.show(dir),
                    role: *role,
                    listing: Observed::Unknown(unknown.clone()),
                    exists: true,
                })
                .collect(),
            ..TokenFiles::default()
        },
        Observed::NotAsked => TokenFiles::default(),
    }
}

/// Modes and owners.
pub async fn files(
    dirs: Vec<(PathBuf, AuthDirRole)>,
    wave: &Arc<Wave0>,
    context: &Arc<Context>,
    deadline: &Deadline,
) -> BTreeMap<String, Observed<FileFacts>> {
    let (wave, shared) = (Arc::clone(wave), Arc::clone(context));
    let looked = deadline.blocking("files", move || {
        let dirs: Vec<PathBuf> = dirs.into_iter().map(|(dir, _)| dir).collect();
        let wanted = secret_files::wanted(&wave, &dirs, &shared);
        files::look(&wanted, &shared.users, &shared.root)
    });
    match looked.await {
        Observed::Known(found) => found,
        Observed::Unknown(unknown) => BTreeMap::from([(".".into(), Observed::Unknown(unknown))]),
        Observed::NotAsked => BTreeMap::new(),
    }
}

/// The machine.
pub async fn host(wave: &Arc<Wave0>, context: &Arc<Context>, deadline: &Deadline) -> Host {
    let (wave, shared) = (Arc::clone(wave), Arc::clone(context));
    let looked = deadline.blocking("host", move || {
        let runtime = wave
            .flowgate
            .as_ref()
            .map(|config| config.paths.runtime_dir.clone());
        host::look(
            runtime.as_deref().unwrap_or(shared.root.path()),
            &shared.users,
            &shared.root,
        )
    });
    looked.await.known_or_default()
}

/// The last login of each provider.
pub async fn logins(
    wave: &Arc<Wave0>,
    context: &Arc<Context>,
    deadline: &Deadline,
) -> BTreeMap<String, LoginEvent> {
    let Some(log) = wave
        .flowgate
        .as_ref()
        .map(|config| config.paths.log_file.clone())
    else {
        return BTreeMap::new();
    };
    let shared = Arc::clone(context);
    let looked = deadline.blocking("events", move || {
        records::last_logins(&log, &shared.root, &shared.redactor)
    });
    looked.await.known_or_default().known_or_default()
}

/// HTTP without a key.
pub async fn keyless(wave: &Arc<Wave0>, context: &Arc<Context>, deadline: &Deadline) -> Probes {
    let mut plan = targets::addresses(wave, context);
    plan.deadline = plan.deadline.min(deadline.left());
    let probes = http::ask_keyless(&plan, &context.redactor).await;
    note(&probes, deadline, 0);
    probes
}

/// HTTP with keys, the one management request, and the ports to which a service drifted.
pub async fn keyed(
    mut probes: Probes,
    confirmed: ConfirmedManagement,
    who: Option<&Who>,
    wave: &Wave0,
    context: &Context,
    deadline: &Deadline,
) -> (BTreeMap<String, BTreeMap<String, TargetProbes>>, Management) {
    let variables = litellm_variables(who, wave);
    let mut plan = targets::with_keys(wave, &variables, context);
    plan.deadline = plan.deadline.min(deadline.left());
    let trust = |target: &Target| trust(target, who);
    let at_proxy = plan
        .targets()
        .iter()
        .find(|target| target.kind == ServiceKind::Cliproxyapi)
        .cloned();
    let asked_before = probes.timings.len();
    let withheld = at_proxy
        .as_ref()
        .and_then(|target| http::withheld(target, &probes, trust(target)));
    let ask_management = async {
        match at_proxy {
            Some(target) => {
                let certificate = target.certificate.as_deref();
                management::ask(
                    confirmed,
                    target.at,
                    certificate,
                    withheld,
                    plan.deadline,
                    &context.redactor,
                )
                .await
            }
            None => confirmed.management,
        }
    };
    let ask_keyed = http::ask_keyed(
        &plan,
        trust,
        &context.fingerprinter,
        &context.redactor,
        &mut probes,
    );
    let ask_drifted = drifted(who, wave, &variables, context, deadline);
    let (management, (), drifted) = tokio::join!(
        deadline.awaited("management request", ask_management),
        ask_keyed,
        ask_drifted
    );
    note(&probes, deadline, asked_before);
    let mut answers = probes.answers;
    for (service, targets) in drifted.answers {
        answers.entry(service).or_default().extend(targets);
    }
    (answers, management.unwrap_or_default())
}

/// Asks our own services at the ports where they really listen.
async fn drifted(
    who: Option<&Who>,
    wave: &Wave0,
    variables: &Variables,
    context: &Context,
    deadline: &Deadline,
) -> Probes {
    let Some(who) = who else {
        return Probes::default();
    };
    let mut plan = ProbePlan::default();
    plan.deadline = plan.deadline.min(deadline.left());
    for socket in who
        .sockets
        .known()
        .into_iter()
        .flat_map(|sockets| sockets.values())
    {
        let Owner::Known { pids } = &socket.owner else {
            continue;
        };
        let owner = pids.iter().find_map(|pid| who.processes.get(pid)?.serves());
        let service = wave
            .services()
            .find(|service| Some(service.name.as_str()) == owner);
        if let Some(service) = service
            && service.port != Some(socket.port)
            && let Some(target) = targets::drifted(
                service,
                &socket.address,
                socket.port,
                wave,
                variables,
                context,
            )
        {
            plan.add(target);
        }
    }
    let mut probes = http::ask_keyless(&plan, &context.redactor).await;
    let trust = |_: &Target| Trust::Trusted;
    http::ask_keyed(
        &plan,
        trust,
        &context.fingerprinter,
        &context.redactor,
        &mut probes,
    )
    .await;
    note(&probes, deadline, 0);
    probes
}

fn note(probes: &Probes, deadline: &Deadline, from: usize) {
    for timing in &probes.timings[from..] {
        deadline.note(&timing.probe, timing.took);
    }
}

fn litellm_variables(who: Option<&Who>, wave: &Wave0) -> Variables {
    wave.service(ServiceKind::Litellm)
        .and_then(|service| who?.environments.get(&service.name)?.known())
        .map(|look| look.secrets.clone())
        .unwrap_or_default()
}

/// A key goes to a listener of our tree, or to one whose socket belongs to this user or root.
fn trust(target: &Target, who: Option<&Who>) -> Trust {
    let Some(sockets) = who.and_then(|who| who.sockets.known()) else {
        return Trust::Withheld("who listens there could not be looked at".into());
    };
    let address = target.at.address();
    let meets = |bound: &str| {
        flowgate_checks::state::meets(bound, &address.ip().to_string())
            || flowgate_checks::state::meets(&address.ip().to_string(), bound)
    };
    let mine = rustix::process::geteuid().as_raw();
    let mut found = false;
    for socket in sockets
        .values()
        .filter(|socket| socket.port == address.port() && meets(&socket.address))
    {
        found = true;
        let stranger = match &socket.owner {
            Owner::Hidden { uid } => (![mine, 0].contains(uid)).then(|| format!("uid {uid}")),
            Owner::Known { pids } => pids
                .iter()
                .filter_map(|pid| who?.processes.get(pid))
                .find(|process| process.serves().is_none() && ![mine, 0].contains(&process.uid))
                .map(|process| format!("user {}", process.user)),
        };
        if let Some(stranger) = stranger {
            return Trust::Withheld(format!("the listener belongs to {stranger}"));
        }
    }
    if found {
        Trust::Trusted
    } else {
        Trust::Withheld("nobody listens there any more".into())
    }
}

/// The value, or the empty one where nobody could look.
trait KnownOrDefault<T> {
    fn known_or_default(self) -> T;
}

impl<T: Default> KnownOrDefault<T> for Observed<T> {
    fn known_or_default(self) -> T {
        match self {
            Self::Known(value) => value,
            Self::Unknown(_) | Self::NotAsked => T::default(),
        }
    }
}
