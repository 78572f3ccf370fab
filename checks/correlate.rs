//! Which finding explains which: one table, applied to whatever the checks found.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Finding, Impact, ServiceKind, Severity, Snapshot, Subject};
use crate::state;

mod related;

use related::{Related, related, service_kind};

/// One row: each of `causes` explains each of `effects` where their subjects are related.
struct Rule {
    causes: &'static [&'static str],
    effects: &'static [&'static str],
    related: Related,
}

/// Who holds the configured port of a service.
const HOLDERS: &[&str] = &[
    "port-conflict/foreign-listener",
    "port-conflict/second-instance",
    "port-conflict/own-orphan",
    "port-conflict/unknown-owner",
];

/// Why the program of a service cannot start, or ends at once.
const EXIT_CAUSES: &[&str] = &[
    "missing-binaries/not-found",
    "missing-binaries/not-executable",
    "missing-binaries/wrong-architecture",
    "missing-binaries/loader-missing",
    "missing-binaries/corrupt",
    "missing-binaries/broken-interpreter",
    "missing-binaries/package-missing",
    "missing-binaries/known-bad-version",
    "readiness/no-active-profile",
    "readiness/config-rejected",
    "readiness/master-key-refused",
    "readiness/missing-environment",
    "readiness/resource-exhausted",
    "port-conflict/cannot-bind",
    "config/overridden",
    "secret-permissions/unreadable",
];

/// The groups of the login order, the nearest to the cause first; each explains all to its right.
const LOGIN_ORDER: &[&[&str]] = &[
    &[
        "missing-binaries/not-found",
        "oauth-login/provider-unsupported",
        "oauth-login/management-disabled",
        "oauth-login/management-key-mismatch",
        "oauth-login/banned",
        "oauth-login/wrong-endpoint",
        "oauth-login/callback-port-busy",
        "oauth-login/proxy-unreachable",
        "secret-permissions/unwritable",
    ],
    &[
        "oauth-login/login-not-saved",
        "oauth-login/login-timed-out",
        "oauth-login/login-failed",
    ],
    &[
        "oauth-login/credential-broken",
        "oauth-login/credential-rejected",
        "oauth-login/credential-expired",
        "oauth-login/credential-disabled",
        "oauth-login/wrong-auth-dir",
        "oauth-login/quota-exhausted",
    ],
    &["oauth-login/no-credential"],
    &["readiness/no-models"],
    &["readiness/model-unserved"],
];

/// The state of a service, of which exactly one is found.
const STATES: &[&str] = &[
    "readiness/not-running",
    "readiness/crash-loop",
    "readiness/killed",
];

/// The states in which a service answers nothing.
const MUTE: &[&str] = &[
    "readiness/not-running",
    "readiness/crash-loop",
    "readiness/killed",
    "readiness/hung",
];

const RULES: &[Rule] = &[
    // 1. Who owns the configured port names the root.
    Rule {
        causes: HOLDERS,
        effects: &[
            "port-conflict/drifted-port",
            "readiness/not-running",
            "readiness/crash-loop",
            "readiness/killed",
            "readiness/http-error",
            "readiness/client-key-rejected",
            "readiness/client-not-pointed",
            "readiness/client-wrong-url",
            "readiness/client-unknown-model",
        ],
        related: Related::Service,
    },
    Rule {
        // The supervisor stops a service that listens elsewhere than it is configured, again and
        // again; a port that is none ends the program itself.
        causes: &["config/port-mismatch", "config/overridden"],
        effects: &[
            "port-conflict/drifted-port",
            "readiness/not-running",
            "readiness/crash-loop",
        ],
        related: Related::Service,
    },
    Rule {
        causes: &["port-conflict/same-port-twice"],
        effects: &[
            "port-conflict/drifted-port",
            "readiness/not-running",
            "readiness/crash-loop",
            "readiness/http-error",
        ],
        related: Related::Port,
    },
    // 2. Keys.
    Rule {
        causes: &["readiness/missing-environment"],
        effects: &[
            "config/running-config-differs",
            "readiness/client-key-rejected",
            "readiness/upstream-key-rejected",
        ],
        related: Related::Service,
    },
    Rule {
        causes: &["config/running-config-differs"],
        effects: &[
            "readiness/client-key-rejected",
            "readiness/upstream-key-rejected",
            "readiness/tls-mismatch",
        ],
        related: Related::Chain,
    },
    Rule {
        causes: &[
            "readiness/client-key-rejected",
            "readiness/upstream-key-rejected",
        ],
        effects: &["readiness/no-models"],
        related: Related::Service,
    },
    Rule {
        causes: &["oauth-login/management-key-mismatch"],
        effects: &["oauth-login/banned"],
        related: Related::Service,
    },
    Rule {
        // Both speak of one login.
        causes: &["oauth-login/login-not-saved"],
        effects: &["oauth-login/login-failed", "oauth-login/login-timed-out"],
        related: Related::Provider,
    },
    Rule {
        causes: &["config/overridden"],
        effects: &["readiness/config-rejected", "readiness/models-dropped"],
        related: Related::Service,
    },
    Rule {
        causes: &["readiness/models-dropped"],
        effects: &["readiness/no-models"],
        related: Related::Service,
    },
    Rule {
        causes: &["supervisor/gone"],
        effects: STATES,
        related: Related::Chain,
    },
    Rule {
        // Other managers end whoever holds the port that they want.
        causes: &["port-conflict/rival-manager"],
        effects: STATES,
        related: Related::Service,
    },
    // 3. Why a program ends explains that it does not run.
    Rule {
        causes: EXIT_CAUSES,
        effects: STATES,
        related: Related::Service,
    },
    Rule {
        causes: &["secret-permissions/unreadable"],
        effects: &["readiness/config-rejected"],
        related: Related::Service,
    },
    Rule {
        causes: &[
            "secret-permissions/unreadable",
            "secret-permissions/symlink",
        ],
        effects: &["oauth-login/credential-broken"],
        related: Related::File,
    },
    Rule {
        causes: &[
            "secret-permissions/unreadable",
            "secret-permissions/unwritable",
            "secret-permissions/symlink",
        ],
        effects: &["oauth-login/no-credential"],
        related: Related::Service,
    },
    // 4. The state of a service explains what its HTTP would have told.
    Rule {
        causes: MUTE,
        effects: &[
            "readiness/http-error",
            "readiness/client-key-rejected",
            "readiness/client-not-pointed",
            "readiness/no-models",
        ],
        related: Related::Service,
    },
];

/// Fills `caused_by` and `explains`, and lets each root take the severity of its worst effect.
pub fn correlate(findings: &mut [Finding], snapshot: &Snapshot) {
    let mut pairs = BTreeSet::new();
    for (cause_index, cause) in findings.iter().enumerate() {
        for (effect_index, effect) in findings.iter().enumerate() {
            if cause_index != effect_index && explains(cause, effect, snapshot) {
                pairs.insert((cause_index, effect_index));
            }
        }
    }
    let keys: Vec<String> = findings.iter().map(Finding::key).collect();
    for &(cause, effect) in &pairs {
        findings[cause].explains.push(keys[effect].clone());
        findings[effect].caused_by.push(keys[cause].clone());
    }
    for finding in findings.iter_mut() {
        finding.explains.sort();
        finding.caused_by.sort();
    }
    raise_roots(findings, snapshot);
}

fn explains(cause: &Finding, effect: &Finding, snapshot: &Snapshot) -> bool {
    let (cause_id, effect_id) = (cause.spec.id, effect.spec.id);
    // 5. Without a config nothing else can be told, except who sits on the ports.
    if cause_id == "config/missing" {
        return !effect_id.starts_with("port-conflict/")
            && effect_id != "supervisor/external"
            && effect_id != cause_id;
    }
    // Room that is merely scarce ends no program.
    if cause_id == "readiness/resource-exhausted" && cause.severity < Severity::Error {
        return false;
    }
    let by_table = RULES.iter().any(|rule| {
        rule.causes.contains(&cause_id)
            && rule.effects.contains(&effect_id)
            && related(rule.related, cause, effect, snapshot)
    });
    by_table || explains_login(cause, effect, snapshot)
}

/// A hint explains no outage: an info about logins is there because no login is wanted.
fn explains_login(cause: &Finding, effect: &Finding, snapshot: &Snapshot) -> bool {
    let rank = |id| LOGIN_ORDER.iter().position(|group| group.contains(&id));
    match (rank(cause.spec.id), rank(effect.spec.id)) {
        (Some(left), Some(right)) if left < right => {
            cause.severity > Severity::Info
                && cause.severity >= effect.severity.min(Severity::Warning)
                && (related(Related::Provider, cause, effect, snapshot)
                    || leaves_nobody(cause, effect))
                && concerns_logins(cause, snapshot)
        }
        _ => false,
    }
}

/// That nobody is logged in is one finding, on the first provider; a credential of any provider
/// that cannot be used explains it.
fn leaves_nobody(cause: &Finding, effect: &Finding) -> bool {
    effect.spec.id == "oauth-login/no-credential"
        && effect.severity == Severity::Error
        && cause.spec.id.starts_with("oauth-login/credential-")
}

/// A missing program explains logins only when it is the one that logs in.
fn concerns_logins(cause: &Finding, snapshot: &Snapshot) -> bool {
    match &cause.subject {
        Subject::Service(_) => {
            service_kind(&cause.subject, snapshot) != Some(ServiceKind::Litellm)
                || cause.spec.id.starts_with("readiness/")
        }
        _ => true,
    }
}

/// 7. A root takes the severity of its worst effect, infos of services that are not wanted excepted.
fn raise_roots(findings: &mut [Finding], snapshot: &Snapshot) {
    let worst: BTreeMap<String, (Severity, Impact)> = findings
        .iter()
        .map(|finding| (finding.key(), (finding.severity, finding.impact)))
        .collect();
    for finding in findings.iter_mut().filter(|finding| finding.is_root()) {
        if finding.severity == Severity::Info && !is_wanted(&finding.subject, snapshot) {
            continue;
        }
        for key in &finding.explains {
            if let Some(&(severity, impact)) = worst.get(key)
                && severity > finding.severity
            {
                finding.severity = severity;
                finding.impact = finding.impact.min(impact);
            }
        }
    }
}

fn is_wanted(subject: &Subject, snapshot: &Snapshot) -> bool {
    match subject {
        Subject::Service(name) => state::services(snapshot)
            .find(|view| view.name == name)
            .is_some_and(|view| view.is_wanted()),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every id that the table names as a cause of another, followed to its end.
    #[test]
    fn no_finding_explains_itself_through_others() {
        let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for rule in RULES {
            for cause in rule.causes {
                edges.entry(cause).or_default().extend(rule.effects);
            }
        }
        for (left, group) in LOGIN_ORDER.iter().enumerate() {
            for cause in *group {
                let right = LOGIN_ORDER[left + 1..]
                    .iter()
                    .flat_map(|group| group.iter());
                edges.entry(cause).or_default().extend(right);
            }
        }
        for start in edges.keys() {
            let mut seen = BTreeSet::new();
            let mut open: Vec<&str> = edges[start].iter().copied().collect();
            while let Some(next) = open.pop() {
                assert_ne!(next, *start, "{start} explains itself");
                if seen.insert(next) {
                    open.extend(edges.get(next).into_iter().flatten());
                }
            }
        }
    }
}
