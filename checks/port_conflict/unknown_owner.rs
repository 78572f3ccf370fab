//! The port is held, and the holder cannot be seen.

use super::{UNKNOWN_OWNER, foreign_listener, listener_row, move_port, stop_holder, weigh};
use crate::answers::{Answers, answers};
use crate::holder::{Holder, may_be_own};
use crate::model::{BindState, Evidence, Finding, Fix, Subject, UnknownDatum};
use crate::places;
use crate::state::View;

/// The finding for a listener whose owner is hidden and which does not answer as ours.
pub fn find(view: &View<'_>, holder: &Holder<'_>) -> Finding {
    let port = view.settings().port.unwrap_or_default();
    let mut cause = foreign_listener::cause(view, port);
    if answers(view) == Answers::Refusing {
        cause.push_str("; what answers there is the same program, and refuses our key");
    }
    let finding = Finding::new(
        &UNKNOWN_OWNER,
        Subject::Service(view.name.into()),
        format!("{port} is held by {}", holder.describe()),
        cause,
    )
    .brief(format!("port held by {}", holder.short()))
    .evidence(listener_row::row(view, holder, port));
    complete(finding, view, port, "-ltnp")
}

/// The finding for a port that cannot be bound although nobody listens on it.
pub fn find_without_listener(view: &View<'_>) -> Option<Finding> {
    let port = view.settings().port?;
    let snapshot = view.snapshot;
    let report = snapshot.binds.get(view.name)?;
    let is_in_use = report
        .addresses
        .values()
        .any(|state| *state == BindState::InUse);
    let has_listener = snapshot
        .sockets
        .known()?
        .values()
        .any(|socket| socket.port == port);
    if !is_in_use || has_listener || view.is_running() || answers(view) == Answers::AsOurs {
        return None;
    }
    let finding = Finding::new(
        &UNKNOWN_OWNER,
        Subject::Service(view.name.into()),
        format!("{port} is in use, and nobody is seen to listen on it"),
        foreign_listener::cause(view, port),
    )
    .brief("port in use")
    .evidence(
        Evidence::new("bind test", format!("{port} is in use"), "bind")
            .expected("free")
            .command(format!("ss -tanp 'sport = :{port}'")),
    )
    .likely();
    Some(complete(finding, view, port, "-tanp"))
}

fn complete(finding: Finding, view: &View<'_>, port: u16, options: &str) -> Finding {
    let mut finding = finding.evidence(places::setting_row(view, "port", &port.to_string()));
    finding
        .evidence
        .extend(listener_row::answer_row(view, port));
    finding = finding.fix(look_as_root(view, port, options));
    finding.fixes.extend(move_port::fix(view, port));
    weigh(finding, view)
}

/// The remedy for a holder that only root can see. Where root cannot see it either it lies in another
/// namespace, and the same command tells so from outside.
pub fn look_as_root(view: &View<'_>, port: u16, options: &str) -> Fix {
    Fix::manual(
        "look-as-root",
        format!("see who holds {port} as root, and stop it"),
        vec![format!(
            "{}ss {options} 'sport = :{port}'",
            stop_holder::sudo_if(view.snapshot, true)
        )],
    )
}

/// Our own run may be the owner that cannot be seen; then nothing is proven, and nothing is wrong.
pub fn unproven(view: &View<'_>) -> Option<UnknownDatum> {
    let socket = view
        .rivals()
        .into_iter()
        .find(|socket| may_be_own(view, socket))?;
    Some(UnknownDatum {
        what: format!("whether {} itself holds {}", view.name, socket.port),
        why: "the owner of the listener cannot be seen; it has the user of the service".into(),
        command: Some(listener_row::look(view.snapshot, socket.port)),
        optional: true,
    })
}
