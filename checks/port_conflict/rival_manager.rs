//! Another manager of the same programs wants the port, or ended our run to have it.

use jiff::SignedDuration;

use super::RIVAL_MANAGER;
use crate::holder::{Claim, holders, is_port_wanted};
use crate::model::{Evidence, Finding, Fix, Manager, Process, Relation, ServiceKind, Subject};
use crate::state::View;
use crate::words;

/// A manager, and how the paths of what it starts show it (`peers.md`): part of the path in small
/// letters, name, and how a person tells it to let go.
const MANAGERS: [(&str, &str, &str); 5] = [
    ("/.ccs/", "ccs", "ccs cliproxy stop"),
    ("/quotio", "Quotio", "stop its proxy in Quotio"),
    ("/proxypal", "ProxyPal", "stop its proxy in ProxyPal"),
    ("/easycli", "EasyCLI", "stop its proxy in EasyCLI"),
    ("/vibeproxy", "VibeProxy", "stop its server in VibeProxy"),
];

/// What brew installs is anybody's to run; what its services run has a unit of this name.
const BREW_UNIT: &str = "homebrew.";

/// So long before and after the end of our run a copy of a manager counts as its successor.
const BEFORE: SignedDuration = SignedDuration::from_secs(2);
const AFTER: SignedDuration = SignedDuration::from_secs(30);

/// A known manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rival {
    name: &'static str,
    stop: &'static str,
}

/// The finding for a manager whose process holds the port that a run of ours wants, or whose copy of
/// the program began when ours was killed. One that is merely installed has no process.
pub fn find(view: &View<'_>) -> Option<Finding> {
    // All of them run CLIProxyAPI.
    if view.service.kind != ServiceKind::Cliproxyapi || !is_port_wanted(view) {
        return None;
    }
    let held = holders(view)
        .into_iter()
        .filter(|holder| matches!(holder.claim, Claim::Copy | Claim::Serves))
        .flat_map(|holder| holder.processes)
        .find_map(|process| Some((process, manager_of(process)?)));
    match held {
        Some((process, manager)) => Some(holding(view, process, manager)),
        None => successor(view).map(|(process, manager)| replacing(view, process, manager)),
    }
}

/// The manager that started a process, by its program and its command line. Another user's folder of
/// the same name is that user's manager, and means the same.
fn manager_of(process: &Process) -> Option<Rival> {
    if matches!(&process.manager, Some(Manager::Systemd { unit, .. }) if unit.starts_with(BREW_UNIT))
    {
        return Some(Rival {
            name: "brew",
            stop: "brew services stop cliproxyapi",
        });
    }
    let words = process.command.split_whitespace().take(2);
    let mut paths = process.exe.as_deref().into_iter().chain(words);
    paths.find_map(|path| {
        let path = path.to_ascii_lowercase();
        let known = MANAGERS.iter().find(|(part, ..)| path.contains(part))?;
        Some(Rival {
            name: known.1,
            stop: known.2,
        })
    })
}

/// A copy of the program, of a known manager, that began when our last run was killed.
fn successor<'a>(view: &View<'a>) -> Option<(&'a Process, Rival)> {
    let exit = view.service.exits.first()?;
    if view.is_running() || exit.requested || exit.signal.as_deref() != Some("KILL") {
        return None;
    }
    let now = view.snapshot.clock.gathered_at;
    view.snapshot.processes.values().find_map(|process| {
        let is_copy =
            matches!(&process.relation, Relation::SameProgram { service } if service == view.name);
        let age = SignedDuration::from_millis(i64::try_from(process.age_ms).ok()?);
        let since = now.checked_sub(age).ok()?.duration_since(exit.at);
        let is_near = since >= -BEFORE && since <= AFTER;
        (is_copy && is_near).then(|| Some((process, manager_of(process)?)))?
    })
}

fn holding(view: &View<'_>, process: &Process, manager: Rival) -> Finding {
    let port = view.settings().port.unwrap_or_default();
    finding(
        view,
        process,
        manager,
        format!(
            "{} manages the program that holds {port} ({}, pid {})",
            manager.name, process.name, process.pid
        ),
    )
}

fn replacing(view: &View<'_>, process: &Process, manager: Rival) -> Finding {
    finding(
        view,
        process,
        manager,
        format!(
            "{} was killed when {} started its own copy (pid {})",
            view.name, manager.name, process.pid
        ),
    )
    .likely()
}

fn finding(view: &View<'_>, process: &Process, manager: Rival, symptom: String) -> Finding {
    Finding::new(
        &RIVAL_MANAGER,
        Subject::Service(view.name.into()),
        symptom,
        format!(
            "{} and flowgate both keep {} running, and only one can have its port",
            manager.name, view.name
        ),
    )
    .brief(format!("{} wants its port", manager.name))
    .evidence(
        Evidence::new(
            "process",
            format!(
                "pid {} {}, started {} ago",
                process.pid,
                process.command,
                words::age(process.age_ms)
            ),
            format!("/proc/{}", process.pid),
        )
        .command(format!("ps -o pid,ppid,lstart,args -p {}", process.pid)),
    )
    .fix(Fix::manual(
        "by-hand",
        format!(
            "let one of them run it: {}, or give {} another port",
            manager.stop, view.name
        ),
        Vec::new(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(exe: Option<&str>, command: &str) -> Option<&'static str> {
        managed(exe, command, None)
    }

    fn managed(exe: Option<&str>, command: &str, manager: Option<Manager>) -> Option<&'static str> {
        let process = Process {
            exe: exe.map(str::to_owned),
            command: command.into(),
            manager,
            ..Process::foreign(1, "x", 1000)
        };
        manager_of(&process).map(|manager| manager.name)
    }

    #[test]
    fn a_manager_is_known_by_the_place_of_what_it_starts() {
        let core = "cli-proxy-api -config x";
        assert_eq!(
            named(
                Some("/home/ana/.ccs/cliproxy/bin/plus/cli-proxy-api-plus"),
                core
            ),
            Some("ccs")
        );
        let unit = Manager::Systemd {
            unit: "homebrew.cliproxyapi.service".into(),
            user: true,
        };
        assert_eq!(managed(None, core, Some(unit)), Some("brew"));
        assert_eq!(
            named(
                Some("/Users/ana/Library/Application Support/Quotio/CLIProxyAPI"),
                core
            ),
            Some("Quotio")
        );
    }

    #[test]
    fn an_argument_that_names_a_manager_makes_nobody_one() {
        assert_eq!(
            named(
                Some("/home/ana/old/CLIProxyAPIPlus"),
                "/home/ana/old/CLIProxyAPIPlus -config /home/ana/.ccs/config.yaml"
            ),
            None
        );
        let by_hand = "/home/linuxbrew/.linuxbrew/bin/cliproxyapi -c y";
        assert_eq!(named(None, by_hand), None);
        assert_eq!(named(None, ""), None);
    }
}
