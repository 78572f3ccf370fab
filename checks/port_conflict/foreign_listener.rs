//! Another program holds the port.

use super::{FOREIGN_LISTENER, listener_row, move_port, stop_holder, weigh};
use crate::holder::Holder;
use crate::model::{Finding, ServiceKind, Subject};
use crate::places;
use crate::state::View;

/// The finding for a holder that is neither ours nor a copy of the program.
pub fn find(view: &View<'_>, holder: &Holder<'_>) -> Finding {
    let port = view.settings().port.unwrap_or_default();
    let who = holder.describe();
    let symptom = match holder.forwarder() {
        Some(_) => format!(
            "{port} is held by {who}, which forwards it to something that is not {}",
            view.name
        ),
        None => format!("{port} is held by {who}; flowgate did not start it"),
    };
    let mut finding = Finding::new(
        &FOREIGN_LISTENER,
        Subject::Service(view.name.into()),
        symptom,
        cause(view, port),
    )
    .brief(format!("port held by {}", holder.short()))
    .evidence(listener_row::row(view, holder, port))
    .evidence(places::setting_row(view, "port", &port.to_string()));
    finding
        .evidence
        .extend(listener_row::answer_row(view, port));
    finding = finding.fix(stop_holder::fix(view, holder, port));
    finding.fixes.extend(move_port::fix(view, port));
    weigh(finding, view)
}

/// What the program does when its port is held, which is why it seems to have started.
pub fn cause(view: &View<'_>, port: u16) -> String {
    let place = places::place_of(view, "port");
    let given = format!("{place} gives {port} to {}", view.name);
    let moved = || {
        view.own_sockets().first().map(|socket| {
            format!(
                "{given}; LiteLLM found it taken and moved to {} without a word",
                socket.port
            )
        })
    };
    match view.service.kind {
        ServiceKind::Litellm if view.is_running() => moved().unwrap_or(given),
        ServiceKind::Cliproxyapi if !view.is_running() && view.is_wanted() => {
            format!("{given}; CLIProxyAPIPlus ends with status 0 when the port is held")
        }
        _ => given,
    }
}
