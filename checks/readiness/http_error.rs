//! An answer that no other finding explains.

use super::{HTTP_ERROR, hung};
use crate::by_hand;
use crate::model::{
    Answer, BodyClass, Evidence, Finding, Fix, Observed, Outcome, ServiceKind, Severity, Subject,
    UnknownDatum, Verdict,
};
use crate::state::{View, held_by};

/// What an answer means for the hop that gave it.
enum Meaning {
    /// It is what a healthy hop says here, or another finding speaks of it.
    Fine,
    /// The hop is broken.
    Fault,
    /// Nothing follows from it; why.
    NoVerdict(String),
}

/// Finds faults in what answers at the configured address, where that is the service itself.
pub fn look(view: View<'_>, verdict: &mut Verdict) {
    // What a stranger on the port says is no word of the service.
    if view.service.kind == ServiceKind::Other || !(view.owns_port() || view.is_identified()) {
        return;
    }
    // Why nothing answers is told by another finding.
    if hung::witness(view).is_some() {
        return;
    }
    let Some(probes) = view.probes() else {
        return not_asked(view, verdict);
    };
    let identity = match view.service.kind {
        ServiceKind::Litellm => &probes.liveness,
        _ => &probes.root,
    };
    let mut faults = Vec::new();
    let mut silent = None;
    let keyless = [(identity, None), (&probes.readiness, None)];
    let keyed = probes.models.values().map(|keyed| {
        let from = keyed.key.is_some().then_some(keyed.key_from.as_str());
        (&keyed.answer, from)
    });
    for (observed, key_from) in keyless.into_iter().chain(keyed) {
        match observed {
            Observed::Known(answer) => match meaning(view, answer, key_from.is_some()) {
                Meaning::Fine => {}
                Meaning::Fault => {
                    // The readiness path may be the one that tells the identity.
                    let is_new = |(other, _): &(&Answer, _)| other.request != answer.request;
                    if key_from.is_some() || faults.iter().all(is_new) {
                        faults.push((answer, key_from));
                    }
                }
                Meaning::NoVerdict(why) => {
                    silent.get_or_insert((why, answer.request.clone()));
                }
            },
            Observed::Unknown(unknown) => {
                silent.get_or_insert((unknown.why.clone(), "GET /".into()));
            }
            Observed::NotAsked => {}
        }
    }
    if let Some((why, request)) = silent {
        verdict.unknowns.push(unknown(view, why, &request));
    }
    if let Some(finding) = finding(view, &faults) {
        verdict.push(finding);
    }
}

fn meaning(view: View<'_>, answer: &Answer, has_key: bool) -> Meaning {
    let (status, body) = match &answer.outcome {
        Outcome::Http { status, body, .. } => (*status, body),
        Outcome::Reset | Outcome::NotHttp => return Meaning::Fault,
        Outcome::Timeout
        | Outcome::Refused
        | Outcome::Unreachable { .. }
        | Outcome::WrongScheme
        | Outcome::TlsRefused => return Meaning::NoVerdict(no_answer(view, answer)),
    };
    match body {
        BodyClass::CliproxySafeMode => return Meaning::Fine,
        BodyClass::TlsExpected => return Meaning::NoVerdict(no_answer(view, answer)),
        BodyClass::CliproxyKeyMissing
        | BodyClass::CliproxyKeyRejected
        | BodyClass::LitellmKeyRejected => return Meaning::Fine,
        // The bare 500 says that no key came; with one it says that something broke.
        BodyClass::LitellmKeyMissing if !has_key => return Meaning::Fine,
        _ => {}
    }
    match status {
        200..=299 | 401 => Meaning::Fine,
        // The path is wrong while the service is well.
        404 if !has_key && view.is_identified() => Meaning::Fine,
        _ => Meaning::Fault,
    }
}

/// Why there is no answer, with who holds the process on purpose.
fn no_answer(view: View<'_>, answer: &Answer) -> String {
    let held = view.answering_processes().into_iter().find_map(held_by);
    match held {
        Some(why) => format!("{}; {why}", answer.describe()),
        None => answer.describe(),
    }
}

fn not_asked(view: View<'_>, verdict: &mut Verdict) {
    if let Some(port) = view.settings().port {
        let why = format!(
            "{} is not asked: it is no loopback address",
            crate::state::address_key(&view.settings().host, port)
        );
        // Its process owns the port; that is all that can be told without leaving loopback.
        verdict.unknowns.push(UnknownDatum {
            optional: true,
            ..unknown(view, why, "GET /")
        });
    }
}

fn unknown(view: View<'_>, why: String, request: &str) -> UnknownDatum {
    UnknownDatum {
        what: format!("whether {} serves", view.name),
        why,
        command: Some(by_hand::ask(&url(view, request))),
        optional: !view.is_wanted(),
    }
}

fn finding(view: View<'_>, faults: &[(&Answer, Option<&str>)]) -> Option<Finding> {
    let (first, _) = faults.first()?;
    let (seen, brief) = match &first.outcome {
        Outcome::Reset => (
            "cuts the connection".to_owned(),
            "cuts connections".to_owned(),
        ),
        Outcome::NotHttp => ("does not answer in HTTP".into(), "speaks no HTTP".into()),
        _ => {
            let status = first.status().unwrap_or_default();
            (format!("answers {status}"), format!("answers {status}"))
        }
    };
    let cause = match &first.outcome {
        Outcome::Http {
            excerpt: Some(excerpt),
            ..
        } => format!("it says: {excerpt}"),
        Outcome::Http { .. } => "its answer does not say why".into(),
        _ => {
            "something else than HTTP is spoken there, or the program breaks on the request".into()
        }
    };
    let mut finding = Finding::new(
        &HTTP_ERROR,
        Subject::Service(view.name.into()),
        format!("{} {seen} to {}", view.name, first.request),
        cause,
    )
    .brief(brief);
    if !view.is_wanted() {
        finding = finding.at(Severity::Info);
    }
    for (answer, key_from) in faults {
        let url = url(view, &answer.request);
        let command = match key_from {
            Some(place) => by_hand::list_with_key(view.snapshot, place, &url),
            None => by_hand::ask(&url),
        };
        finding = finding.evidence(
            Evidence::new("answer", answer.describe(), url.clone())
                .expected("2xx")
                .command(command),
        );
    }
    Some(finding.fix(Fix::manual(
        "by-hand",
        format!("look for the reason at the end of the log of {}", view.name),
        by_hand::tail(view).into_iter().collect(),
    )))
}

fn url(view: View<'_>, request: &str) -> String {
    let path = request.split_whitespace().last().unwrap_or("/");
    by_hand::url(
        view.settings().scheme,
        &view.address().unwrap_or_default(),
        path,
    )
}
