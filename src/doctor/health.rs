//! Whether each service lives and answers: a pure reading of a partial snapshot.

use std::path::PathBuf;
use std::time::Duration;

use flowgate_checks::holder::holders;
use flowgate_checks::model::{
    Answer, Observed, Outcome, RunLife, Scheme, ServiceKind, Snapshot, TargetProbes,
};
use flowgate_checks::state::{self, View};
use serde::Serialize;

use crate::gather::{self, GatherError};

/// Whether one service lives and answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceHealth {
    /// Its name.
    pub name: String,
    /// Whether its process lives; of one that somebody else runs, whether it answers as itself.
    pub live: bool,
    /// Whether it is ready: it lives, the port is its own, and it answers well there.
    pub ready: bool,
    /// Its main process, where flowgate runs it.
    pub pid: Option<u32>,
    /// Status of the answer.
    pub code: Option<u16>,
    /// Why there is no good answer, in one word: `refused`, `timeout`, `foreign`.
    pub error: Option<&'static str>,
    /// What was asked.
    pub url: Option<String>,
    /// Milliseconds until the answer came.
    pub latency_ms: Option<u64>,
    /// What else is worth knowing, in one sentence.
    pub note: Option<String>,
}

/// Looks at the services of a config side by side, in the order of their names. `timeout` bounds
/// the whole look.
///
/// # Errors
/// [`GatherError`], when nothing could be looked at.
pub fn health(
    config: Option<PathBuf>,
    timeout: Duration,
) -> Result<Vec<ServiceHealth>, GatherError> {
    let snapshot = gather::health(config, timeout)?;
    Ok(read(&snapshot))
}

/// What a snapshot says of the health of each service that is not off.
pub fn read(snapshot: &Snapshot) -> Vec<ServiceHealth> {
    state::services(snapshot).map(|view| one(&view)).collect()
}

fn one(view: &View<'_>) -> ServiceHealth {
    let settings = view.settings();
    let run = view.service.run.as_ref();
    let pid = run
        .filter(|run| run.life == RunLife::Alive)
        .map(|run| run.pid);
    let live = if settings.managed {
        pid.is_some()
    } else {
        view.is_identified()
    };
    let mut health = ServiceHealth {
        name: view.name.to_owned(),
        live,
        ready: false,
        pid,
        code: None,
        error: None,
        url: None,
        latency_ms: None,
        note: None,
    };
    if settings.port.is_none() {
        health.error = Some("missing-port");
        return health;
    }
    if view.service.kind == ServiceKind::Other {
        return without_questions(view, health);
    }
    if let Some(asked) = view.probes().and_then(deciding) {
        let answer = asked.answer;
        health.code = answer.status();
        health.latency_ms = Some(answer.latency_ms);
        health.url = url(view, answer);
        health.note = asked.note;
        health.error = word(&answer.outcome);
        health.ready = live && asked.is_good && view.is_identified();
        if health.code.is_some() && !view.is_identified() {
            health.error = Some("foreign");
        }
    } else {
        health.error = Some("timeout");
    }
    disown(view, &mut health);
    health
}

/// A program that flowgate does not know is asked nothing: it is ready when it holds its port.
fn without_questions(view: &View<'_>, mut health: ServiceHealth) -> ServiceHealth {
    let is_held = match view.settings().managed {
        true => view.owns_port(),
        false => !view.rivals().is_empty(),
    };
    health.live |= !view.settings().managed && is_held;
    health.ready = health.live && is_held;
    health.error = (!is_held).then_some("refused");
    health.note = is_held.then(|| "it is not asked, its port is held".into());
    disown(view, &mut health);
    health
}

/// An answer from a port that somebody else holds is not this service's answer.
fn disown(view: &View<'_>, health: &mut ServiceHealth) {
    if !view.settings().managed || view.owns_port() {
        return;
    }
    let holders = holders(view);
    let is_visible = view.snapshot.sockets.known().is_some();
    if let Some(holder) = holders
        .iter()
        .find(|holder| holder.hidden_uid.is_none() && holder.forwarder().is_none())
    {
        health.ready = false;
        health.error = Some("foreign");
        health.note = Some(format!("the port is held by {}", holder.describe()));
    } else if !is_visible && health.ready {
        health.note = Some("who listens could not be looked at".into());
    }
}

/// The answer that decides, and whether it is a good one.
struct Asked<'a> {
    answer: &'a Answer,
    is_good: bool,
    note: Option<String>,
}

/// The configured readiness path decides; where it needs a key, the answer to the key; where none is
/// known, that the service answers as itself.
fn deciding(probes: &TargetProbes) -> Option<Asked<'_>> {
    let keyed = probes
        .models
        .values()
        .find_map(|keyed| keyed.answer.known());
    if let Some(answer) = keyed {
        return Some(Asked {
            answer,
            is_good: answer.is_success(),
            note: None,
        });
    }
    let readiness = probes.readiness.known();
    if let Some(answer) = readiness.filter(|answer| !matches!(answer.status(), Some(401))) {
        return Some(Asked {
            answer,
            is_good: answer.is_success(),
            note: None,
        });
    }
    let identity = [&probes.liveness, &probes.root]
        .into_iter()
        .find_map(Observed::known);
    let answer = readiness.or(identity)?;
    Some(Asked {
        answer,
        is_good: answer.status().is_some(),
        note: Some(match &probes.withheld {
            Some(why) => format!("key not checked: {why}"),
            None => "key not checked".into(),
        }),
    })
}

fn url(view: &View<'_>, answer: &Answer) -> Option<String> {
    let scheme = match view.settings().scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    let path = answer.request.split(' ').nth(1)?;
    Some(format!("{scheme}://{}{path}", view.address()?))
}

/// Why nothing came, in one word; none when an HTTP answer came.
fn word(outcome: &Outcome) -> Option<&'static str> {
    Some(match outcome {
        Outcome::Http { .. } => return None,
        Outcome::Refused => "refused",
        Outcome::Timeout => "timeout",
        Outcome::Reset => "reset",
        Outcome::NotHttp => "not-http",
        Outcome::WrongScheme | Outcome::TlsRefused => "tls",
        Outcome::Unreachable { .. } => "unreachable",
    })
}
