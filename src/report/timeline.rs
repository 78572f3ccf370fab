//! When the services were started and how they ended, from what the supervisor recorded.

use flowgate_checks::model::{Exit, Service, Snapshot};
use flowgate_checks::words::age;
use jiff::{SignedDuration, Timestamp};

use super::{Moment, MomentKind};

/// The recorded moments of the enabled services, oldest first.
pub fn draw(snapshot: &Snapshot) -> Vec<Moment> {
    let mut moments: Vec<Moment> = snapshot
        .services
        .iter()
        .filter(|(_, service)| service.settings.enabled)
        .flat_map(|(name, service)| of_service(name, service))
        .collect();
    moments.sort_by(|a, b| (a.at, a.kind, &a.service).cmp(&(b.at, b.kind, &b.service)));
    moments
}

fn of_service(name: &str, service: &Service) -> Vec<Moment> {
    let mut moments = Vec::new();
    let mut note = |at: Option<Timestamp>, kind, text: String| {
        moments.extend(at.map(|at| Moment {
            at,
            service: name.to_owned(),
            kind,
            text,
        }));
    };
    for exit in &service.exits {
        let kind = match exit.requested {
            true => MomentKind::Stopped,
            false => MomentKind::Ended,
        };
        note(started(exit), MomentKind::Started, "started".into());
        note(Some(exit.at), kind, ending(exit));
    }
    if let Some(run) = &service.run {
        let begun = format!("started, pid {}", run.pid);
        note(run.started_at, MomentKind::Started, begun);
        let ready = match (run.started_at, run.ready_at) {
            (Some(begun), Some(ready)) => format!("ready after {}", between(begun, ready)),
            _ => "ready".into(),
        };
        note(run.ready_at, MomentKind::Ready, ready);
        let silent = "gives no answer any more".into();
        note(run.unready_since, MomentKind::Silent, silent);
    }
    let next = service.tries.as_ref().and_then(|tries| tries.next_try_at);
    note(next, MomentKind::NextTry, "is tried again".into());
    // The exit of the recorded run gives its start too.
    moments.sort_by_key(|moment| (moment.at, moment.kind));
    moments.dedup_by(|later, earlier| {
        let is_same = later.kind == MomentKind::Started
            && earlier.kind == MomentKind::Started
            && later.at.duration_since(earlier.at) < SignedDuration::from_secs(1);
        if is_same && later.text.len() > earlier.text.len() {
            earlier.text = std::mem::take(&mut later.text);
        }
        is_same
    });
    moments
}

/// When a run began that ended so.
fn started(exit: &Exit) -> Option<Timestamp> {
    let lived = i64::try_from(exit.uptime_ms?).ok()?;
    exit.at.checked_sub(SignedDuration::from_millis(lived)).ok()
}

fn ending(exit: &Exit) -> String {
    let how = match (&exit.signal, exit.code) {
        _ if exit.requested => "stopped as asked".to_owned(),
        (Some(signal), _) => format!("ended by SIG{}", signal.trim_start_matches("SIG")),
        (None, Some(code)) => format!("ended with exit code {code}"),
        (None, None) => "ended, and nobody saw how".into(),
    };
    let lived = exit
        .uptime_ms
        .map(|ms| format!(" after {}", short(ms)))
        .unwrap_or_default();
    let line = exit
        .signature
        .as_ref()
        .and_then(|signature| signature.line.as_ref())
        .map(|line| format!(": {line}"))
        .unwrap_or_default();
    format!("{how}{lived}{line}")
}

fn between(begun: Timestamp, ended: Timestamp) -> String {
    let ms = ended.duration_since(begun).as_millis();
    short(u64::try_from(ms).unwrap_or_default())
}

/// An age, exact below a second.
fn short(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        _ => age(ms),
    }
}

#[cfg(test)]
mod tests {
    use flowgate_checks::model::Snapshot;
    use serde_json::json;

    use super::*;

    fn lines(service: serde_json::Value) -> Vec<String> {
        let mut snapshot = Snapshot::new("2026-11-24T10:00:00Z".parse().unwrap());
        let mut whole = json!({
            "kind": "litellm", "wanted": {"running": true},
            "settings": {"host": "127.0.0.1", "port": 4000, "readinessPath": "/", "args": [],
                         "cwd": "/", "readyTimeoutSeconds": 120},
        });
        let fields = service.as_object().unwrap().clone();
        whole.as_object_mut().unwrap().extend(fields);
        let service = serde_json::from_value(whole).unwrap();
        snapshot.services.insert("litellm".into(), service);
        draw(&snapshot)
            .iter()
            .map(|moment| format!("{} {} {}", moment.at, moment.service, moment.text))
            .collect()
    }

    #[test]
    fn a_run_that_ended_gives_its_start_and_its_end_in_order() {
        let told = lines(json!({
            "run": {"pid": 7, "startedAt": "2026-11-24T09:00:05Z", "readyAt": "2026-11-24T09:00:08Z",
                    "source": "record", "life": "alive"},
            "exits": [
                {"at": "2026-11-24T09:00:02Z", "code": 3, "uptimeMs": 1500,
                 "signature": {"class": "port", "stage": "start", "status": "exit 3", "line": "address in use"}},
                {"at": "2026-11-24T08:00:00Z", "signal": "KILL"},
            ],
        }));
        assert_eq!(
            told,
            [
                "2026-11-24T08:00:00Z litellm ended by SIGKILL",
                "2026-11-24T09:00:00.5Z litellm started",
                "2026-11-24T09:00:02Z litellm ended with exit code 3 after 1 s: address in use",
                "2026-11-24T09:00:05Z litellm started, pid 7",
                "2026-11-24T09:00:08Z litellm ready after 3 s",
            ]
        );
    }

    #[test]
    fn the_start_of_the_recorded_run_is_told_once() {
        let told = lines(json!({
            "run": {"pid": 7, "startedAt": "2026-11-24T09:00:05Z", "source": "record", "life": "gone"},
            "exits": [{"at": "2026-11-24T09:10:05.020Z", "uptimeMs": 600_010, "requested": true}],
            "tries": {"isCrashLoop": false, "restarts": 2, "nextTryAt": "2026-11-24T10:00:03Z"},
        }));
        assert_eq!(
            told,
            [
                "2026-11-24T09:00:05Z litellm started, pid 7",
                "2026-11-24T09:10:05.02Z litellm stopped as asked after 10 min",
                "2026-11-24T10:00:03Z litellm is tried again",
            ]
        );
    }
}
