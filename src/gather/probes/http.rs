//! HTTP: keyless to everybody, keys to those to whom they may go.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowgate_checks::model::{Management, Owner, ServiceKind, TargetProbes};
use flowgate_checks::state;

use crate::gather::configs::Wave0;
use crate::gather::context::Context;
use crate::gather::deadline::Deadline;
use crate::gather::http::{self, ProbePlan, Probes, Target, Trust};
use crate::gather::management::{self, ConfirmedManagement};
use crate::gather::targets::{self, Variables};
use crate::gather::who::Who;

/// HTTP without a key.
pub async fn keyless(wave: &Arc<Wave0>, context: &Arc<Context>, deadline: &Deadline) -> Probes {
    let mut plan = targets::addresses(wave, context);
    plan.deadline = plan.deadline.min(deadline.left());
    plan.underway = deadline.underway().clone();
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
    plan.underway = deadline.underway().clone();
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
    plan.underway = deadline.underway().clone();
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

/// The variables of the running LiteLLM that the configs name.
pub fn litellm_variables(who: Option<&Who>, wave: &Wave0) -> Variables {
    wave.service(ServiceKind::Litellm)
        .and_then(|service| who?.environments.get(&service.name)?.known())
        .map(|look| look.secrets.clone())
        .unwrap_or_default()
}

/// A key goes to a listener of our tree, or to one whose socket belongs to this user or root.
pub fn trust(target: &Target, who: Option<&Who>) -> Trust {
    let Some(sockets) = who.and_then(|who| who.sockets.known()) else {
        return Trust::Withheld("who listens there could not be looked at".into());
    };
    let address = target.at.address();
    let meets = |bound: &str| {
        state::meets(bound, &address.ip().to_string())
            || state::meets(&address.ip().to_string(), bound)
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
            Owner::Known { pids } => stranger_among(pids, who, mine),
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

/// Who of the processes that hold a listener may not be given a key: none of our tree, and of
/// another user than this one or root. A process that is not known any more is no friend.
fn stranger_among(pids: &[u32], who: Option<&Who>, mine: u32) -> Option<String> {
    pids.iter()
        .find_map(|pid| match who.and_then(|who| who.processes.get(pid)) {
            None => Some(format!("pid {pid}, which has ended")),
            Some(process) if process.serves().is_some() => None,
            Some(process) if [mine, 0].contains(&process.uid) => None,
            Some(process) => Some(format!("user {}", process.user)),
        })
}
