//! The port of the proxy speaks TLS and `api_base` says http, or the reverse.

use super::TLS_MISMATCH;
use super::edit::{self, Edit};
use crate::by_hand;
use crate::model::{
    Answer, BodyClass, Evidence, Finding, Fix, Impact, Outcome, Scheme, Severity, Subject, Verdict,
};
use crate::state::View;
use crate::steps::litellm as config;
use crate::upstream::{Deployment, deployments};
use crate::words;

/// How the scheme of the port is known.
struct Spoken<'a> {
    scheme: Scheme,
    /// The answer that shows it; none when only its config tells.
    proof: Option<&'a Answer>,
}

/// Finds deployments that ask the proxy in the scheme that its port does not speak.
pub fn look(litellm: View<'_>, proxy: View<'_>, verdict: &mut Verdict) {
    let spoken = spoken(proxy);
    let snapshot = litellm.snapshot;
    let wrong: Vec<(Deployment<'_>, &str)> = deployments(snapshot)
        .into_iter()
        .filter(|deployment| {
            let address = deployment.address.as_ref();
            address.is_some_and(|address| address.is_local() && address.leads_to(proxy))
        })
        .filter_map(|deployment| {
            let base = deployment.base.url()?;
            (scheme_of(base)? != spoken.scheme).then_some((deployment, base))
        })
        .collect();
    if !wrong.is_empty() {
        verdict.push(finding(litellm, proxy, &spoken, &wrong));
    }
}

/// What the port speaks: its answers tell, else its config.
fn spoken(proxy: View<'_>) -> Spoken<'_> {
    let configured = proxy.settings().scheme;
    let probes = proxy.serving_probes();
    let answers = || {
        probes.into_iter().flat_map(|probes| {
            let keyless = [&probes.root, &probes.readiness];
            keyless.into_iter().filter_map(|answer| answer.known())
        })
    };
    let is_other = |answer: &&Answer| {
        answer.outcome == Outcome::WrongScheme || answer.body() == Some(&BodyClass::TlsExpected)
    };
    let is_plain = |answer: &&Answer| answer.status().is_some();
    match answers().find(is_other) {
        Some(answer) => Spoken {
            scheme: match configured {
                Scheme::Http => Scheme::Https,
                Scheme::Https => Scheme::Http,
            },
            proof: Some(answer),
        },
        None => Spoken {
            scheme: configured,
            proof: answers().find(is_plain),
        },
    }
}

fn scheme_of(url: &str) -> Option<Scheme> {
    match url.split_once("://")?.0.to_ascii_lowercase().as_str() {
        "http" => Some(Scheme::Http),
        "https" => Some(Scheme::Https),
        _ => None,
    }
}

fn in_words(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    }
}

fn finding(
    litellm: View<'_>,
    proxy: View<'_>,
    spoken: &Spoken<'_>,
    wrong: &[(Deployment<'_>, &str)],
) -> Finding {
    let snapshot = litellm.snapshot;
    let config = &snapshot.configs.litellm;
    let own = &snapshot.configs.cliproxyapi;
    let (first, base) = &wrong[0];
    let address = proxy.address().unwrap_or_default();
    let right = in_words(spoken.scheme);
    let asked = scheme_of(base).map_or("", in_words);
    let cause = match spoken.scheme {
        Scheme::Https => format!("{address} speaks TLS ({})", own.place("tls.enable")),
        Scheme::Http => format!("{address} speaks plain HTTP ({})", own.place("tls.enable")),
    };
    let mut finding = Finding::new(
        &TLS_MISMATCH,
        Subject::Service(litellm.name.into()),
        format!(
            "{} asks {} over {asked}, and that port speaks {right} ({})",
            litellm.name,
            proxy.name,
            place(litellm, first)
        ),
        cause,
    )
    .brief(format!("asks over {asked} instead of {right}"));
    if spoken.proof.is_none() {
        finding = finding.likely();
    }
    // Only read from files: it will fail, and has not yet.
    if !litellm.is_running() && !litellm.is_identified() {
        finding = finding.at(Severity::Warning);
        finding.impact = Impact::Risk;
    }
    for (deployment, base) in wrong.iter().take(5) {
        finding = finding.evidence(
            Evidence::new(
                "config",
                format!(
                    "api_base of {} is {base}",
                    deployment.model.unwrap_or(&deployment.path)
                ),
                place(litellm, deployment),
            )
            .expected(format!("{right}://"))
            .command(by_hand::show_entry(
                snapshot,
                config,
                &format!("{}.api_base", deployment.path),
            )),
        );
    }
    let url = by_hand::url(spoken.scheme, &address, "/");
    let seen = match spoken.proof {
        Some(answer) => answer.describe(),
        None => format!("{} says so", own.place("tls.enable")),
    };
    finding
        .evidence(
            Evidence::new("answer", seen, format!("GET / at {address}"))
                .command(by_hand::ask(&url)),
        )
        .fix(fix(litellm, wrong, right))
}

fn place(litellm: View<'_>, deployment: &Deployment<'_>) -> String {
    let path = format!("{}.api_base", deployment.path);
    litellm.snapshot.configs.litellm.place(&path)
}

fn fix(litellm: View<'_>, wrong: &[(Deployment<'_>, &str)], right: &str) -> Fix {
    let mut places: Vec<String> = Vec::new();
    let mut edits = Vec::new();
    for (deployment, base) in wrong {
        let entry = format!("{}.api_base", deployment.path);
        let place = config::place(litellm.snapshot, &entry);
        if !places.contains(&place) {
            places.push(place);
        }
        let rest = base.split_once("://").map_or(*base, |(_, rest)| rest);
        edits.push(Edit {
            entry,
            to: format!("{right}://{rest}"),
        });
    }
    let title = format!(
        "let api_base begin with {right}:// at {}, then restart {}",
        words::list(&places),
        litellm.name
    );
    edit::fix("set-api-base", litellm, title, &edits)
}
