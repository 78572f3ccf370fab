//! What is to be asked: addresses, and the keys that hops really use there.

use std::sync::Arc;
use std::time::Duration;

use flowgate_checks::model::{ServiceKind, TargetRole};
use secrecy::{ExposeSecret, SecretString};

use crate::gateway::requests::{ClientKey, ReadinessPath, Request};
use crate::gateway::target::LoopbackTarget;
use crate::gather::underway::Underway;

/// Time that one request may take.
pub const DEADLINE: Duration = Duration::from_secs(2);

/// One address to ask.
#[derive(Debug, Clone)]
pub struct Target {
    /// The service whose answers these are, as named in flowgate.yaml.
    pub service: String,
    /// Which program should answer there.
    pub kind: ServiceKind,
    /// Where.
    pub at: LoopbackTarget,
    /// Why it is asked.
    pub role: TargetRole,
    /// The configured readiness path; none for addresses that only an `api_base` names.
    pub readiness_path: Option<String>,
    /// The keys that hops really use there.
    pub keys: Vec<ProbeKey>,
    /// The content of the service's `tls.cert`, when it is asked over TLS.
    pub certificate: Option<Arc<[u8]>>,
}

/// A key that a hop really uses.
#[derive(Debug, Clone)]
pub struct ProbeKey {
    /// Where it comes from, `file:line`.
    pub from: String,
    /// The key; none when that hop sends none.
    pub secret: Option<SecretString>,
}

/// Everything to ask in one look.
#[derive(Debug, Clone)]
pub struct ProbePlan {
    pub(super) targets: Vec<Target>,
    /// Time that one request may take.
    pub deadline: Duration,
    /// Where the requests that are under way are seen.
    pub underway: Underway,
}

impl Default for ProbePlan {
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            deadline: DEADLINE,
            underway: Underway::default(),
        }
    }
}

/// Whether the listener behind a target may be given a key.
///
/// That its identity is right is looked at here; who owns the socket is the caller's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// It belongs to our tree, or its socket to this user or root.
    Trusted,
    /// It does not, with the reason as a fragment.
    Withheld(String),
}

impl ProbePlan {
    /// Adds a target. One address of one service is asked once: of a second target there only the
    /// keys are taken.
    pub fn add(&mut self, target: Target) {
        let known = self
            .targets
            .iter_mut()
            .find(|known| known.service == target.service && known.at == target.at);
        match known {
            Some(known) => known.keys.extend(target.keys),
            None => self.targets.push(target),
        }
    }

    /// The targets, each address of a service once.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }
}

pub(super) fn keyless_requests(target: &Target) -> Vec<Request> {
    let readiness = target
        .readiness_path
        .as_deref()
        .and_then(|path| ReadinessPath::new(target.kind, path));
    let mut requests = match target.kind {
        ServiceKind::Litellm => vec![Request::root(), Request::liveness()],
        ServiceKind::Cliproxyapi => vec![Request::root()],
        ServiceKind::Other => Vec::new(),
    };
    let asked = |path: &ReadinessPath, requests: &[Request]| {
        requests
            .iter()
            .any(|request| request.path() == path.as_str())
    };
    // One request is answered once: a readiness path that is asked anyway is not asked again.
    requests.extend(
        readiness
            .filter(|path| !asked(path, &requests))
            .as_ref()
            .map(Request::readiness),
    );
    requests
}

/// Whether the configured readiness path is the one of a request.
pub(super) fn is_readiness(target: &Target, request: &Request) -> bool {
    target
        .readiness_path
        .as_deref()
        .and_then(|path| ReadinessPath::new(target.kind, path))
        .is_some_and(|path| path.as_str() == request.path())
}

pub(super) fn keyed_request(
    kind: ServiceKind,
    secret: Option<&SecretString>,
) -> Result<Request, &'static str> {
    match (secret, kind) {
        (Some(secret), _) => ClientKey::new(secret)
            .map(Request::models)
            .ok_or("the key is empty, or no header can carry it"),
        (None, ServiceKind::Cliproxyapi) => Ok(Request::open_models()),
        // It answers a request without a key with 500 and a traceback in its log.
        (None, _) => Err("no key is known"),
    }
}

/// Each distinct key with every place that it comes from, in the order of the plan.
pub(super) fn distinct(keys: &[ProbeKey]) -> Vec<(Option<&SecretString>, Vec<&str>)> {
    let mut groups: Vec<(Option<&SecretString>, Vec<&str>)> = Vec::new();
    for key in keys {
        let secret = key.secret.as_ref();
        let same = groups.iter_mut().find(|(known, _)| {
            known.map(ExposeSecret::expose_secret) == secret.map(ExposeSecret::expose_secret)
        });
        match same {
            Some((_, from)) => from.push(&key.from),
            None => groups.push((secret, vec![&key.from])),
        }
    }
    groups
}
