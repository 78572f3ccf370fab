//! The exact command that stops who holds a port.

use crate::holder::Holder;
use crate::model::{Fix, Manager, Process, Snapshot};
use crate::shell::quote;
use crate::state::View;

/// The remedy `stop-holder`, in the words of whoever manages the holder.
pub fn fix(view: &View<'_>, holder: &Holder<'_>, port: u16) -> Fix {
    let who = match holder.processes.as_slice() {
        [] => holder.describe(),
        [only] => format!("{} (pid {})", only.name, only.pid),
        [first, rest @ ..] => format!("{} (pid {}) and {} more", first.name, first.pid, rest.len()),
    };
    let then = if view.is_wanted() {
        format!(", then start {}", view.name)
    } else {
        String::new()
    };
    let title = match holder.forwarder() {
        Some(_) => format!("stop what {who} forwards {port} to{then}"),
        None => format!("stop {who}{then}"),
    };
    Fix::manual("stop-holder", title, commands(view.snapshot, holder, port))
}

fn commands(snapshot: &Snapshot, holder: &Holder<'_>, port: u16) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut kills: Vec<&Process> = Vec::new();
    for process in &holder.processes {
        match command(snapshot, process, port) {
            Some(command) if commands.contains(&command) => {}
            Some(command) => commands.push(command),
            None => kills.push(process),
        }
    }
    let mut pids: Vec<String> = kills
        .iter()
        .map(|process| process.pid.to_string())
        .collect();
    pids.extend(holder.bare_pids.iter().map(u32::to_string));
    if !pids.is_empty() {
        let is_foreign = |process: &&Process| process.uid != snapshot.host.user.uid;
        let sudo = sudo_if(snapshot, kills.iter().any(is_foreign));
        commands.push(format!("{sudo}kill {}", pids.join(" ")));
    }
    commands
}

/// How to stop a process that something else keeps alive; none for one that is simply killed.
fn command(snapshot: &Snapshot, process: &Process, port: u16) -> Option<String> {
    match process.name.as_str() {
        "docker-proxy" | "rootlesskit" => {
            return Some(format!(
                "docker stop $(docker ps --quiet --filter publish={port})"
            ));
        }
        "pasta" | "pasta.avx2" | "slirp4netns" | "rootlessport" => {
            return Some("podman ps --format '{{.ID}} {{.Names}} {{.Ports}}'".into());
        }
        // A socket unit: systemd itself listens, and a kill would end the machine or the session.
        "systemd" => {
            let user = if process.pid == 1 { "" } else { " --user" };
            return Some(format!(
                "systemctl{user} list-sockets --no-pager | grep -w {port}"
            ));
        }
        _ => {}
    }
    match process.manager.as_ref()? {
        Manager::Systemd { unit, user } if unit.ends_with(".service") => Some(match user {
            true => format!("systemctl --user stop {}", quote(unit)),
            false => format!("{}systemctl stop {}", sudo_if(snapshot, true), quote(unit)),
        }),
        // A scope holds whatever was started in a session, the user's shell included.
        Manager::Systemd { .. } => None,
        Manager::Container { id } => Some(format!("docker stop {}", quote(id))),
    }
}

fn sudo_if(snapshot: &Snapshot, needs_root: bool) -> &'static str {
    if needs_root && snapshot.host.user.uid != 0 {
        "sudo "
    } else {
        ""
    }
}
