//! The way of a login to the management API: the same looks and the same rules as those of the
//! doctor, so that a key goes where the doctor would send it and nowhere else.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flowgate_checks::model::{
    AuthDirRole, Identity, Management, Observed, Owner, ServiceKind, TargetProbes,
};
use flowgate_checks::state;

use super::configs::Wave0;
use super::deadline::Deadline;
use super::http::{self, Probes, Target};
use super::who::Who;
use super::{GatherError, configs_of, probes, run, secret_files, targets};
use crate::config::cliproxyapi::SecretKey;
use crate::config::service::ServiceConfig;
use crate::gateway::management::ConfirmedKey;
use crate::gateway::target::LoopbackTarget;
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::place::Root;
use crate::sys::redact::Redactor;

/// What a login stands on.
pub struct Ground {
    /// The service that logs in, as flowgate.yaml has it; none where it has no such service.
    pub service: Option<ServiceConfig>,
    /// The auth dirs, the one that the service reads first.
    pub auth_dirs: Vec<(PathBuf, AuthDirRole)>,
    /// The way to its management API, or why there is none.
    pub door: Result<Door, Closed>,
    /// How paths are shown.
    pub root: Root,
    /// Makes the fingerprints.
    pub fingerprinter: Fingerprinter,
    /// Knows every secret that was read.
    pub redactor: Arc<Redactor>,
}

/// An open way to the management API.
pub struct Door {
    /// Where.
    pub at: LoopbackTarget,
    /// The certificate that is accepted there.
    pub certificate: Option<Arc<[u8]>>,
    /// A key that is proven right.
    pub key: ConfirmedKey,
    /// The process behind it: pid and start time; none where that cannot be seen.
    pub process: Option<(u32, u64)>,
}

/// Why there is no way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// Nobody answers as CLIProxyAPI at the configured address, with the reason as a fragment.
    NotServing(String),
    /// What answers there may not be given a key.
    Stranger(String),
    /// There is no management API: neither a secret-key nor a password.
    Off,
    /// flowgate keeps no key, and cannot read one.
    NoKey,
    /// The kept key is not the one of the running service.
    WrongKey,
    /// Whether the key is right could not be told.
    Untold(String),
}

/// Looks who answers at the configured address and whether the kept key is right. Nothing is
/// written, and nothing is sent but the question who is there.
///
/// # Errors
/// [`GatherError`], when there is nothing to go on.
pub fn look(config: Option<PathBuf>, timeout: Duration) -> Result<Ground, GatherError> {
    run(async |cwd| {
        let deadline = Deadline::after(timeout);
        let (wave, context) = configs_of(config, cwd, &deadline).await?;
        let ((_, who, confirmed), answers) = tokio::join!(
            probes::who_and_management(&wave, &context, &deadline),
            probes::keyless(&wave, &context, &deadline),
        );
        let target = targets::proxy(&wave, &context);
        let door = match way(target.as_ref(), &answers, who.known()) {
            Err(closed) => Err(closed),
            Ok(target) => {
                let (management, key) = confirmed.into_parts();
                key.map(|key| Door {
                    at: target.at,
                    certificate: target.certificate.clone(),
                    process: who.known().and_then(|who| holder(target, who)),
                    key,
                })
                .ok_or_else(|| without_key(&wave, &management))
            }
        };
        Ok(Ground {
            service: wave.service(ServiceKind::Cliproxyapi).cloned(),
            auth_dirs: secret_files::auth_dirs(&wave, &context),
            door,
            root: context.root.clone(),
            fingerprinter: Fingerprinter::load(&context.secrets_dir.join("fingerprint.key")),
            redactor: Arc::clone(&context.redactor),
        })
    })
}

/// The address, when who answers there may be given a key.
fn way<'a>(
    target: Option<&'a Target>,
    answers: &Probes,
    who: Option<&Who>,
) -> Result<&'a Target, Closed> {
    let Some(target) = target else {
        return Err(Closed::NotServing(
            "flowgate.yaml names no loopback address of it".into(),
        ));
    };
    let identity = answers
        .answers
        .get(&target.service)
        .and_then(|answers| answers.get(&target.at.to_string()))
        .map_or(Identity::Silent, TargetProbes::identity);
    match http::withheld(target, answers, probes::trust(target, who)) {
        None => Ok(target),
        Some(why) if identity == Identity::Cliproxyapi => Err(Closed::Stranger(why)),
        Some(why) => Err(Closed::NotServing(format!("{}: {why}", target.at))),
    }
}

fn without_key(wave: &Wave0, management: &Management) -> Closed {
    let config = wave.cliproxyapi.as_ref();
    let has_no_secret = config.is_some_and(|config| matches!(config.secret_key, SecretKey::Absent));
    let has_no_password = management.password_in_environment == Observed::Known(false);
    match &management.key_confirmed {
        Observed::Known(_) | Observed::NotAsked if has_no_secret && has_no_password => Closed::Off,
        Observed::Known(_) => Closed::WrongKey,
        Observed::Unknown(unknown) => Closed::Untold(unknown.why.clone()),
        Observed::NotAsked => Closed::NoKey,
    }
}

/// The process that holds the socket at an address.
fn holder(target: &Target, who: &Who) -> Option<(u32, u64)> {
    let address = target.at.address();
    let sockets = who.sockets.known()?;
    let socket = sockets.values().find(|socket| {
        socket.port == address.port() && state::meets(&socket.address, &address.ip().to_string())
    })?;
    let Owner::Known { pids } = &socket.owner else {
        return None;
    };
    let process = pids.iter().find_map(|pid| who.processes.get(pid))?;
    Some((process.pid, process.start_time))
}
