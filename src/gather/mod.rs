//! All the input and output of a look, in two waves of probes.

mod assemble;
pub mod binds;
mod changes;
mod clients;
mod configs;
mod context;
pub mod credentials;
mod deadline;
pub mod door;
mod env_files;
pub mod environment;
pub mod files;
pub mod host;
pub mod http;
pub mod logs;
pub mod management;
mod parts;
mod probes;
pub mod processes;
pub mod programs;
pub mod python;
mod redaction;
pub mod rendering;
mod secret_files;
mod services;
pub mod sockets;
mod targets;
pub mod underway;
mod unfinished;
mod who;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flowgate_checks::model::{Observed, Policy, Snapshot};
use jiff::Timestamp;
use thiserror::Error;

use configs::Wave0;
use context::Context;
use deadline::Deadline;
use underway::Underway;

pub use parts::{health, permissions};

/// What is to be gathered.
#[derive(Debug, Clone)]
pub struct Request {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// What is to be judged.
    pub policy: Policy,
    /// Bound of the whole look.
    pub timeout: Duration,
}

/// Why nothing could be gathered at all.
#[derive(Debug, Error)]
pub enum GatherError {
    /// The folder in which flowgate was called is gone.
    #[error("failed to tell the current folder: {0}; change into a folder that exists")]
    Folder(std::io::Error),
    /// No thread or no event loop is to be had.
    #[error("failed to start the probes: {0}")]
    Start(std::io::Error),
    /// The snapshot does not survive its redaction.
    #[error("failed to redact what was seen: {0}")]
    Redact(serde_json::Error),
    /// The configs did not come back in time, so there is nothing to go on.
    #[error("failed to read the configs: {0}")]
    Configs(String),
}

/// How long one probe took.
#[derive(Debug, Clone)]
pub struct Timing {
    /// The probe.
    pub probe: String,
    /// How long.
    pub elapsed: Duration,
}

/// Looks at the machine; `underway` shows meanwhile what is waited for. Nothing is written and no
/// process is started.
///
/// # Errors
/// [`GatherError`], when there is nothing to go on.
pub fn look(request: Request, underway: Underway) -> Result<(Snapshot, Vec<Timing>), GatherError> {
    run(|cwd| two_waves(request, underway, cwd))
}

/// Runs probes on an event loop of their own.
fn run<T, F: Future<Output = Result<T, GatherError>>>(
    probes: impl FnOnce(PathBuf) -> F,
) -> Result<T, GatherError> {
    let cwd = std::env::current_dir().map_err(GatherError::Folder)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(GatherError::Start)?;
    let outcome = runtime.block_on(probes(cwd));
    // A probe that is stuck in the kernel must not keep the report.
    runtime.shutdown_background();
    outcome
}

/// The two waves, after the configs on which they depend.
async fn two_waves(
    request: Request,
    underway: Underway,
    cwd: PathBuf,
) -> Result<(Snapshot, Vec<Timing>), GatherError> {
    let deadline = Deadline::after(request.timeout).shown_in(underway);
    let mut snapshot = Snapshot::new(Timestamp::now());

    // Wave 0: the configs.
    let (wave, context) = configs_of(request.config.clone(), cwd, &deadline).await?;

    // Wave 1: everything that needs no key, side by side.
    let dirs = secret_files::auth_dirs(&wave, &context);
    let log_dirs = dirs.clone();
    let ((programs, who, confirmed), binds, tokens, files, host, events, clients, keyless) = tokio::join!(
        probes::who_and_management(&wave, &context, &deadline),
        probes::binds(&wave, &deadline),
        probes::tokens(dirs.clone(), &context, &deadline),
        probes::files(dirs, &wave, &context, &deadline),
        probes::host(&wave, &context, &deadline),
        probes::logins(&wave, &context, &deadline),
        probes::clients(&wave, &context, &deadline),
        probes::keyless(&wave, &context, &deadline),
    );

    // Wave 2: keys, to those to whom they may go; and what can only be told when every secret is known.
    let ((answers, management), logs) = tokio::join!(
        probes::keyed(keyless, confirmed, who.known(), &wave, &context, &deadline),
        probes::exposed_logs(log_dirs, &wave, &context, &deadline),
    );

    snapshot.tool = assemble::tool(request.config.as_deref());
    snapshot.policy = request.policy;
    snapshot.paths = assemble::paths(&wave, &context);
    snapshot.profiles = wave.profiles.clone();
    snapshot.configs = wave.configs.clone();
    snapshot.services = services::assemble(&wave, &programs, &who, &context);
    snapshot.environment = assemble::environment(&wave, &context);
    snapshot.credentials =
        assemble::credentials(&wave, tokens, events, binds.callbacks, management);
    snapshot.binds = binds.services;
    snapshot.files = files;
    snapshot.files.extend(logs);
    snapshot.host = host;
    snapshot.clients = clients;
    snapshot.probes = answers;
    assemble::who(who, &mut snapshot);
    Ok((redact(snapshot, &context)?, deadline.timings()))
}

/// The configs, and the context of the gateway that they describe.
async fn configs_of(
    explicit: Option<PathBuf>,
    cwd: PathBuf,
    deadline: &Deadline,
) -> Result<(Arc<Wave0>, Arc<Context>), GatherError> {
    let read = deadline.blocking("configs", move || {
        let (path, tried, context) = configs::discover(explicit, &cwd);
        (configs::read(&path, &tried, &context), context)
    });
    match read.await {
        Observed::Known((wave, context)) => Ok((Arc::new(wave), Arc::new(context))),
        Observed::Unknown(unknown) => Err(GatherError::Configs(unknown.why)),
        Observed::NotAsked => Err(GatherError::Configs("nobody looked".into())),
    }
}

/// One redactor over all text, when every secret has been read.
fn redact(snapshot: Snapshot, context: &Context) -> Result<Snapshot, GatherError> {
    redaction::clean(snapshot, &context.redactor).map_err(GatherError::Redact)
}
