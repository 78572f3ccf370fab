//! Somebody else runs a service.

use super::EXTERNAL;
use crate::answers::{Answers, answers};
use crate::holder::{Holder, served_by_another};
use crate::model::{Evidence, Finding, Manager, Process, ServiceKind, Snapshot, Subject, Verdict};
use crate::places;
use crate::shell::quote;
use crate::state::{View, address_key, services};
use crate::words;

/// Finds services that serve without a run of ours.
pub fn look(snapshot: &Snapshot, verdict: &mut Verdict) {
    let found = services(snapshot).filter_map(|view| {
        let holder = served_by_another(&view)?;
        Some(external(&view, &holder))
    });
    verdict.findings.extend(found);
}

fn external(view: &View<'_>, holder: &Holder<'_>) -> Finding {
    let port = view.settings().port.unwrap_or_default();
    let program = match view.service.kind {
        ServiceKind::Litellm => "LiteLLM",
        ServiceKind::Cliproxyapi => "CLIProxyAPI",
        ServiceKind::Other => "it",
    };
    let is_proven = answers(view) == Answers::AsOurs;
    let cause = if is_proven {
        format!(
            "{program} answers on {port} and accepts our key, and no run of flowgate wants the port"
        )
    } else {
        format!(
            "{program} answers on {port}, no key was tried, and no run of flowgate wants the port"
        )
    };
    let mut finding = Finding::new(
        &EXTERNAL,
        Subject::Service(view.name.into()),
        format!(
            "{} is run by {}, not by flowgate",
            view.name,
            runner(holder)
        ),
        cause,
    )
    .brief(format!("run by {}", holder.short()))
    .evidence(
        Evidence::new("listener", listeners(holder, port), "/proc/net/tcp")
            .command(format!("ss -ltnp 'sport = :{port}'")),
    )
    .evidence(places::setting_row(view, "port", &port.to_string()));
    if let Some(process) = holder.processes.first() {
        finding = finding.evidence(manager_row(holder, process, port));
    }
    if is_proven { finding } else { finding.likely() }
}

fn runner(holder: &Holder<'_>) -> String {
    match holder.manager() {
        Some(Manager::Systemd { unit, .. }) => format!("systemd as {unit}"),
        Some(Manager::Container { id }) => format!("container {id}"),
        None if holder.forwarder().is_some_and(leads_elsewhere) => {
            format!("another machine behind {}", holder.describe())
        }
        None if holder.forwarder().is_some() => format!("a container behind {}", holder.describe()),
        None => holder.describe(),
    }
}

/// Whether a forwarder is one to another machine: `ssh -L`, or an `sshd` for `ssh -R`.
fn leads_elsewhere(process: &Process) -> bool {
    process.name.starts_with("ssh")
}

fn listeners(holder: &Holder<'_>, port: u16) -> String {
    if holder.sockets.is_empty() {
        return format!("no listener of this machine's own on {port}, which answers nevertheless");
    }
    let addresses: Vec<String> = holder
        .sockets
        .iter()
        .map(|socket| address_key(&socket.address, socket.port))
        .collect();
    format!("{}  {}", words::list(&addresses), holder.describe())
}

/// Who manages the process, and how to ask him: it is he who starts and stops it.
fn manager_row(holder: &Holder<'_>, process: &Process, port: u16) -> Evidence {
    let (observed, command) = match holder.manager() {
        Some(Manager::Systemd { unit, user }) => {
            let scope = if *user { " --user" } else { "" };
            (
                format!("systemd unit {unit}"),
                format!("systemctl{scope} status --no-pager {}", quote(unit)),
            )
        }
        Some(Manager::Container { id }) => (
            format!("container {id}"),
            format!("docker ps --filter id={}", quote(id)),
        ),
        None if holder.forwarder().is_some() => (
            format!("a forward by {}", process.name),
            format!("docker ps --filter publish={port}"),
        ),
        None => (
            format!("started by hand: {}", process.command),
            format!("ps -o pid,ppid,user,lstart,args -p {}", process.pid),
        ),
    };
    Evidence::new("process", observed, format!("/proc/{}", process.pid)).command(command)
}
