//! Who listens, and what the processes are to us.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use flowgate::gather::environment::EnvironmentLook;
use flowgate::gather::processes::{Candidate, ServiceIdentity, describe, relate};
use flowgate::gather::sockets;
use flowgate::platform::{TcpSocket, TcpState, Witness};
use flowgate::supervisor::records::RecordedService;
use flowgate_checks::model::{LogTail, Observed, Output, Owner, Process, Relation, Socket};

use crate::recording::{ROOT, Running, USER, start_time};
use crate::stage::Stage;
use crate::{environment, frame, records};

/// Inodes of listeners of which `lsof` told none.
const UNTOLD_INODES: u64 = 900_000;

/// Listeners, records, processes, environments and logs.
pub struct Who {
    /// Every listener.
    pub sockets: Observed<BTreeMap<String, Socket>>,
    /// What is recorded of each service.
    pub recorded: BTreeMap<String, RecordedService>,
    /// The processes that matter.
    pub processes: BTreeMap<u32, Process>,
    /// The variables of each running service.
    pub environments: BTreeMap<String, Observed<EnvironmentLook>>,
    /// The log of each service.
    pub logs: BTreeMap<String, Observed<LogTail>>,
}

/// Looks at the moment of the recording.
pub fn look(stage: &Stage<'_>) -> Who {
    let mut who = Who {
        sockets: listeners(stage),
        recorded: BTreeMap::new(),
        processes: BTreeMap::new(),
        environments: BTreeMap::new(),
        logs: BTreeMap::new(),
    };
    let mut identities = Vec::new();
    for service in stage.services() {
        let (recorded, log) = records::of(stage, &service.name);
        let mut program = PathBuf::from(&service.args[0]);
        program = stage.outside(&program);
        identities.push(ServiceIdentity {
            name: service.name.clone(),
            kind: service.kind,
            interpreter: program
                .ends_with("litellm")
                .then(|| Path::new(ROOT).join(".venv/bin/python")),
            program: Some(program),
            args: service.args[1..].to_vec(),
            log: Some(stage.outside(&records::log_file(stage, &service.name))),
            runs: recorded.runs.clone(),
        });
        who.logs.insert(service.name.clone(), log);
        who.recorded.insert(service.name.clone(), recorded);
        let variables = environment::of(stage, &service.name);
        who.environments.insert(service.name.clone(), variables);
    }
    who.processes = processes(stage, &owners(&who.sockets), &identities);
    who
}

fn listeners(stage: &Stage<'_>) -> Observed<BTreeMap<String, Socket>> {
    let moment = &stage.recording.moment;
    let mut owners: HashMap<u64, BTreeSet<u32>> = HashMap::new();
    let mut seen = Witness::default();
    for (index, listener) in moment.listeners.iter().enumerate() {
        let inode = listener.inode.unwrap_or(UNTOLD_INODES + index as u64);
        seen.sockets.push(TcpSocket {
            address: listener.address.parse().unwrap(),
            port: listener.port,
            remote: None,
            state: TcpState::Listen,
            inode,
            uid: moment.uid_of(listener),
        });
        owners.entry(inode).or_default().extend(&listener.pids);
    }
    let mut listeners = sockets::merge(&[seen], &owners);
    if let Observed::Known(sockets) = &mut listeners {
        // A recording does not tell who was connected.
        sockets
            .values_mut()
            .for_each(|socket| socket.clients = None);
    }
    listeners
}

fn owners(sockets: &Observed<BTreeMap<String, Socket>>) -> BTreeSet<u32> {
    let known = sockets.known().into_iter().flatten();
    known
        .flat_map(|(_, socket)| match &socket.owner {
            Owner::Known { pids } => pids.clone(),
            Owner::Hidden { .. } => Vec::new(),
        })
        .collect()
}

fn processes(
    stage: &Stage<'_>,
    owners: &BTreeSet<u32>,
    services: &[ServiceIdentity],
) -> BTreeMap<u32, Process> {
    let mut seen = BTreeMap::new();
    for running in &stage.recording.moment.processes {
        let candidate = candidate(stage, running);
        let relation = relate(&candidate, services);
        let is_other = matches!(relation, Relation::Foreign | Relation::Forwarder);
        if owners.contains(&running.stat.pid) || !is_other {
            let process = process(stage, running, &candidate, relation);
            seen.insert(running.stat.pid, process);
        }
    }
    seen
}

/// What may be seen of a process: of the user's own all, of another's only what everybody sees.
fn candidate(stage: &Stage<'_>, running: &Running) -> Candidate {
    let run = stage
        .recording
        .started
        .iter()
        .find(|run| run.pid == Some(running.stat.pid));
    let service = run.and_then(|run| run.flowgate_name());
    let mut stat = running.stat.clone();
    let told = stage.case.sessions.iter().find(|(pid, _)| *pid == stat.pid);
    stat.session = told.map_or(stat.session, |(_, session)| *session);
    stat.start_time = start_time(run.map_or(0.0, |run| run.started_t));
    let is_own = running.uid == USER;
    let exe = running.argv.first().map(PathBuf::from).map(|program| {
        let target = stage
            .listing
            .row(&program)
            .and_then(|row| row.target.clone());
        target.unwrap_or(program)
    });
    Candidate {
        stat,
        argv: running.argv.clone(),
        exe: exe.filter(|_| is_own),
        cwd: run.map(|_| PathBuf::from(ROOT)),
        stdout: service.map(|service| stage.outside(&records::log_file(stage, service))),
    }
}

fn process(
    stage: &Stage<'_>,
    running: &Running,
    candidate: &Candidate,
    relation: Relation,
) -> Process {
    let stat = &candidate.stat;
    let age = start_time(stage.recording.moment.t) - stat.start_time;
    let shown = |path: &PathBuf| stage.show(path);
    Process {
        pid: stat.pid,
        start_time: stat.start_time,
        state: stat.state,
        parent: stat.parent,
        session: stat.session,
        uid: running.uid,
        user: frame::users().name(running.uid),
        name: stat.name.clone(),
        exe: candidate.exe.as_ref().map(shown),
        command: describe(&candidate.argv, &stat.name, &stage.redactor),
        cwd: candidate.cwd.as_ref().map(shown),
        age_ms: age * 10,
        cpu_ms: 0,
        stdout: candidate
            .stdout
            .as_ref()
            .map(|path| Output::File { path: shown(path) }),
        // A recording does not tell it.
        stderr: None,
        waits_for_reader: false,
        // No recording tells of a tracer or of a frozen group; there was none.
        traced_by: None,
        frozen: false,
        manager: None,
        relation,
    }
}
