//! All services of one runtime dir, and who carries out a request.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use super::asker::Asker;
use super::end::End;
use super::places::Places;
use super::plan::{self, Current, Plan};
use super::planner::Planner;
use super::protocol::{Answer, Command, Launch, Refusal};
use super::records::ServiceState;
use super::resume;
use super::service::{Handle, Message};
use super::store::Store;
use super::upgrade::Upgrade;
use crate::sys::hex::random_id;

/// The services.
pub struct Roster {
    planner: Planner,
    services: BTreeMap<String, Handle>,
    end: End,
    /// The variables that were sent with requests, the latest of each name; kept in memory alone.
    env: BTreeMap<String, String>,
    instance: String,
}

impl Roster {
    /// The services that are on record, those that live taken up. `config` is the flowgate.yaml that
    /// is read at each start.
    pub fn open(places: Places, config: PathBuf, end: End) -> Self {
        let planner = Planner { places, config };
        let current = plan::current(&planner.config).ok();
        let services = resume::recorded(&planner.places)
            .into_iter()
            .filter(|name| is_file_name(name))
            .map(|name| {
                let handle = resume::begin(&planner, &name, current.as_ref());
                (name, handle)
            })
            .collect();
        Self {
            planner,
            services,
            end,
            env: BTreeMap::new(),
            instance: random_id(),
        }
    }

    /// Carries out a request; whoever asked is answered, now or later.
    pub fn carry_out(&mut self, command: Command, asker: Asker) {
        let message = match command {
            Command::Start(launch) => self.planned(launch, &asker, Message::Start),
            Command::Restart(launch) => self.planned(launch, &asker, Message::Restart),
            Command::Adopt(launch) => self.planned(launch, &asker, Message::Adopt),
            Command::Stop { service } => self
                .may_stop(&service)
                .map(|()| (service, Message::Stop(asker.clone()))),
            Command::Hasten { service } => {
                if let Some(handle) = self.services.get(&service) {
                    handle.send(Message::Hasten);
                }
                return asker.end(Ok(Answer::Done));
            }
            Command::Status => return asker.end(Ok(self.status())),
            Command::Shutdown => return asker.end(Ok(Answer::Done)),
            Command::Yield => return asker.end(self.may_go().map(|()| Answer::Done)),
            Command::Reexec { program } => return self.reexec(program, asker),
        };
        match message {
            Ok((service, message)) => self.service(&service).send(message),
            Err(refusal) => asker.end(Err(refusal)),
        }
    }

    /// The message of a request that needs a plan.
    fn planned(
        &mut self,
        launch: Launch,
        asker: &Asker,
        message: fn(Rc<Plan>, Launch, Asker) -> Message,
    ) -> Result<(String, Message), Refusal> {
        if !is_file_name(&launch.service) {
            return Err(Refusal::new(
                "config",
                format!("{:?} cannot be the name of a file", launch.service),
            ));
        }
        let plan = self.planner.plan(&launch)?;
        self.env.extend(launch.env.clone());
        Ok((launch.service.clone(), message(plan, launch, asker.clone())))
    }

    /// What runs can always be stopped, also when the config does not load any more.
    fn may_stop(&self, service: &str) -> Result<(), Refusal> {
        if self.services.contains_key(service) {
            return Ok(());
        }
        let current = plan::current(&self.planner.config)?;
        current.managed(service).map(drop)
    }

    fn service(&mut self, name: &str) -> &Handle {
        let planner = &self.planner;
        self.services.entry(name.to_owned()).or_insert_with(|| {
            let current: Option<Current> = plan::current(&planner.config).ok();
            resume::begin(planner, name, current.as_ref())
        })
    }

    /// Whether this supervisor may be followed by another now: nobody sees it, and nobody waits for
    /// what it does.
    fn may_go(&self) -> Result<(), Refusal> {
        if !self.end.may_leap {
            let message = "the supervisor runs in the foreground: end that flowgate run";
            return Err(Refusal::new("foreground", message));
        }
        let busy = self.services.iter().find(|(_, service)| {
            let state = service.status().state;
            matches!(state, ServiceState::Starting | ServiceState::Stopping)
        });
        match busy {
            Some((name, _)) => {
                let message = format!("{name} is starting or stopping");
                Err(Refusal::new("busy", message))
            }
            None => Ok(()),
        }
    }

    /// Becomes a newer flowgate once whoever asked is answered, when nothing is going on.
    fn reexec(&self, program: PathBuf, asker: Asker) {
        if let Err(refusal) = self.may_go() {
            return asker.end(Err(refusal));
        }
        let upgrade = Upgrade {
            program,
            runtime_dir: self.planner.places.runtime().to_owned(),
            config: self.planner.config.clone(),
            env: self.env.clone(),
        };
        let end = self.end.clone();
        tokio::task::spawn_local(async move {
            let proven = upgrade.prove().await;
            asker.end(proven.map(|()| {
                end.prepare(upgrade);
                Answer::Done
            }));
        });
    }

    /// Notes that the old supervisor serves on.
    pub fn note_failed_upgrade(&self, upgrade: &Upgrade, error: &std::io::Error) {
        for name in self.services.keys() {
            let reason = format!("failed to become {}: {error}", upgrade.program.display());
            Store::new(self.planner.places.clone(), name).decide("not-upgraded", Some(reason));
        }
    }

    fn status(&self) -> Answer {
        Answer::Status {
            services: self
                .services
                .iter()
                .map(|(name, service)| (name.clone(), service.status()))
                .collect(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            instance: self.instance.clone(),
        }
    }
}

/// Whether a name can be that of a file, so that its records stay in their folder.
fn is_file_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!(
        (components.next(), components.next()),
        (Some(Component::Normal(_)), None)
    ) && !name.contains(['/', '\0'])
        && name.len() < 200
}
