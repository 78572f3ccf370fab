//! Who holds the configured port of a service in its stead, and whether that one serves as ours.

use crate::answers::{Answers, answers};
use crate::model::{
    BindState, Manager, Owner, Process, Relation, RunLife, ServiceKind, Snapshot, Socket,
};
use crate::state::{View, asked_host, meets};
use crate::words;

/// Those who hold the configured port of a service and make the same claim to it; never our own run.
/// Dual-stack and wildcard binds of one process are one holder.
pub struct Holder<'a> {
    /// What their holding means.
    pub claim: Claim,
    /// The listeners, in the order of their addresses; none when something answers and nothing
    /// here listens (a forward without a listener).
    pub sockets: Vec<&'a Socket>,
    /// The processes that can be seen, without those that another of them started.
    pub processes: Vec<&'a Process>,
    /// Pids of which nothing but the number is known.
    pub bare_pids: Vec<u32>,
    /// The uid of a socket whose owner cannot be seen.
    pub hidden_uid: Option<u32>,
}

/// What it means that somebody else holds the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// Another program.
    Foreign,
    /// A process that cannot be seen, which does not answer as ours.
    Hidden,
    /// Another copy of the program, which is not proven to accept our key.
    Copy,
    /// It has the right identity and accepts our key.
    Serves,
    /// A process of a tree that flowgate started, which is not that of the current run.
    Orphan,
}

/// Who holds the configured port of a service in the stead of its own run, one per claim.
pub fn holders<'a>(view: &View<'a>) -> Vec<Holder<'a>> {
    if view.owns_port() || is_free(view) {
        return Vec::new();
    }
    let mut holders: Vec<Holder<'a>> = Vec::new();
    for socket in view.rivals() {
        let Some(claim) = claim(view, socket) else {
            continue;
        };
        match holders.iter_mut().find(|holder| holder.claim == claim) {
            Some(holder) => holder.sockets.push(socket),
            None => holders.push(Holder {
                claim,
                sockets: vec![socket],
                processes: Vec::new(),
                bare_pids: Vec::new(),
                hidden_uid: None,
            }),
        }
    }
    for holder in &mut holders {
        holder.name_owners(view);
    }
    holders.sort_by_key(|holder| holder.claim);
    holders
}

/// Who serves in the stead of a run of ours that nobody wants: the program runs under another
/// manager, or by hand. Likely only, when no key was tried.
pub fn served_by_another<'a>(view: &View<'a>) -> Option<Holder<'a>> {
    if is_port_wanted(view) {
        return None;
    }
    let serving = holders(view).into_iter().find(|holder| {
        holder.claim == Claim::Serves
            || holder.claim == Claim::Copy && answers(view) == Answers::Untried
    });
    let forwarded = || {
        let answers_alone = answers(view) == Answers::AsOurs && view.rivals().is_empty();
        (answers_alone && !view.is_running()).then(|| Holder {
            claim: Claim::Serves,
            sockets: Vec::new(),
            processes: Vec::new(),
            bare_pids: Vec::new(),
            hidden_uid: None,
        })
    };
    serving.or_else(forwarded)
}

/// Whether a run of ours wants the configured port: it is recorded as wanted, or lives.
pub fn is_port_wanted(view: &View<'_>) -> bool {
    view.settings().managed && (view.service.wanted.running || view.is_running())
}

/// Whether a listener whose owner cannot be seen may be our own run: it has the uid of its process,
/// as when another user's flowgate looks, or the program was given capabilities.
pub fn may_be_own(view: &View<'_>, socket: &Socket) -> bool {
    let same_uid = |uid| view.processes().any(|process| process.uid == uid);
    match socket.owner {
        Owner::Hidden { uid } => same_uid(uid) && answers(view) != Answers::Otherwise,
        Owner::Known { .. } => false,
    }
}

/// The bind test is the judge where there is one: an IPv6-only wildcard leaves IPv4 free.
fn is_free(view: &View<'_>) -> bool {
    view.snapshot.binds.get(view.name).is_some_and(|report| {
        !report.addresses.is_empty()
            && report
                .addresses
                .values()
                .all(|state| *state == BindState::Free)
    })
}

fn claim(view: &View<'_>, socket: &Socket) -> Option<Claim> {
    // An answer tells something of the socket that gives it, and of no other.
    let is_asked = meets(asked_host(&view.settings().host), &socket.address);
    let answers = if is_asked {
        answers(view)
    } else {
        Answers::Otherwise
    };
    // Whatever an orphan answers, and however well: it is the run that flowgate knows which is missed.
    if is_orphan(view, socket) {
        return Some(Claim::Orphan);
    }
    if is_of_a_run(view, socket) || may_be_own(view, socket) {
        return None;
    }
    if answers == Answers::AsOurs {
        return Some(Claim::Serves);
    }
    let pids = match &socket.owner {
        Owner::Hidden { .. } => return Some(Claim::Hidden),
        Owner::Known { pids } => pids,
    };
    let is_copy = pids.iter().any(|pid| {
        let relation = view
            .snapshot
            .processes
            .get(pid)
            .map(|process| &process.relation);
        matches!(relation, Some(Relation::SameProgram { service }) if service == view.name)
    });
    // Of a program that we do not know, no answer proves that it is one.
    let is_known = view.service.kind != ServiceKind::Other;
    if is_copy || is_known && answers != Answers::Otherwise {
        Some(Claim::Copy)
    } else {
        Some(Claim::Foreign)
    }
}

/// Whether a listener belongs to the current run of a service.
fn is_of_a_run(view: &View<'_>, socket: &Socket) -> bool {
    crate::state::owners(view.snapshot, socket)
        .iter()
        .any(|process| process.serves().is_some())
}

/// Whether what is left of an earlier run of a service holds a listener, and no current run does.
fn is_orphan(view: &View<'_>, socket: &Socket) -> bool {
    let is_left = |process: &&Process| {
        process.state != 'Z' && matches!(process.relation, Relation::Orphan { .. })
    };
    !is_of_a_run(view, socket)
        && crate::state::owners(view.snapshot, socket)
            .iter()
            .any(is_left)
}

/// Whether nobody is connected to these listeners but the services of flowgate and its supervisor;
/// false where it was not looked at.
pub fn serve_nobody(snapshot: &Snapshot, sockets: &[&Socket]) -> bool {
    let supervisor = snapshot
        .supervisor
        .recorded
        .known()
        .and_then(Option::as_ref);
    let is_ours = |pid: &u32| {
        let process = snapshot.processes.get(pid);
        process.is_some_and(|process| {
            process.serves().is_some() || matches!(process.relation, Relation::Orphan { .. })
        }) || supervisor
            .is_some_and(|supervisor| supervisor.pid == *pid && supervisor.life == RunLife::Alive)
    };
    !sockets.is_empty()
        && sockets.iter().all(|socket| {
            socket
                .clients
                .as_ref()
                .is_some_and(|clients| clients.unseen == 0 && clients.pids.iter().all(is_ours))
        })
}

impl<'a> Holder<'a> {
    /// Fills in who holds the sockets.
    pub fn name_owners(&mut self, view: &View<'a>) {
        let processes = &view.snapshot.processes;
        for socket in &self.sockets {
            match &socket.owner {
                Owner::Hidden { uid } => self.hidden_uid = Some(*uid),
                Owner::Known { pids } => {
                    for pid in pids {
                        match processes.get(pid) {
                            Some(process) => self.processes.push(process),
                            None => self.bare_pids.push(*pid),
                        }
                    }
                }
            }
        }
        self.processes.sort_by_key(|process| process.pid);
        self.processes.dedup_by_key(|process| process.pid);
        self.bare_pids.sort_unstable();
        self.bare_pids.dedup();
        // Workers go with the process that started them.
        let pids: Vec<u32> = self.processes.iter().map(|process| process.pid).collect();
        self.processes
            .retain(|process| !pids.contains(&process.parent) || process.parent == process.pid);
    }

    /// Who it is, in one phrase: `python3 (pid 4312, user ana, 12 min)`.
    pub fn describe(&self) -> String {
        let names: Vec<String> = self
            .processes
            .iter()
            .map(|process| {
                format!(
                    "{} (pid {}, user {}, {})",
                    process.name,
                    process.pid,
                    process.user,
                    words::age(process.age_ms)
                )
            })
            .chain(self.bare_pids.iter().map(|pid| format!("pid {pid}")))
            .chain(
                self.hidden_uid
                    .map(|uid| format!("a process of uid {uid} that cannot be seen")),
            )
            .collect();
        match names.as_slice() {
            [] => "a forward that has no listener here".into(),
            [only] => only.clone(),
            [first, rest @ ..] => format!("{first} and {} more", rest.len()),
        }
    }

    /// The same in a word or two, for the chain.
    pub fn short(&self) -> String {
        match (self.processes.first(), self.bare_pids.first()) {
            (Some(process), _) => process.name.clone(),
            (None, Some(pid)) => format!("pid {pid}"),
            (None, None) => self
                .hidden_uid
                .map_or_else(|| "a forward".into(), |uid| format!("uid {uid}")),
        }
    }

    /// The forwarder among them, when there is one.
    pub fn forwarder(&self) -> Option<&'a Process> {
        self.processes
            .iter()
            .copied()
            .find(|process| process.relation == Relation::Forwarder)
    }

    /// Who manages it, when the cgroup tells. That of a forwarder manages the engine, not what it forwards to.
    pub fn manager(&self) -> Option<&'a Manager> {
        match self.forwarder() {
            Some(_) => None,
            None => self.processes.first()?.manager.as_ref(),
        }
    }
}
