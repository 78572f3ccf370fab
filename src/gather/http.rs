//! What answers over HTTP: keyless requests first, keys only to whom they belong.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flowgate_checks::model::{Answer, Identity, KeyedAnswer, Observed, ServiceKind, TargetProbes};
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinSet;

use crate::gateway::classify::parse_models;
use crate::gateway::client::{Exchange, ProbeClient};
use crate::gateway::requests::{Purpose, Request};
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::redact::Redactor;

mod plan;

pub use plan::{DEADLINE, ProbeKey, ProbePlan, Target, Trust};
use plan::{distinct, is_readiness, keyed_request, keyless_requests};

/// What was asked, and how long it took.
#[derive(Debug, Default)]
pub struct Probes {
    /// The answers: service, then `address:port`.
    pub answers: BTreeMap<String, BTreeMap<String, TargetProbes>>,
    /// One row per request, in the order of the plan.
    pub timings: Vec<Timing>,
}

/// How long one probe took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// What: `litellm 127.0.0.1:4000 GET /`.
    pub probe: String,
    /// How long.
    pub took: Duration,
}

/// Wave 1: every keyless request of every target, side by side.
pub async fn ask_keyless(plan: &ProbePlan, redactor: &Arc<Redactor>) -> Probes {
    let mut probes = Probes::default();
    let jobs = plan.targets.iter().flat_map(|target| {
        probes.entry(target);
        keyless_requests(target)
            .into_iter()
            .map(move |request| (target, request))
    });
    let jobs: Vec<(&Target, Request)> = jobs.collect();
    for ((target, request), done) in ask_all(plan, jobs, redactor).await {
        let answer = observed(&done);
        probes.note(target, &request, &done);
        let entry = probes.entry(target);
        if is_readiness(target, &request) {
            entry.readiness = answer.clone();
        }
        match request.row().purpose {
            Purpose::Liveness => entry.liveness = answer,
            Purpose::Readiness => {}
            _ => entry.root = answer,
        }
    }
    probes
}

/// Wave 2: `GET /v1/models` with each distinct key, only where the identity is right and the
/// listener is trusted; else why not is said in `withheld`.
pub async fn ask_keyed(
    plan: &ProbePlan,
    trust: impl Fn(&Target) -> Trust,
    fingerprinter: &Fingerprinter,
    redactor: &Arc<Redactor>,
    probes: &mut Probes,
) {
    let mut jobs = Vec::new();
    let mut origins = Vec::new();
    for target in plan.targets.iter().filter(|target| !target.keys.is_empty()) {
        if let Some(why) = withheld(target, probes, trust(target)) {
            probes.entry(target).withheld = Some(why);
            continue;
        }
        for (secret, from) in distinct(&target.keys) {
            match keyed_request(target.kind, secret) {
                Ok(request) => {
                    jobs.push((target, request));
                    origins.push((secret, from));
                }
                Err(why) => {
                    let answer = Observed::unknown(why);
                    let keyed = keyed(secret, answer, Observed::NotAsked, fingerprinter);
                    add_keyed(probes.entry(target), &from, &keyed);
                }
            }
        }
    }
    let answers = ask_all(plan, jobs, redactor).await;
    for (((target, request), done), (secret, from)) in answers.into_iter().zip(origins) {
        probes.note(target, &request, &done);
        let models = match &done.exchange {
            Some(exchange) if exchange.answer.is_success() => parse_models(&exchange.body)
                .map_or_else(
                    || Observed::unknown("answer is no list of models"),
                    Observed::Known,
                ),
            _ => Observed::NotAsked,
        };
        let keyed = keyed(secret, observed(&done), models, fingerprinter);
        add_keyed(probes.entry(target), &from, &keyed);
    }
}

/// Why no key may go to a target; none when it may.
pub fn withheld(target: &Target, probes: &Probes, trust: Trust) -> Option<String> {
    let identity = probes
        .answers
        .get(&target.service)
        .and_then(|answers| answers.get(&target.at.to_string()))
        .map_or(Identity::Silent, TargetProbes::identity);
    match (identity, target.kind) {
        (Identity::Litellm, ServiceKind::Litellm)
        | (Identity::Cliproxyapi, ServiceKind::Cliproxyapi) => match trust {
            Trust::Trusted => None,
            Trust::Withheld(why) => Some(why),
        },
        (Identity::Silent, _) => Some("nobody answers there".into()),
        (_, ServiceKind::Litellm) => Some("what answers there is not LiteLLM".into()),
        (_, ServiceKind::Cliproxyapi) => Some("what answers there is not CLIProxyAPI".into()),
        (_, ServiceKind::Other) => Some("keys go to LiteLLM and CLIProxyAPI only".into()),
    }
}

fn keyed(
    secret: Option<&SecretString>,
    answer: Observed<Answer>,
    models: Observed<Vec<String>>,
    fingerprinter: &Fingerprinter,
) -> KeyedAnswer {
    KeyedAnswer {
        key_from: String::new(),
        key: secret.map(|secret| fingerprinter.of(secret.expose_secret().trim())),
        answer,
        models,
    }
}

/// What came of one job, and how long it took.
struct Done {
    exchange: Option<Exchange>,
    took: Duration,
    why: String,
}

fn observed(done: &Done) -> Observed<Answer> {
    match &done.exchange {
        Some(exchange) => Observed::Known(exchange.answer.clone()),
        None => Observed::unknown(done.why.clone()),
    }
}

/// Sends all requests side by side, each within the deadline; results in the order of the jobs.
async fn ask_all<'a>(
    plan: &ProbePlan,
    jobs: Vec<(&'a Target, Request)>,
    redactor: &Arc<Redactor>,
) -> Vec<((&'a Target, Request), Done)> {
    let mut clients = Clients::new(plan.deadline);
    let mut running = JoinSet::new();
    let mut done: Vec<Done> = Vec::new();
    for (index, (target, request)) in jobs.iter().enumerate() {
        done.push(Done {
            exchange: None,
            took: Duration::ZERO,
            why: "the request was broken off".into(),
        });
        let client = match clients.of(target) {
            Ok(client) => client,
            Err(why) => {
                done[index].why = why;
                continue;
            }
        };
        let (at, request, redactor) = (target.at, request.clone(), Arc::clone(redactor));
        let going = plan.underway.begin(&name(target, &request));
        running.spawn(async move {
            let began = Instant::now();
            let _going = going;
            let exchange = client.ask(at, &request, &redactor).await;
            (index, exchange, began.elapsed())
        });
    }
    while let Some(joined) = running.join_next().await {
        if let Ok((index, exchange, took)) = joined {
            done[index].exchange = Some(exchange);
            done[index].took = took;
        }
    }
    jobs.into_iter().zip(done).collect()
}

/// One client per certificate.
struct Clients {
    deadline: Duration,
    made: Vec<(Option<Arc<[u8]>>, ProbeClient)>,
}

impl Clients {
    fn new(deadline: Duration) -> Self {
        Self {
            deadline,
            made: Vec::new(),
        }
    }

    fn of(&mut self, target: &Target) -> Result<ProbeClient, String> {
        let wanted = target.certificate.as_ref().filter(|_| target.at.is_tls());
        let known = self.made.iter().find(|(have, _)| have.as_ref() == wanted);
        if let Some((_, client)) = known {
            return Ok(client.clone());
        }
        let client = ProbeClient::new(self.deadline, wanted.map(AsRef::as_ref))
            .map_err(|error| error.to_string())?;
        self.made.push((wanted.cloned(), client.clone()));
        Ok(client)
    }
}

impl Probes {
    fn entry(&mut self, target: &Target) -> &mut TargetProbes {
        self.answers
            .entry(target.service.clone())
            .or_default()
            .entry(target.at.to_string())
            .or_insert_with(|| TargetProbes {
                role: target.role,
                root: Observed::NotAsked,
                liveness: Observed::NotAsked,
                readiness: Observed::NotAsked,
                models: BTreeMap::new(),
                withheld: None,
            })
    }

    fn note(&mut self, target: &Target, request: &Request, done: &Done) {
        self.timings.push(Timing {
            probe: name(target, request),
            took: done.took,
        });
    }
}

/// The name of a probe: `litellm 127.0.0.1:4000 GET /v1/models`.
fn name(target: &Target, request: &Request) -> String {
    format!("{} {} {}", target.service, target.at, request.describe())
}

/// Adds the answer to one key under each of its origins.
fn add_keyed(target: &mut TargetProbes, from: &[&str], keyed: &KeyedAnswer) {
    for from in from {
        let answer = KeyedAnswer {
            key_from: (*from).to_owned(),
            ..keyed.clone()
        };
        target.models.insert((*from).to_owned(), answer);
    }
}
