//! What the requests of a look would have been answered, from the recorder's requests.

use std::collections::BTreeMap;

use flowgate::gateway::classify::{classify, parse_models};
use flowgate::gateway::excerpt::{excerpt, one_line};
use flowgate::gateway::requests::{ClientKey, ReadinessPath, Request};
use flowgate::gather::http::{DEADLINE, Probes, Target, Trust, withheld};
use flowgate_checks::model::{
    Answer, KeyedAnswer, Observed, Outcome, Owner, ServiceKind, TargetProbes,
};
use flowgate_checks::state::meets;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::recording::{Exchange, USER};
use crate::stage::Stage;
use crate::who::Who;

/// The key of the recorder that no service accepts.
const WRONG: &str = "sk-lab-wrong";

/// The answers of all targets, keyless ones first, keys only to whom they belong.
pub fn of(stage: &Stage<'_>, who: &Who, targets: &[Target]) -> Probes {
    let mut probes = Probes::default();
    for target in targets {
        let entry = keyless(stage, who, target);
        let answers = probes.answers.entry(target.service.clone()).or_default();
        answers.insert(target.at.to_string(), entry);
    }
    for target in targets.iter().filter(|target| !target.keys.is_empty()) {
        let why = withheld(target, &probes, trust(who, target));
        let answers = probes.answers.get_mut(&target.service).unwrap();
        let entry = answers.get_mut(&target.at.to_string()).unwrap();
        if why.is_some() {
            entry.withheld = why;
            continue;
        }
        for key in &target.keys {
            let secret = key.secret.as_ref().unwrap();
            let keyed = keyed(stage, who, target, &key.from, secret);
            entry.models.insert(key.from.clone(), keyed);
        }
    }
    probes
}

fn keyless(stage: &Stage<'_>, who: &Who, target: &Target) -> TargetProbes {
    let ask = |request: &Request| answer(stage, who, target, request, None).0;
    let readiness = target
        .readiness_path
        .as_deref()
        .and_then(|path| ReadinessPath::new(target.kind, path));
    TargetProbes {
        role: target.role,
        root: ask(&Request::root()),
        liveness: match target.kind {
            ServiceKind::Litellm => ask(&Request::liveness()),
            _ => Observed::NotAsked,
        },
        readiness: readiness.map_or(Observed::NotAsked, |path| ask(&Request::readiness(&path))),
        models: BTreeMap::new(),
        withheld: None,
    }
}

fn keyed(
    stage: &Stage<'_>,
    who: &Who,
    target: &Target,
    from: &str,
    secret: &SecretString,
) -> KeyedAnswer {
    let request = Request::models(ClientKey::new(secret).unwrap());
    let key = secret.expose_secret();
    let (mut answer_to_key, mut body) = answer(stage, who, target, &request, Some(key));
    if answer_to_key.is_not_asked() {
        // The recorder never sent this one. A key that the service does not know is like another.
        (answer_to_key, body) = answer(stage, who, target, &request, Some(WRONG));
    }
    let is_list = answer_to_key.known().is_some_and(Answer::is_success);
    let models = body
        .filter(|_| is_list)
        .and_then(|body| parse_models(&body));
    KeyedAnswer {
        key_from: from.to_owned(),
        key: Some(stage.fingerprinter.of(key)),
        answer: answer_to_key,
        models: models.map_or(Observed::NotAsked, Observed::Known),
    }
}

/// What a request was answered, with the body; nothing that the recorder did not ask is made up, but
/// that a port where nobody listens refuses.
pub fn answer(
    stage: &Stage<'_>,
    who: &Who,
    target: &Target,
    request: &Request,
    key: Option<&str>,
) -> (Observed<Answer>, Option<Vec<u8>>) {
    let is_there = is_there(who, target);
    let url = format!("http://{}{}", target.at, request.path());
    let answer = |outcome, ms: f64| {
        Observed::Known(Answer {
            request: request.describe(),
            outcome,
            latency_ms: ms.round() as u64,
        })
    };
    match find(stage, &url, key, is_there) {
        Some(exchange) => {
            let body = exchange.body.clone().map(String::into_bytes);
            let outcome = outcome(stage, request, exchange);
            // The recorder waited longer than a look does.
            let longest = match outcome {
                Outcome::Timeout => DEADLINE.as_secs_f64() * 1000.0,
                _ => f64::MAX,
            };
            (answer(outcome, exchange.ms.min(longest)), body)
        }
        None if !is_there => (answer(Outcome::Refused, 0.0), None),
        None => (Observed::NotAsked, None),
    }
}

/// The last such request until the moment. Where there is none yet, the first one after it tells the
/// same of a service that listened already.
fn find<'a>(
    stage: &'a Stage<'_>,
    url: &str,
    key: Option<&str>,
    is_there: bool,
) -> Option<&'a Exchange> {
    let t = stage.recording.moment.t;
    let is_it = |exchange: &&Exchange| {
        exchange.method == "GET" && exchange.url == url && exchange.key() == key
    };
    let all = stage.recording.exchanges.iter();
    let before = all.clone().filter(is_it).rfind(|exchange| exchange.t <= t);
    before.or_else(|| all.filter(is_it).find(|_| is_there))
}

fn is_there(who: &Who, target: &Target) -> bool {
    let address = target.at.address();
    let ip = address.ip().to_string();
    let mut sockets = who.sockets.known().into_iter().flatten();
    sockets.any(|(_, socket)| socket.port == address.port() && meets(&ip, &socket.address))
}

fn outcome(stage: &Stage<'_>, request: &Request, exchange: &Exchange) -> Outcome {
    let Some(status) = exchange.status else {
        let error = exchange.error.as_deref().unwrap();
        return match error.split(':').next() {
            Some("ConnectionRefusedError") => Outcome::Refused,
            Some("TimeoutError") => Outcome::Timeout,
            _ => panic!("{error}"),
        };
    };
    let headers = headers(exchange);
    let body = exchange.body.as_deref().unwrap_or_default().as_bytes();
    let class = classify(request.row().purpose, status, &headers, body);
    let server = headers.get("server").map(|value| value.to_str().unwrap());
    Outcome::Http {
        status,
        excerpt: excerpt(&class, body, &stage.redactor),
        server: server.map(|server| one_line(&stage.redactor.clean(server), 80)),
        body: class,
    }
}

/// The headers of an answer.
pub fn headers(exchange: &Exchange) -> HeaderMap {
    let pairs = exchange.headers.iter().map(|(name, value)| {
        (
            HeaderName::try_from(name).unwrap(),
            HeaderValue::try_from(value).unwrap(),
        )
    });
    pairs.collect()
}

/// Headers of the answer to a request with a key, when there was one.
pub fn headers_of(stage: &Stage<'_>, target: &Target, request: &Request, key: &str) -> HeaderMap {
    let url = format!("http://{}{}", target.at, request.path());
    find(stage, &url, Some(key), true).map_or_else(HeaderMap::new, headers)
}

/// A key goes to a listener of our tree, or to one of this user or root.
pub fn trust(who: &Who, target: &Target) -> Trust {
    let address = target.at.address();
    let ip = address.ip().to_string();
    let is_ours = |uid: u32| [USER, 0].contains(&uid);
    let sockets = who
        .sockets
        .known()
        .into_iter()
        .flat_map(|sockets| sockets.values());
    let mut found = false;
    for socket in
        sockets.filter(|socket| socket.port == address.port() && meets(&ip, &socket.address))
    {
        found = true;
        let stranger = match &socket.owner {
            Owner::Hidden { uid } => (!is_ours(*uid)).then(|| format!("uid {uid}")),
            Owner::Known { pids } => pids
                .iter()
                .filter_map(|pid| who.processes.get(pid))
                .find(|process| process.serves().is_none() && !is_ours(process.uid))
                .map(|process| format!("user {}", process.user)),
        };
        if let Some(stranger) = stranger {
            return Trust::Withheld(format!("the listener belongs to {stranger}"));
        }
    }
    match found {
        true => Trust::Trusted,
        false => Trust::Withheld("nobody listens there any more".into()),
    }
}
