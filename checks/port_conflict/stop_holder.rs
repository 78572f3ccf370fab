//! The exact command that stops who holds a port.

use crate::by_hand;
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
    let then = match (view.is_running(), view.is_wanted()) {
        (true, _) => format!(", then restart {}", view.name),
        (false, true) => format!(", then start {}", view.name),
        (false, false) => String::new(),
    };
    let title = match holder.forwarder() {
        Some(_) => format!("stop what {who} forwards {port} to{then}"),
        None => format!("stop {who}{then}"),
    };
    let mut commands = commands(view.snapshot, holder, port);
    match (view.is_running(), view.is_wanted()) {
        (true, _) => commands.extend(by_hand::restart(*view)),
        (false, true) => commands.extend(by_hand::start(*view)),
        (false, false) => {}
    }
    Fix::manual("stop-holder", title, commands)
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

/// `sudo ` for what needs root, unless root it is who asked.
pub fn sudo_if(snapshot: &Snapshot, needs_root: bool) -> &'static str {
    if needs_root && snapshot.host.user.uid != 0 {
        "sudo "
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::holder::Claim;

    fn stop(processes: &[&Process], bare_pids: &[u32]) -> Vec<String> {
        let mut snapshot = Snapshot::new(Timestamp::UNIX_EPOCH);
        snapshot.host.user.uid = 1000;
        let holder = Holder {
            claim: Claim::Foreign,
            sockets: Vec::new(),
            processes: processes.to_vec(),
            bare_pids: bare_pids.to_vec(),
            hidden_uid: None,
        };
        commands(&snapshot, &holder, 4000)
    }

    #[test]
    fn what_nobody_manages_is_killed_by_its_owner() {
        let ours = Process::foreign(4312, "python3", 1000);
        assert_eq!(stop(&[&ours], &[]), ["kill 4312"]);
        let theirs = Process::foreign(4400, "node", 1001);
        assert_eq!(stop(&[&ours, &theirs], &[77]), ["sudo kill 4312 4400 77"]);
    }

    #[test]
    fn what_is_managed_is_stopped_by_its_manager() {
        let mut unit = Process::foreign(900, "nginx", 0);
        unit.manager = Some(Manager::Systemd {
            unit: "nginx.service".into(),
            user: false,
        });
        assert_eq!(stop(&[&unit], &[]), ["sudo systemctl stop nginx.service"]);
        unit.manager = Some(Manager::Systemd {
            unit: "my app.service".into(),
            user: true,
        });
        assert_eq!(
            stop(&[&unit], &[]),
            ["systemctl --user stop 'my app.service'"]
        );
        let mut contained = Process::foreign(901, "litellm", 1000);
        contained.manager = Some(Manager::Container {
            id: "0123456789ab".into(),
        });
        assert_eq!(stop(&[&contained], &[]), ["docker stop 0123456789ab"]);
    }

    #[test]
    fn neither_a_session_nor_the_engine_nor_init_is_killed() {
        let mut in_scope = Process::foreign(4312, "python3", 1000);
        in_scope.manager = Some(Manager::Systemd {
            unit: "session-3.scope".into(),
            user: false,
        });
        assert_eq!(stop(&[&in_scope], &[]), ["kill 4312"]);
        let mut proxy = Process::foreign(3300, "docker-proxy", 0);
        proxy.manager = Some(Manager::Systemd {
            unit: "docker.service".into(),
            user: false,
        });
        let stopped = stop(&[&proxy], &[]);
        assert_eq!(
            stopped,
            ["docker stop $(docker ps --quiet --filter publish=4000)"]
        );
        let init = Process::foreign(1, "systemd", 0);
        assert!(stop(&[&init], &[])[0].starts_with("systemctl list-sockets"));
    }
}
