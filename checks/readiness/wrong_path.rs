//! The configured readiness path does not exist, while the service is well.

use super::WRONG_PATH;
use crate::by_hand;
use crate::model::{Evidence, Finding, Fix, ServiceKind, Subject, Verdict};
use crate::places;
use crate::state::View;
use crate::steps::Edits;

/// Finds a readiness path that the right program answers with 404. What a stranger says of it is
/// no word of the service, and a path of another program is that program's own matter.
pub fn look(view: View<'_>, verdict: &mut Verdict) {
    let instead = match view.service.kind {
        ServiceKind::Litellm => "/health/readiness",
        ServiceKind::Cliproxyapi => "/",
        ServiceKind::Other => return,
    };
    let answer = view.probes().and_then(|probes| probes.readiness.known());
    let Some(answer) = answer.filter(|answer| answer.status() == Some(404)) else {
        return;
    };
    if !view.is_identified() {
        return;
    }
    let asked = answer.request.split_whitespace().last().unwrap_or("/");
    let url = by_hand::url(
        view.settings().scheme,
        &view.address().unwrap_or_default(),
        asked,
    );
    let key = if places::setting(&view, "readiness_path").is_some() {
        "readiness_path"
    } else {
        "health_path"
    };
    let place = places::place_of(&view, key);
    let finding = Finding::new(
        &WRONG_PATH,
        Subject::Service(view.name.into()),
        format!("the readiness path {asked} of {} does not exist", view.name),
        format!("{place} names it; the service itself is well"),
    )
    .brief("readiness path is 404")
    .evidence(
        Evidence::new("answer", answer.describe(), url.clone())
            .expected("2xx, or a refusal of the missing key")
            .command(by_hand::ask(&url)),
    )
    .evidence(places::setting_row(
        &view,
        key,
        &view.settings().readiness_path,
    ))
    .fix(fix(view, key, &place, instead));
    verdict.push(finding);
}

fn fix(view: View<'_>, key: &str, place: &str, instead: &str) -> Fix {
    let mut edits = Edits::new(view.snapshot);
    let path = places::setting_path(&view, key);
    edits.set_text(&view.snapshot.configs.flowgate, &path, instead);
    let title = format!("write {key}: {instead} at {place}");
    edits.fix("set-readiness-path", view.name, title, Vec::new())
}
