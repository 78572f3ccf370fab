//! What the configured address of a service says of itself: identity, and whether it accepts our key.

use crate::model::{Identity, KeyedAnswer, ServiceKind, TargetProbes};
use crate::state::View;

/// What the configured address says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// The right program, which accepts our key, and refuses the same request without one.
    AsOurs,
    /// The right program, which refuses our key.
    Refusing,
    /// The right program; no key was tried, or nothing follows from what came.
    Untried,
    /// Something else, or nothing.
    Otherwise,
}

/// What the configured address of a service says of itself.
pub fn answers(view: &View<'_>) -> Answers {
    let Some(probes) = view.probes() else {
        return Answers::Otherwise;
    };
    let is_right = match view.service.kind {
        ServiceKind::Other => probes.identity() != Identity::Silent,
        ServiceKind::Litellm | ServiceKind::Cliproxyapi => view.is_identified(),
    };
    if is_right {
        keyed(probes)
    } else {
        Answers::Otherwise
    }
}

fn keyed(probes: &TargetProbes) -> Answers {
    let is_status = |keyed: &KeyedAnswer, range: std::ops::Range<u16>| {
        let status = keyed.answer.known().and_then(|answer| answer.status());
        status.is_some_and(|status| range.contains(&status))
    };
    let (with_key, without): (Vec<_>, Vec<_>) = probes
        .models
        .values()
        .partition(|keyed| keyed.key.is_some());
    let accepts = |answers: &[&KeyedAnswer]| answers.iter().any(|one| is_status(one, 200..300));
    match (accepts(&with_key), accepts(&without)) {
        (true, false) => Answers::AsOurs,
        (false, true) if with_key.is_empty() => Answers::AsOurs,
        (false, false) if with_key.iter().any(|one| is_status(one, 400..404)) => Answers::Refusing,
        _ => Answers::Untried,
    }
}
