//! What follows from a snapshot about a service: wanted, running, serving, and who holds its port.

use jiff::{SignedDuration, Timestamp};

use crate::logs;
use crate::model::{
    Answer, ConfigFile, ExitStage, Expectation, Identity, Observed, Owner, Process, RunLife,
    Service, ServiceKind, Settings, Snapshot, Socket, TargetProbes,
};

/// A service with everything that the snapshot knows of it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The snapshot.
    pub snapshot: &'a Snapshot,
    /// Its name in flowgate.yaml.
    pub name: &'a str,
    /// What is configured and recorded.
    pub service: &'a Service,
}

/// The enabled services, in the order of their names.
pub fn services(snapshot: &Snapshot) -> impl Iterator<Item = View<'_>> {
    snapshot
        .services
        .iter()
        .filter(|(_, service)| service.settings.enabled)
        .map(move |(name, service)| View {
            snapshot,
            name,
            service,
        })
}

/// The enabled service of a kind; the first by name when there are several.
pub fn service_of(snapshot: &Snapshot, kind: ServiceKind) -> Option<View<'_>> {
    services(snapshot).find(|view| view.service.kind == kind)
}

impl<'a> View<'a> {
    /// Its settings.
    pub fn settings(&self) -> &'a Settings {
        &self.service.settings
    }

    /// Whether it should run: what was asked for, else what is recorded.
    pub fn is_wanted(&self) -> bool {
        match self.snapshot.policy.expect {
            Expectation::Recorded => self.service.wanted.running,
            Expectation::Serving => true,
            Expectation::Stopped | Expectation::Any => false,
        }
    }

    /// The live main process of its recorded run.
    pub fn main_process(&self) -> Option<&'a Process> {
        let run = self.service.run.as_ref()?;
        if run.life != RunLife::Alive {
            return None;
        }
        self.snapshot.processes.get(&run.pid)
    }

    /// Every live process of its current run.
    pub fn processes(&self) -> impl Iterator<Item = &'a Process> {
        let name = self.name;
        self.snapshot
            .processes
            .values()
            .filter(move |process| process.serves() == Some(name) && process.state != 'Z')
    }

    /// Whether a process of its current run lives.
    pub fn is_running(&self) -> bool {
        self.processes().next().is_some()
    }

    /// The listeners of its current run.
    pub fn own_sockets(&self) -> Vec<&'a Socket> {
        let mine: Vec<u32> = self.processes().map(|process| process.pid).collect();
        all_sockets(self.snapshot)
            .filter(|socket| matches!(&socket.owner, Owner::Known { pids } if pids.iter().any(|pid| mine.contains(pid))))
            .collect()
    }

    /// Whether a process of its current run listens on the configured port.
    pub fn owns_port(&self) -> bool {
        self.own_sockets()
            .iter()
            .any(|socket| Some(socket.port) == self.settings().port)
    }

    /// The listeners on its configured port that its bind would meet, its own left out.
    pub fn rivals(&self) -> Vec<&'a Socket> {
        let Some(port) = self.settings().port else {
            return Vec::new();
        };
        let own: Vec<*const Socket> = self
            .own_sockets()
            .into_iter()
            .map(|socket| socket as *const Socket)
            .collect();
        all_sockets(self.snapshot)
            .filter(|socket| socket.port == port && meets(&self.settings().host, &socket.address))
            .filter(|socket| !own.contains(&(*socket as *const Socket)))
            .collect()
    }

    /// `address:port` at which its configured address is asked, as it keys the probes.
    pub fn address(&self) -> Option<String> {
        let port = self.settings().port?;
        Some(address_key(asked_host(&self.settings().host), port))
    }

    /// The config that its program reads; none of a program of which nothing is known.
    pub fn own_config(&self) -> Option<&'a ConfigFile> {
        let configs = &self.snapshot.configs;
        match self.service.kind {
            ServiceKind::Litellm => Some(&configs.litellm),
            ServiceKind::Cliproxyapi => Some(&configs.cliproxyapi),
            ServiceKind::Other => None,
        }
    }

    /// What was asked of its configured address.
    pub fn probes(&self) -> Option<&'a TargetProbes> {
        self.snapshot.probes.get(self.name)?.get(&self.address()?)
    }

    /// What was asked of the address where it really serves: the configured one,
    /// or the one to which it drifted.
    pub fn serving_probes(&self) -> Option<&'a TargetProbes> {
        let targets = self.snapshot.probes.get(self.name)?;
        let drifted = || {
            self.own_sockets().into_iter().find_map(|socket| {
                targets.get(&address_key(asked_host(&socket.address), socket.port))
            })
        };
        if self.owns_port() || !self.is_running() {
            self.probes()
        } else {
            drifted().or_else(|| self.probes())
        }
    }

    /// Who answers at its configured address.
    pub fn identity(&self) -> Identity {
        self.probes()
            .map_or(Identity::Silent, TargetProbes::identity)
    }

    /// Whether what answers at its configured address is the program that it should be.
    pub fn is_identified(&self) -> bool {
        match self.service.kind {
            ServiceKind::Litellm => self.identity() == Identity::Litellm,
            ServiceKind::Cliproxyapi => self.identity() == Identity::Cliproxyapi,
            ServiceKind::Other => self.probes().is_some(),
        }
    }

    /// Whether a key that was sent to its configured address was accepted.
    pub fn accepts_a_key(&self) -> bool {
        self.probes().is_some_and(|probes| {
            probes.models.values().any(|keyed| {
                keyed
                    .answer
                    .known()
                    .is_some_and(|answer| answer.is_success())
            })
        })
    }

    /// Whether it was started so recently that it need not answer yet: its process lives, is younger
    /// than its ready timeout and was not ready before, and it has not bound its port, or it has
    /// and says nothing that tells who it is. Who is stopped, or waits for a reader, starts no more.
    pub fn is_starting(&self) -> bool {
        let Some(process) = self.main_process() else {
            return false;
        };
        let window = self.settings().ready_timeout_seconds.saturating_mul(1000);
        let is_mute = self
            .probes()
            .is_some_and(|probes| probes.identity() == Identity::Silent);
        process.age_ms < window
            && !self.was_ready()
            && !self.is_identified()
            && !self
                .answering_processes()
                .iter()
                .any(|process| is_suspended(process) || process.waits_for_reader)
            && (self.own_sockets().is_empty() || self.owns_port() && is_mute)
    }

    /// Whether its run is known to have served: by the record, or by a request in its log.
    pub fn was_ready(&self) -> bool {
        let recorded = self.service.run.as_ref().and_then(|run| run.ready_at);
        let log = self.service.log.known();
        recorded.is_some()
            || log.is_some_and(|log| log.lines.iter().any(|line| logs::is_request(line)))
    }

    /// Whether the run of which its log speaks came as far as to serve. What is logged from then on may
    /// be anybody's words: a request, a model, an upstream; it says nothing of the start.
    pub fn had_served(&self) -> bool {
        let signature = self
            .service
            .exits
            .first()
            .and_then(|exit| exit.signature.as_ref());
        self.was_ready() || signature.is_some_and(|one| one.stage == ExitStage::Run)
    }

    /// The lines of its log that tell of its start; none once it has served.
    pub fn start_lines(&self) -> Option<&'a [String]> {
        let log = self.service.log.known()?;
        (!self.had_served()).then_some(log.lines.as_slice())
    }

    /// The processes of its run that would have to answer: those that listen on its configured
    /// port, else its main process.
    pub fn answering_processes(&self) -> Vec<&'a Process> {
        let sockets = self.own_sockets();
        let listening: Vec<&Process> = self
            .processes()
            .filter(|process| {
                sockets.iter().any(|socket| {
                    Some(socket.port) == self.settings().port
                        && matches!(&socket.owner, Owner::Known { pids } if pids.contains(&process.pid))
                })
            })
            .collect();
        if listening.is_empty() {
            self.main_process().into_iter().collect()
        } else {
            listening
        }
    }

    /// The answer to the request that tells who serves, where it was asked.
    pub fn identity_answer(&self) -> Option<&'a Answer> {
        let probes = self.serving_probes()?;
        match self.service.kind {
            ServiceKind::Litellm => probes.liveness.known(),
            ServiceKind::Cliproxyapi => probes.root.known(),
            ServiceKind::Other => probes.root.known().or_else(|| probes.readiness.known()),
        }
    }
}

/// Whether a process was suspended by a signal, and nobody holds it on purpose: no tracer, and no
/// freezer of its control group.
pub fn is_suspended(process: &Process) -> bool {
    process.state == 'T' && process.traced_by.is_none() && !process.frozen
}

/// Who holds a process on purpose: a tracer, or the freezer of its control group. A tracer that
/// lets it run holds nothing.
pub fn held_by(process: &Process) -> Option<String> {
    if process.frozen {
        return Some(format!(
            "the control group of pid {} is frozen",
            process.pid
        ));
    }
    match (process.state, process.traced_by) {
        ('t' | 'T', Some(tracer)) => Some(format!("pid {} is traced by pid {tracer}", process.pid)),
        ('t', None) => Some(format!("pid {} is traced", process.pid)),
        _ => None,
    }
}

/// When a process was started, by its age.
pub fn started_at(snapshot: &Snapshot, process: &Process) -> Timestamp {
    let age = i64::try_from(process.age_ms).unwrap_or(i64::MAX);
    snapshot
        .clock
        .gathered_at
        .checked_sub(SignedDuration::from_millis(age))
        .unwrap_or(Timestamp::MIN)
}

/// Every listener; none when they could not be looked at.
pub fn all_sockets(snapshot: &Snapshot) -> impl Iterator<Item = &Socket> {
    snapshot
        .sockets
        .known()
        .into_iter()
        .flat_map(|sockets| sockets.values())
}

/// The processes that hold a socket; empty when the owner is hidden.
pub fn owners<'a>(snapshot: &'a Snapshot, socket: &Socket) -> Vec<&'a Process> {
    match &socket.owner {
        Owner::Known { pids } => pids
            .iter()
            .filter_map(|pid| snapshot.processes.get(pid))
            .collect(),
        Owner::Hidden { .. } => Vec::new(),
    }
}

/// Whether a bind to `host` would meet a listener at `address` on the same port. An IPv6 wildcard
/// counts for IPv4 too: the bind test tells whether it really does.
pub fn meets(host: &str, address: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_v6 = |text: &str| text.contains(':');
    match host {
        "" | "::" => true,
        "0.0.0.0" => !is_v6(address) || address == "::",
        "localhost" => meets("127.0.0.1", address),
        _ if address == "::" => true,
        _ if address == "0.0.0.0" => !is_v6(host),
        _ => host == address,
    }
}

/// The host at which a service that binds `host` is asked.
pub fn asked_host(host: &str) -> &str {
    match host.trim_start_matches('[').trim_end_matches(']') {
        "" | "0.0.0.0" | "localhost" => "127.0.0.1",
        "::" => "::1",
        other => other,
    }
}

/// `address:port`, IPv6 in brackets.
pub fn address_key(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// What is known of an observation that a verdict needs; notes the unknown otherwise.
pub fn need<'a, T>(
    observed: &'a Observed<T>,
    what: &str,
    unknowns: &mut Vec<crate::model::UnknownDatum>,
) -> Option<&'a T> {
    if let Some(unknown) = observed.why_unknown() {
        unknowns.push(crate::model::UnknownDatum {
            what: what.into(),
            why: unknown.why.clone(),
            command: unknown.command.clone(),
            optional: false,
        });
    }
    observed.known()
}
