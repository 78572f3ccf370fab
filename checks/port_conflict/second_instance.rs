//! Another copy of the same program holds the port.

use super::{SECOND_INSTANCE, listener_row, move_port, stop_holder, unknown_owner, weigh};
use crate::answers::{Answers, answers};
use crate::holder::{Claim, Holder, is_port_wanted};
use crate::model::{Finding, Subject};
use crate::places;
use crate::state::View;

/// The finding for another copy of the program; none when it serves and no run of ours wants the
/// port, which is `supervisor/external`.
pub fn find(view: &View<'_>, holder: &Holder<'_>) -> Option<Finding> {
    let answers = answers(view);
    let is_wanted = is_port_wanted(view);
    let serves = holder.claim == Claim::Serves || answers == Answers::Untried;
    if serves && !is_wanted {
        return None;
    }
    let port = view.settings().port.unwrap_or_default();
    let refuses = holder.claim == Claim::Copy && answers == Answers::Refusing;
    let does = if holder.claim == Claim::Serves {
        "accepts our key"
    } else if refuses {
        "refuses our key"
    } else {
        "is not the run that flowgate knows"
    };
    let symptom = format!(
        "{port} is held by another copy of {}: {}; it {does}",
        view.name,
        holder.describe()
    );
    let cause = match view.own_sockets().first() {
        Some(socket) => format!(
            "{} gives {port} to {}, whose own run moved to {}",
            places::place_of(view, "port"),
            view.name,
            socket.port
        ),
        None if is_wanted => format!(
            "{} gives {port} to {}, whose own run cannot have it",
            places::place_of(view, "port"),
            view.name
        ),
        None => format!(
            "the copy has another config than {}",
            view.snapshot.configs.flowgate.path
        ),
    };
    let mut finding = Finding::new(
        &SECOND_INSTANCE,
        Subject::Service(view.name.into()),
        symptom,
        cause,
    )
    .brief(format!("port held by another copy ({})", holder.short()))
    .evidence(listener_row::row(view, holder, port))
    .evidence(places::setting_row(view, "port", &port.to_string()));
    finding
        .evidence
        .extend(listener_row::answer_row(view, port));
    finding = finding.fix(
        if holder.processes.is_empty() && holder.bare_pids.is_empty() {
            unknown_owner::look_as_root(view, port, "-ltnp")
        } else {
            stop_holder::fix(view, holder, port)
        },
    );
    finding.fixes.extend(move_port::fix(view, port));
    if !refuses && !is_wanted {
        finding = finding.likely();
    }
    Some(weigh(finding, view))
}
