//! The port to which a browser comes back is held by somebody.

use super::CALLBACK_PORT_BUSY;
use crate::by_hand;
use crate::logins::is_wanted;
use crate::model::{
    BindState, CallbackPort, Evidence, Finding, Fix, Owner, Process, Socket, Subject, UnknownDatum,
    Verdict,
};
use crate::routes::canonical_provider;
use crate::state::{View, all_sockets, owners};
use crate::steps;
use crate::words;

/// Finds held callback ports of logins that are wanted, or that failed on it.
pub fn look(proxy: View<'_>, verdict: &mut Verdict) {
    for (provider, callback) in &proxy.snapshot.credentials.callback_ports {
        if !is_wanted(proxy.snapshot, provider) && !failed_on_it(proxy, provider) {
            continue;
        }
        let held = addresses(callback, |state| *state == BindState::InUse);
        if !held.is_empty() {
            verdict.push(finding(proxy, provider, callback, &held));
            continue;
        }
        let untold = callback.addresses.values().find_map(|state| match state {
            BindState::Unknown { why } => Some(why),
            _ => None,
        });
        if let Some(why) = untold {
            verdict.unknowns.push(UnknownDatum {
                what: format!("whether the callback port {} is free", callback.port),
                why: why.clone(),
                command: Some(listeners(callback.port)),
                optional: false,
            });
        }
    }
}

fn addresses(callback: &CallbackPort, is: impl Fn(&BindState) -> bool) -> Vec<&str> {
    callback
        .addresses
        .iter()
        .filter(|(_, state)| is(state))
        .map(|(address, _)| address.as_str())
        .collect()
}

/// Whether the service's log since its start says that it could not open the port.
fn failed_on_it(proxy: View<'_>, provider: &str) -> bool {
    proxy.service.log.known().is_some_and(|log| {
        log.lines.iter().any(|line| {
            // `failed to start codex callback forwarder` (`facts/cliproxyapi.md` 4.2).
            line.contains(&format!(
                "failed to start {} callback forwarder",
                canonical_provider(provider)
            ))
        })
    })
}

fn listeners(port: u16) -> String {
    format!("ss -ltnp 'sport = :{port}'")
}

fn finding(proxy: View<'_>, provider: &str, callback: &CallbackPort, held: &[&str]) -> Finding {
    let sockets: Vec<&Socket> = all_sockets(proxy.snapshot)
        .filter(|socket| socket.port == callback.port)
        .collect();
    let mut holders: Vec<&Process> = sockets
        .iter()
        .flat_map(|socket| owners(proxy.snapshot, socket))
        .collect();
    holders.sort_by_key(|process| process.pid);
    holders.dedup_by_key(|process| process.pid);
    let own = holders
        .iter()
        .find(|process| process.serves() == Some(proxy.name));
    let who = describe(&sockets, &holders);
    let cause = match own {
        Some(_) => format!(
            "{} itself holds it: a login waits there, for 5 min at most",
            proxy.name
        ),
        None => format!(
            "the browser comes back to localhost:{} at the end of the login, and reaches {who}",
            callback.port
        ),
    };
    let finding = Finding::new(
        &CALLBACK_PORT_BUSY,
        Subject::Provider(provider.into()),
        format!(
            "the callback port {} of {provider} is held by {who}",
            callback.port
        ),
        cause,
    )
    .brief(format!("callback port {} held", callback.port))
    .evidence(
        Evidence::new(
            "listener",
            format!("{} held at {}", callback.port, words::list(held)),
            "bind test",
        )
        .expected("free at 127.0.0.1 and ::1")
        .command(listeners(callback.port)),
    );
    let finding = match holders.first() {
        Some(process) => finding.evidence(
            Evidence::new("process", &process.command, format!("pid {}", process.pid))
                .command(format!("ps -o pid,user,etime,args -p {}", process.pid)),
        ),
        None => finding,
    };
    match own {
        Some(_) => finding
            .fix(Fix::manual(
                "wait-until",
                "finish the login that waits, or wait 5 min for its end",
                Vec::new(),
            ))
            .fix(steps::restart_by_rule(
                proxy,
                format!("restart {}, which gives the port back", proxy.name),
                by_hand::restart(proxy),
            )),
        None => finding.fix(stop_fix(callback.port, &holders, &who)),
    }
}

fn describe(sockets: &[&Socket], holders: &[&Process]) -> String {
    let hidden = sockets.iter().find_map(|socket| match socket.owner {
        Owner::Hidden { uid } => Some(uid),
        Owner::Known { .. } => None,
    });
    match (holders, hidden) {
        ([first, rest @ ..], _) => {
            let more = if rest.is_empty() {
                String::new()
            } else {
                format!(" and {} more", rest.len())
            };
            format!(
                "{} (pid {}, user {}){more}",
                first.name, first.pid, first.user
            )
        }
        ([], Some(uid)) => format!("a process of uid {uid} that cannot be seen"),
        ([], None) => "a process that cannot be seen".into(),
    }
}

fn stop_fix(port: u16, holders: &[&Process], who: &str) -> Fix {
    let commands = if holders.is_empty() {
        vec![format!("sudo {}", listeners(port))]
    } else {
        holders
            .iter()
            .map(|process| by_hand::stop(process))
            .collect()
    };
    let title = if holders.is_empty() {
        format!("find out what holds {port}, stop it, then log in again")
    } else {
        format!("stop {who}, then log in again")
    };
    Fix::manual("stop-holder", title, commands)
}
