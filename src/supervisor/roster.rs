//! All services of one runtime dir, and who carries out a request.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::asker::Asker;
use super::places::Places;
use super::plan::{self, Current, Plan};
use super::protocol::{Answer, Command, Launch, Refusal};
use super::resume;
use super::service::{Handle, Message};

/// The services.
pub struct Roster {
    places: Places,
    config: PathBuf,
    services: BTreeMap<String, Handle>,
}

impl Roster {
    /// The services that are on record, those that live taken up. `config` is the flowgate.yaml that
    /// is read at each start.
    pub fn open(places: Places, config: PathBuf) -> Self {
        let current = plan::current(&config).ok();
        let services = resume::recorded(&places)
            .into_iter()
            .filter(|name| is_file_name(name))
            .map(|name| {
                let handle = resume::begin(&places, &name, current.as_ref());
                (name, handle)
            })
            .collect();
        Self {
            places,
            config,
            services,
        }
    }

    /// Carries out a request; whoever asked is answered, now or later.
    pub fn carry_out(&mut self, command: Command, asker: Asker) {
        let message = match command {
            Command::Start(launch) => self
                .plan(&launch)
                .map(|plan| (launch.service, Message::Start(plan, asker.clone()))),
            Command::Restart(launch) => self
                .plan(&launch)
                .map(|plan| (launch.service, Message::Restart(plan, asker.clone()))),
            Command::Stop { service } => self
                .may_stop(&service)
                .map(|()| (service, Message::Stop(asker.clone()))),
            Command::Status => return asker.end(Ok(self.status())),
            Command::Shutdown => return asker.end(Ok(Answer::Done)),
        };
        match message {
            Ok((service, message)) => self.service(&service).send(message),
            Err(refusal) => asker.end(Err(refusal)),
        }
    }

    fn plan(&self, launch: &Launch) -> Result<Box<Plan>, Refusal> {
        if !is_file_name(&launch.service) {
            return Err(Refusal::new(
                "config",
                format!("{:?} cannot be the name of a file", launch.service),
            ));
        }
        let current = plan::current(&self.config)?;
        current.plan(&self.places, launch).map(Box::new)
    }

    /// What runs can always be stopped, also when the config does not load any more.
    fn may_stop(&self, service: &str) -> Result<(), Refusal> {
        if self.services.contains_key(service) {
            return Ok(());
        }
        let current = plan::current(&self.config)?;
        current.managed(service).map(drop)
    }

    fn service(&mut self, name: &str) -> &Handle {
        let (places, config) = (&self.places, &self.config);
        self.services.entry(name.to_owned()).or_insert_with(|| {
            let current: Option<Current> = plan::current(config).ok();
            resume::begin(places, name, current.as_ref())
        })
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
