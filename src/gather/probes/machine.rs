//! Bind tests, token files, modes, the machine and the event log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use flowgate_checks::model::{
    AuthDir, AuthDirRole, BindReport, BindState, CallbackPort, ClientConfig, FileFacts, Host,
    LoginEvent, Observed, ServiceKind,
};
use flowgate_checks::routes;

use crate::config::service::ServiceConfig;
use crate::gather::configs::Wave0;
use crate::gather::context::Context;
use crate::gather::credentials::{self, TokenFiles};
use crate::gather::deadline::Deadline;
use crate::gather::{binds, clients, files, host, secret_files};
use crate::supervisor::records;

/// Bind tests.
#[derive(Default)]
pub struct Binds {
    /// By service.
    pub services: BTreeMap<String, BindReport>,
    /// Callback ports by provider.
    pub callbacks: BTreeMap<String, CallbackPort>,
}

/// What the services and the logins could bind; unknown at each address when the tests do not
/// come back.
pub async fn binds(wave: &Arc<Wave0>, deadline: &Deadline) -> Binds {
    let shared = Arc::clone(wave);
    let tested = deadline.blocking("bind tests", move || {
        let ports: BTreeSet<u16> = ports(&shared).map(|(_, port)| port).collect();
        Binds {
            services: ports_of(&shared, |service, port| {
                own_host(&shared, service, port)
                    .unwrap_or_else(|| binds::test(service.kind, &service.host, port, &ports))
            }),
            callbacks: callbacks(&shared, binds::test_loopbacks),
        }
    });
    match tested.await {
        Observed::Known(tested) => tested,
        Observed::Unknown(unknown) => {
            let state = || BindState::Unknown {
                why: unknown.why.clone(),
            };
            Binds {
                services: ports_of(wave, |service, _| BindReport {
                    addresses: BTreeMap::from([(service.host.clone(), state())]),
                    next_free_port: None,
                }),
                callbacks: callbacks(wave, |_| BTreeMap::from([("127.0.0.1".into(), state())])),
            }
        }
        Observed::NotAsked => Binds::default(),
    }
}

/// The bind test of the host in the file of CLIProxyAPIPlus, which it binds whatever flowgate.yaml says:
/// only where that host can be bound by nobody.
fn own_host(wave: &Wave0, service: &ServiceConfig, port: u16) -> Option<BindReport> {
    let own = wave.cliproxyapi.as_ref()?;
    if service.kind != ServiceKind::Cliproxyapi
        || own.host == service.host
        || is_bare_ipv6(&own.host)
    {
        return None;
    }
    let report = binds::test(service.kind, &own.host, port, &BTreeSet::new());
    let is_nowhere =
        |state: &BindState| matches!(state, BindState::NotAvailable | BindState::Invalid { .. });
    report.addresses.values().all(is_nowhere).then_some(report)
}

/// An IPv6 address without brackets is a fault of its spelling, whatever the machine has.
fn is_bare_ipv6(host: &str) -> bool {
    host.contains(':') && !host.starts_with('[')
}

fn ports(wave: &Wave0) -> impl Iterator<Item = (&ServiceConfig, u16)> {
    wave.services()
        .filter_map(|service| Some((service, service.port?)))
}

fn ports_of(
    wave: &Wave0,
    test: impl Fn(&ServiceConfig, u16) -> BindReport,
) -> BTreeMap<String, BindReport> {
    ports(wave)
        .map(|(service, port)| (service.name.clone(), test(service, port)))
        .collect()
}

fn callbacks(
    wave: &Wave0,
    test: impl Fn(u16) -> BTreeMap<String, BindState>,
) -> BTreeMap<String, CallbackPort> {
    let providers = wave
        .flowgate
        .iter()
        .flat_map(|config| config.providers.keys());
    providers
        .filter_map(|provider| {
            let port = routes::callback_port(provider)?;
            Some((
                provider.clone(),
                CallbackPort {
                    port,
                    addresses: test(port),
                },
            ))
        })
        .collect()
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
        let mut found = credentials::look(
            &asked,
            &shared.root,
            &shared.fingerprinter,
            &shared.redactor,
        );
        found.elsewhere = credentials::look_elsewhere(
            &asked,
            &shared.root,
            &shared.fingerprinter,
            &shared.redactor,
        );
        found
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

/// The logs that others may read, and whether a known secret stands in their end. To be asked when every
/// secret has been read.
pub async fn exposed_logs(
    dirs: Vec<(PathBuf, AuthDirRole)>,
    wave: &Arc<Wave0>,
    context: &Arc<Context>,
    deadline: &Deadline,
) -> BTreeMap<String, Observed<FileFacts>> {
    let (wave, shared) = (Arc::clone(wave), Arc::clone(context));
    let looked = deadline.blocking("logs with secrets", move || {
        let places = secret_files::logs(&wave, &dirs, &shared);
        let wanted = files::with_secrets(&places, &shared.redactor);
        files::look(&wanted, &shared.users, &shared.root)
    });
    // A log that nobody could look through in time is not known to hold anything.
    looked.await.known_or_default()
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
            &shared.root.resolve(&wave.configs.flowgate.path),
            &shared.users,
            &shared.root,
        )
    });
    // Who asks is known at any rate: without it every file would seem to be another user's.
    match looked.await {
        Observed::Known(host) => host,
        Observed::Unknown(_) | Observed::NotAsked => Host {
            user: context.users.current(),
            ..Host::default()
        },
    }
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

/// The clients whose config flowgate wrote.
pub async fn clients(
    wave: &Arc<Wave0>,
    context: &Arc<Context>,
    deadline: &Deadline,
) -> BTreeMap<String, ClientConfig> {
    let (wave, context) = (Arc::clone(wave), Arc::clone(context));
    let looked = deadline.blocking("clients", move || clients::look(&wave, &context));
    looked.await.known_or_default()
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
