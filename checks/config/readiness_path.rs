//! A readiness path that costs money.

use super::COSTLY_READINESS_PATH;
use crate::by_hand;
use crate::model::{Evidence, Finding, ServiceKind, Snapshot, Subject, Verdict};
use crate::places;
use crate::state::services;
use crate::steps::Edits;

/// What is asked in its stead; it costs nothing and tells the same.
const INSTEAD: &str = "/health/readiness";

/// Finds readiness paths that call every model: `/health` of LiteLLM (`facts/litellm.md` 4).
pub fn look(snapshot: &Snapshot, verdict: &mut Verdict) {
    for view in services(snapshot) {
        let path = view.settings().readiness_path.as_str();
        let bare = path.split(['?', '#']).next().unwrap_or(path);
        let is_costly = bare.trim_end_matches('/') == "/health";
        if view.service.kind != ServiceKind::Litellm || !is_costly {
            continue;
        }
        let key = match places::setting(&view, "readiness_path") {
            Some(_) => "readiness_path",
            None => "health_path",
        };
        let config = &snapshot.configs.flowgate;
        let place = places::place_of(&view, key);
        let entry = places::setting_path(&view, key);
        let finding = Finding::new(
            &COSTLY_READINESS_PATH,
            Subject::Service(view.name.into()),
            format!(
                "the readiness path {path} of {} calls every model",
                view.name
            ),
            format!(
                "LiteLLM answers {path} by sending a request to each of its models; flowgate asks \
                 {INSTEAD} instead, other tools may not"
            ),
        )
        .brief("costly readiness path")
        .evidence(
            Evidence::new("config", format!("{key}: {path}"), place.clone())
                .expected(INSTEAD)
                .command(by_hand::show_entry(snapshot, config, &entry)),
        );
        let mut edits = Edits::new(snapshot);
        edits.set_text(config, &entry, INSTEAD);
        let title = format!("write {key}: {INSTEAD} at {place}");
        verdict.push(finding.fix(edits.fix("set-readiness-path", view.name, title, Vec::new())));
    }
}
