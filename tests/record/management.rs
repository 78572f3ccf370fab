//! The management API: the comparison of the keys is flowgate's own, the one request is recorded.

use std::path::Path;

use flowgate::config::cliproxyapi::SecretKey;
use flowgate::gateway::auth_files;
use flowgate::gateway::cliproxyapi::VERSION_HEADER;
use flowgate::gateway::management::{Comparison, confirm_equal};
use flowgate::gateway::requests::Request;
use flowgate::gather::http::{Probes, Target, withheld};
use flowgate::gather::management::{ManagementPlan, confirm, read_kept_key};
use flowgate_checks::model::{Answer, Management, Observed, ServiceKind};
use secrecy::SecretString;

use crate::frame::MANAGEMENT_KEY;
use crate::probes::{answer, headers_of, trust};
use crate::recording::ROOT;
use crate::stage::Stage;
use crate::who::Who;

/// The management API as a look would have seen it.
pub fn of(stage: &Stage<'_>, who: &Who, targets: &[Target], probes: &Probes) -> Management {
    let kept_at = Path::new(ROOT).join(".router/secrets/management.key");
    let shown = stage.show(&kept_at);
    let kept = read_kept_key(&stage.inside(&kept_at), &shown, &stage.redactor);
    let own = stage.cliproxyapi.config.as_ref();
    let plan = ManagementPlan {
        kept: kept.known().cloned().flatten(),
        stored: own.and_then(|config| match &config.secret_key {
            SecretKey::Hash(secret) | SecretKey::Plain(secret) => Some(secret.clone()),
            SecretKey::Absent => None,
        }),
        password: match &who.environments["cliproxyapi_plus"] {
            Observed::Known(look) => {
                Observed::Known(look.secrets.get("MANAGEMENT_PASSWORD").cloned())
            }
            _ => Observed::NotAsked,
        },
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let confirmed = runtime.block_on(confirm(plan));
    let has_key = confirmed.has_key();
    let management = confirmed.management;
    let proxy = targets
        .iter()
        .find(|target| target.kind == ServiceKind::Cliproxyapi);
    match proxy {
        Some(target) if has_key => ask(management, stage, who, target, probes),
        _ => management,
    }
}

fn ask(
    mut management: Management,
    stage: &Stage<'_>,
    who: &Who,
    target: &Target,
    probes: &Probes,
) -> Management {
    if let Some(why) = withheld(target, probes, trust(who, target)) {
        management.answer = Observed::unknown(why);
        return management;
    }
    let request = auth_files();
    let (answered, body) = answer(stage, who, target, &request, Some(MANAGEMENT_KEY));
    if answered.known().is_some_and(Answer::is_success) {
        management.auth_files = body
            .and_then(|body| auth_files::parse(&body, &stage.redactor))
            .map_or_else(
                || Observed::unknown("no list of auth files"),
                Observed::Known,
            );
    }
    let headers = headers_of(stage, target, &request, MANAGEMENT_KEY);
    let version = headers
        .get(VERSION_HEADER)
        .map(|version| version.to_str().unwrap());
    management.version = version.map(str::to_owned);
    management.answer = answered;
    management
}

/// The one management request; its key was confirmed before.
fn auth_files() -> Request {
    let key = SecretString::from(MANAGEMENT_KEY);
    match confirm_equal(&key, &key) {
        Comparison::Confirmed(key) => Request::auth_files(&key),
        other => panic!("{other:?}"),
    }
}
