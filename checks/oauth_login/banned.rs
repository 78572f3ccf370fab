//! The management API has banned this machine for a while.

use super::BANNED;
use crate::by_hand;
use crate::logins::is_any_wanted;
use crate::model::{BodyClass, Evidence, Finding, Fix, Severity, Subject, Verdict};
use crate::state::View;
use crate::steps;

/// Where every management request goes.
const MANAGEMENT_PATH: &str = "/v0/management/";

/// Finds a ban: five wrong keys are answered by 30 minutes of 403, also to the right key
/// (`facts/real-stack.md`, Management API).
pub fn look(proxy: View<'_>, verdict: &mut Verdict) {
    let snapshot = proxy.snapshot;
    let Some(answer) = snapshot.credentials.management.answer.known() else {
        return;
    };
    let Some(BodyClass::ManagementBanned { minutes }) = answer.body() else {
        return;
    };
    let until = snapshot
        .clock
        .gathered_at
        .checked_add(jiff::SignedDuration::from_mins(i64::from(*minutes)))
        .map_or_else(
            |_| "later".into(),
            |until| until.strftime("%H:%M UTC").to_string(),
        );
    let is_wanted = is_any_wanted(snapshot);
    let stake = if is_wanted {
        "no login can be begun"
    } else {
        "no login needs it now"
    };
    let mut finding = Finding::new(
        &BANNED,
        Subject::Service(proxy.name.into()),
        format!(
            "the management API of {} refuses this machine for {minutes} min more; {stake}",
            proxy.name
        ),
        "five requests with a wrong management key, or with none, were sent to it, and now it refuses \
         the right one too",
    )
    .brief("management API banned")
    .evidence(
        Evidence::new("answer", answer.describe(), &answer.request)
            .expected("200 with the list of logins"),
    )
    .evidence(refusals(proxy));
    if !is_wanted {
        finding = finding.at(Severity::Info);
    }
    finding = finding
        .fix(Fix::manual(
            "wait-until",
            format!("wait until {until}; the right key is accepted then"),
            Vec::new(),
        ))
        .fix(steps::restart_asked(
            proxy,
            format!("restart {}, which forgets the ban", proxy.name),
            by_hand::restart(proxy),
        ));
    verdict.push(finding);
}

/// The refused management requests in the log.
fn refusals(proxy: View<'_>) -> Evidence {
    let log = proxy.service.log.known();
    let refused = log.map_or(0, |log| {
        log.lines
            .iter()
            .filter(|line| line.contains(MANAGEMENT_PATH) && line.contains("401"))
            .count()
    });
    let path = log.map_or("", |log| log.path.as_str());
    let row = Evidence::new(
        "log",
        format!("{refused} management requests answered 401"),
        path,
    );
    match log {
        Some(_) => row.command(format!(
            "grep -F {MANAGEMENT_PATH} {} | tail",
            crate::shell::path(proxy.snapshot, path)
        )),
        None => row,
    }
}
