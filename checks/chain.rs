//! The chain of hops from client to credential, and where it breaks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::logins::usable_providers;
use crate::logs::proves_a_chat;
use crate::model::{Finding, Identity, Impact, ServiceKind, Severity, Snapshot, Subject};
use crate::state::{View, service_of};

/// One hop of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hop {
    /// The service or provider.
    pub hop: String,
    /// `address:port` of a service; none for a credential.
    pub address: Option<String>,
    /// What is proven of it.
    pub state: HopState,
    /// Why, in a few words.
    pub detail: Option<String>,
}

/// What is proven of a hop. `Ok` never claims more than was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HopState {
    /// It did what it is there for.
    Ok,
    /// It is the hop that refuses.
    Broken,
    /// It may work; nothing that was asked proves it.
    Unproven,
    /// It could not be looked at.
    Unknown,
    /// It is not wanted, and does not run.
    Off,
}

/// Draws the chain: LiteLLM, CLIProxyAPIPlus, then each provider with a usable credential.
pub fn draw(snapshot: &Snapshot, findings: &[Finding]) -> Vec<Hop> {
    let mut hops = Vec::new();
    for kind in [ServiceKind::Litellm, ServiceKind::Cliproxyapi] {
        if let Some(view) = service_of(snapshot, kind) {
            hops.push(service_hop(view, findings));
        }
    }
    if service_of(snapshot, ServiceKind::Cliproxyapi).is_some() {
        hops.extend(credential_hops(snapshot, findings));
    }
    hops
}

fn service_hop(view: View<'_>, findings: &[Finding]) -> Hop {
    let broken = breaking(findings, |finding| {
        finding.subject == Subject::Service(view.name.into()) && !follows_from_a_login(finding)
    });
    let (state, detail) = match broken {
        Some(finding) => (HopState::Broken, Some(finding.brief.clone())),
        None => unbroken(view),
    };
    Hop {
        hop: view.name.into(),
        address: view.address(),
        state,
        detail,
    }
}

/// A hop that lists no model because nobody is logged in does what it is there for: the break is
/// behind it.
fn follows_from_a_login(finding: &Finding) -> bool {
    const FOLLOWING: [&str; 2] = ["readiness/no-models", "readiness/model-unserved"];
    !finding.is_root() && FOLLOWING.contains(&finding.spec.id)
}

fn unbroken(view: View<'_>) -> (HopState, Option<String>) {
    let identified = view.is_identified()
        || (view.is_running()
            && view
                .serving_probes()
                .is_some_and(|probes| probes.identity() != Identity::Silent));
    if view.accepts_a_key() {
        (HopState::Ok, None)
    } else if identified {
        (HopState::Unproven, Some("answers; no key was tried".into()))
    } else if view.is_starting() {
        (HopState::Unknown, Some("starting".into()))
    } else if !view.is_wanted() && !view.is_running() {
        (HopState::Off, None)
    } else {
        (HopState::Unknown, None)
    }
}

fn credential_hops(snapshot: &Snapshot, findings: &[Finding]) -> Vec<Hop> {
    let hop = |name: &str, state, detail| Hop {
        hop: name.into(),
        address: None,
        state,
        detail,
    };
    let usable = usable_providers(snapshot);
    if usable.is_empty() {
        let is_login = |finding: &Finding| matches!(finding.subject, Subject::Provider(_));
        return match breaking(findings, is_login) {
            Some(finding) => {
                vec![hop(
                    &finding.subject.to_string(),
                    HopState::Broken,
                    Some(finding.brief.clone()),
                )]
            }
            None => vec![hop("login", HopState::Unknown, None)],
        };
    }
    let proven = service_of(snapshot, ServiceKind::Cliproxyapi)
        .and_then(|view| view.service.log.known())
        .is_some_and(|log| log.lines.iter().any(|line| proves_a_chat(line)));
    // With one provider a chat in the log is its proof; with several it may be any of them.
    let state = if proven && usable.len() == 1 {
        HopState::Ok
    } else {
        HopState::Unproven
    };
    usable.iter().map(|name| hop(name, state, None)).collect()
}

/// The outage of a subject that is nearest to a cause: a root before an effect, as they are ordered.
fn breaking(findings: &[Finding], concerns: impl Fn(&Finding) -> bool) -> Option<&Finding> {
    findings.iter().find(|finding| {
        finding.severity == Severity::Error && finding.impact == Impact::Outage && concerns(finding)
    })
}
