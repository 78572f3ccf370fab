//! Whether a service is ready: its session owns the port, then it says who it is, then its
//! readiness path is a hint. An answer of a stranger is never believed.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use flowgate_checks::model::{BodyClass, Outcome, ServiceKind};

use super::grid;
use super::listening::Listening;
use super::phase::PhaseLog;
use super::reach::Reach;
use super::session::{Member, Session};
use crate::gateway::client::ProbeClient;
use crate::gateway::requests::Request;
use crate::gateway::target::LoopbackTarget;
use crate::sys::redact::Redactor;

/// The pause between two looks at a service that was just started.
const SHORTEST: Duration = Duration::from_millis(1);

/// The pause while nobody listens at its port and it may start still: such a look asks the kernel one
/// question, and a service that is ready is seen within 20 ms.
const SHORT: Duration = Duration::from_millis(10);

/// A start takes no longer; LiteLLM gets so much (DESIGN section 9).
const START: Duration = Duration::from_secs(120);

/// The log of a service that starts is read so often.
const LOG: Duration = Duration::from_millis(100);

/// The time between two looks at a service that is ready, at most.
const LONGEST: Duration = Duration::from_secs(3);

/// A look for a port elsewhere than configured costs more, and is had less often.
const ELSEWHERE: Duration = Duration::from_millis(250);

/// One request takes no longer; LiteLLM stalls for 0.7 s at times (facts/litellm.md section 6).
const REQUEST: Duration = Duration::from_secs(2);

/// A service without a port is ready when it has lived so long; CLIProxyAPIPlus needs 0.6 s to die
/// of a taken port (facts/real-stack.md section 3).
const SETTLED: Duration = Duration::from_secs(1);

/// What is seen of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// It is in another phase of its start.
    Phase(&'static str),
    /// It is ready; the note says what was not asked.
    Ready(Option<String>),
    /// It listens, and says who it is, at this port instead.
    Elsewhere(u16),
    /// It is not ready.
    Silent,
}

/// Looks at one run of a service, again and again.
pub struct Watch {
    reach: Reach,
    session: Session,
    client: Option<ProbeClient>,
    phases: Option<PhaseLog>,
    redactor: Redactor,
    begun: Instant,
    looked_elsewhere: Instant,
    looked_at_log: Option<Instant>,
    /// Since when somebody listens at its port.
    listens_since: Option<Instant>,
    /// Who listened, and at which sockets, when it last said who it is.
    proven: Option<Proven>,
}

/// What was proven of a service that is ready.
struct Proven {
    holders: Vec<Member>,
    inodes: HashSet<u64>,
}

impl Watch {
    /// A watch over a run; `phases` follows its log while it starts.
    pub fn new(reach: Reach, session: Session, phases: Option<PhaseLog>) -> Self {
        let client = ProbeClient::new(REQUEST, reach.certificate.as_deref()).ok();
        let now = Instant::now();
        Self {
            client,
            reach,
            session,
            phases,
            redactor: Redactor::default(),
            begun: now,
            looked_elsewhere: now,
            looked_at_log: None,
            listens_since: None,
            proven: None,
        }
    }

    /// Tells what is seen, whenever it is something new; until `tell` says that nobody listens.
    pub async fn run(mut self, mut tell: impl FnMut(Sight) -> bool) {
        let mut last = None;
        let mut silent_looks = 0;
        loop {
            let began = Instant::now();
            if let Some(phase) = self.phase()
                && !tell(Sight::Phase(phase))
            {
                return;
            }
            let seen = self.look().await;
            // One missed answer of a busy service is not news yet.
            let is_fleeting = seen == Sight::Silent && matches!(last, Some(Sight::Ready(_)));
            silent_looks = if is_fleeting { silent_looks + 1 } else { 0 };
            let is_news = last.as_ref() != Some(&seen) && (!is_fleeting || silent_looks > 1);
            if is_news {
                if matches!(seen, Sight::Ready(_)) {
                    self.phases = None;
                }
                if !tell(seen.clone()) {
                    return;
                }
                last = Some(seen);
            }
            let is_ready = matches!(last, Some(Sight::Ready(_)));
            if is_ready {
                grid::next(LONGEST).await;
            } else {
                tokio::time::sleep(self.pause(began.elapsed())).await;
            }
        }
    }

    /// The phase that its log shows, when it is another.
    fn phase(&mut self) -> Option<&'static str> {
        let phases = self.phases.as_mut()?;
        let is_due = self.looked_at_log.is_none_or(|at| at.elapsed() >= LOG);
        if !is_due {
            return None;
        }
        self.looked_at_log = Some(Instant::now());
        phases.look()
    }

    /// Short at first, then in proportion to how long it takes anyway; a look that is expensive on
    /// this machine is had less often.
    fn pause(&self, look: Duration) -> Duration {
        let since = self.begun.elapsed();
        match self.listens_since {
            None if since < START => (since / 16).max(look * 10).clamp(SHORTEST, SHORT),
            None => (since / 50).clamp(SHORTEST, LONGEST).max(look),
            Some(at) => (at.elapsed() / 50).clamp(SHORTEST, LONGEST).max(look),
        }
    }

    async fn look(&mut self) -> Sight {
        let Some(port) = self.reach.port else {
            let is_settled = self.begun.elapsed() >= SETTLED && self.session.leader_lives();
            return if is_settled {
                Sight::Ready(Some("no port is configured, so nothing was asked".into()))
            } else {
                Sight::Silent
            };
        };
        let address = self.reach.target.map(|target| target.address().ip());
        if let Some(proven) = self.proven.take() {
            let listening = Listening::look_again(&self.session, &proven.holders);
            // The same processes at the same sockets are who they were.
            if listening.owns(address, port) && listening.own_inodes(port) == proven.inodes {
                let sight = match self.reach.readiness {
                    Some(_) => self.ask_readiness().await,
                    None => self.ask().await,
                };
                self.proven = matches!(sight, Sight::Ready(_)).then_some(proven);
                return sight;
            }
        }
        let is_due = self.looked_elsewhere.elapsed() >= ELSEWHERE;
        let listening = Listening::look(&self.session, port, is_due);
        self.listens_since = match listening.is_at(port) {
            true => self.listens_since.or_else(|| Some(Instant::now())),
            false => None,
        };
        if listening.owns(address, port) {
            let sight = self.ask().await;
            self.proven = matches!(sight, Sight::Ready(_)).then(|| Proven {
                holders: listening.holders().to_vec(),
                inodes: listening.own_inodes(port),
            });
            return sight;
        }
        if is_due {
            self.looked_elsewhere = Instant::now();
            return self.seek(&listening, port).await;
        }
        Sight::Silent
    }

    /// Asks the port that the session owns. Behind a listener that has proven who it is one request is
    /// enough.
    async fn ask(&self) -> Sight {
        let (Some(target), Some(client)) = (self.reach.target, &self.client) else {
            return Sight::Ready(Some("it owns its port; nothing was asked".into()));
        };
        if !self.is_itself(client, target).await {
            return Sight::Silent;
        }
        self.ask_readiness().await
    }

    /// Asks what is proven to be the service itself.
    async fn ask_readiness(&self) -> Sight {
        let (Some(target), Some(client)) = (self.reach.target, &self.client) else {
            return Sight::Ready(Some("it owns its port; nothing was asked".into()));
        };
        let Some(path) = &self.reach.readiness else {
            return Sight::Ready(Some(
                "the readiness path needs a key; key not checked".into(),
            ));
        };
        let exchange = client
            .ask(target, &Request::readiness(path), &self.redactor)
            .await;
        let Outcome::Http { status, .. } = exchange.answer.outcome else {
            return Sight::Silent;
        };
        match status {
            200..300 => Sight::Ready(None),
            // It said who it is, so the path is wrong or wants a key.
            300..500 => Sight::Ready(Some(format!("{} answers {status}", path.as_str()))),
            _ => Sight::Silent,
        }
    }

    /// Whether the port is answered by the program itself.
    async fn is_itself(&self, client: &ProbeClient, target: LoopbackTarget) -> bool {
        let (request, proofs) = match self.reach.kind {
            ServiceKind::Litellm => (Request::liveness(), &[BodyClass::LitellmAlive][..]),
            ServiceKind::Cliproxyapi => (
                Request::root(),
                &[BodyClass::CliproxyIdentity, BodyClass::CliproxySafeMode][..],
            ),
            ServiceKind::Other => return true,
        };
        let exchange = client.ask(target, &request, &self.redactor).await;
        exchange
            .answer
            .body()
            .is_some_and(|body| proofs.contains(body))
    }

    /// Whether the session serves at another port than the configured one.
    async fn seek(&self, listening: &Listening, configured: u16) -> Sight {
        let Some(client) = &self.client else {
            return Sight::Silent;
        };
        for (_, port) in listening.own_ports() {
            if port == configured {
                continue;
            }
            if let Some(target) = self.reach.at_port(port)
                && self.is_itself(client, target).await
            {
                return Sight::Elsewhere(port);
            }
        }
        Sight::Silent
    }
}
