#![doc = include_str!("../port_conflict.md")]

mod cannot_bind;
mod drifted_port;
mod foreign_listener;
mod listener_row;
mod move_port;
mod own_orphan;
mod rival_manager;
mod same_port_twice;
mod second_instance;
mod split_stack;
mod stop_holder;
mod unknown_owner;

use crate::holder::{Claim, holders};
use crate::model::{Check, Finding, Impact, Severity, Snapshot, Verdict};
use crate::places;
use crate::state::{View, need, services};

/// The check.
pub static CHECK: Check = Check {
    id: "port-conflict",
    title: "who holds the ports",
    section: Some(1),
    page: include_str!("../port_conflict.md"),
    findings: FINDINGS,
    run,
};

crate::findings! { "port-conflict";
    FOREIGN_LISTENER = "foreign-listener", Error, Outage, "another program holds the port";
    SECOND_INSTANCE = "second-instance", Error, Outage, "another copy of the program holds the port";
    OWN_ORPHAN = "own-orphan", Error, Outage, "an earlier run of ours holds the port";
    UNKNOWN_OWNER = "unknown-owner", Error, Outage, "a process that cannot be seen holds the port";
    DRIFTED_PORT = "drifted-port", Error, Outage, "the service listens on another port";
    SAME_PORT_TWICE = "same-port-twice", Error, Outage, "two services are given one port";
    SPLIT_STACK = "split-stack", Warning, Risk, "another program holds the port on the other family";
    CANNOT_BIND = "cannot-bind", Error, Outage, "the address cannot be bound";
    RIVAL_MANAGER = "rival-manager", Warning, Risk, "another manager wants the port";
}

fn run(snapshot: &Snapshot) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.unknowns.extend(places::unread_config(snapshot));
    need(&snapshot.sockets, "who listens", &mut verdict.unknowns);
    for view in services(snapshot) {
        for holder in holders(&view) {
            let found = match holder.claim {
                Claim::Foreign => Some(foreign_listener::find(&view, &holder)),
                Claim::Hidden => Some(unknown_owner::find(&view, &holder)),
                Claim::Orphan => Some(own_orphan::find(&view, &holder)),
                Claim::Copy | Claim::Serves => second_instance::find(&view, &holder),
            };
            verdict.findings.extend(found);
        }
        verdict
            .findings
            .extend(unknown_owner::find_without_listener(&view));
        verdict.findings.extend(drifted_port::find(&view));
        verdict.findings.extend(split_stack::find(&view));
        verdict.findings.extend(rival_manager::find(&view));
        verdict.merge(cannot_bind::find(&view));
        verdict.unknowns.extend(unknown_owner::unproven(&view));
    }
    verdict.findings.extend(same_port_twice::find(snapshot));
    verdict
}

/// The severity that a fault of a port has: nobody misses the port of a service that is not wanted.
fn weigh(finding: Finding, view: &View<'_>) -> Finding {
    if view.is_wanted() {
        return finding;
    }
    let mut finding = finding.at(Severity::Warning);
    finding.impact = Impact::Risk;
    finding
}
