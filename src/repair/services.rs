//! Asks the supervisor to start, stop and restart services, with what their programs had.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use flowgate_checks::model::ConfigState;

use super::error::StepError;
use super::ground::Ground;
use crate::config::schema::FlowgateConfig;
use crate::config::service::ServiceConfig;
use crate::config::{command, litellm, load};
use crate::platform;
use crate::supervisor::client::{Client, ClientError};
use crate::supervisor::launch;
use crate::supervisor::protocol::{Answer, Command, Launch};
use crate::supervisor::status::{self, ServiceNow};

/// Beyond what a service may take, so long an answer is waited for.
const SLACK: Duration = Duration::from_secs(30);

/// The services of a gateway, and what their programs were started with.
pub struct Services<'a> {
    ground: &'a Ground,
    remembered: BTreeMap<String, Remembered>,
}

/// The folder and the variables of a program that runs; the values may be secret.
struct Remembered {
    cwd: Option<PathBuf>,
    env: Vec<(String, String)>,
}

impl<'a> Services<'a> {
    /// The services of a gateway. What their programs have now is remembered: whoever repairs may
    /// call from another folder and another shell than whoever started them.
    pub fn of(ground: &'a Ground) -> Self {
        let mut services = Self {
            ground,
            remembered: BTreeMap::new(),
        };
        for now in services.now() {
            let Some(pid) = now.pid else { continue };
            let block = platform::environment_block(pid).unwrap_or_default();
            let remembered = Remembered {
                cwd: platform::working_directory(pid),
                env: platform::environment_text(&block),
            };
            services.remembered.insert(now.name, remembered);
        }
        services
    }

    fn config(&self) -> Result<FlowgateConfig, StepError> {
        let loaded = self.ground.flowgate();
        match loaded.config {
            Some(config) if loaded.file.state == ConfigState::Loaded => Ok(config),
            _ => Err(StepError::Refused(
                load::sentence(&loaded.file).unwrap_or_default(),
            )),
        }
    }

    fn now(&self) -> Vec<ServiceNow> {
        match self.config() {
            Ok(config) => status::read_all(&config, &self.ground.root),
            Err(_) => Vec::new(),
        }
    }

    /// Whether a service runs, and whether it should.
    pub fn state(&self, service: &str) -> (bool, bool) {
        let now = self.now();
        let found = now.iter().find(|now| now.name == service);
        found.map_or((false, false), |now| (now.is_running(), now.wanted))
    }

    /// How long a service may take to get ready.
    pub fn ready_timeout(&self, service: &str) -> Duration {
        let config = self.config().ok();
        config
            .as_ref()
            .and_then(|config| config.service(service))
            .map_or(Duration::ZERO, |service| service.ready_timeout)
    }

    /// Starts a service and waits until it is ready.
    ///
    /// # Errors
    /// [`StepError::Failed`], when it did not get ready.
    pub fn start(&self, service: &str) -> Result<(), StepError> {
        let config = self.config()?;
        let settings = managed(&config, service)?;
        let launch = self.launch(settings, &config);
        let start = || self.ask(settings, Command::Start(launch.clone()), "start");
        let began = Instant::now();
        // The supervisor tries a wanted service again as soon as a file changes, and so in the middle of
        // a repair that edits several: an answer of such a try tells nothing of what the files hold
        // now. The try behind it has read all of them.
        match start() {
            Err(StepError::Failed(_)) if began.elapsed() < settings.ready_timeout / 2 => start(),
            outcome => outcome,
        }
    }

    /// Stops a service, then starts it again.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn restart(&self, service: &str) -> Result<(), StepError> {
        let config = self.config()?;
        let settings = managed(&config, service)?;
        let launch = self.launch(settings, &config);
        self.ask(settings, Command::Restart(launch), "restart")
    }

    /// Stops a service.
    ///
    /// # Errors
    /// [`StepError::Failed`], when it lives on.
    pub fn stop(&self, service: &str) -> Result<(), StepError> {
        let config = self.config()?;
        let settings = managed(&config, service)?;
        let command = Command::Stop {
            service: service.to_owned(),
        };
        self.ask(settings, command, "stop")
    }

    fn launch(&self, service: &ServiceConfig, config: &FlowgateConfig) -> Launch {
        let path = config
            .service("litellm")
            .and_then(|litellm| command::config_path(litellm, &self.ground.cwd))
            .unwrap_or_else(|| config.paths.active_config.clone());
        let active = litellm::load(&path, &self.ground.reading());
        let referenced = launch::referenced(config, Some(&active.file));
        let remembered = self.remembered.get(&service.name);
        let had = remembered.into_iter().flat_map(|had| &had.env);
        let had = had.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        // What stands in this shell was set later than what the program was started with.
        let variables = had.chain(std::env::vars_os());
        let cwd = remembered
            .and_then(|had| had.cwd.as_ref())
            .unwrap_or(&self.ground.cwd);
        launch::launch(&service.name, cwd, variables, &referenced)
    }

    fn ask(&self, service: &ServiceConfig, command: Command, verb: &str) -> Result<(), StepError> {
        let name = &service.name;
        let failed = |why: String| StepError::Failed(format!("{verb} {name}: {why}"));
        let mut client = Client::ensure(&self.ground.runtime, &self.ground.config)
            .map_err(|error| failed(format!("failed to {error}")))?;
        client.set_patience(service.ready_timeout + 2 * service.stop_timeout + SLACK);
        match client.request(command, |_| {}) {
            Ok(Answer::Started { .. } | Answer::Stopped { .. } | Answer::Done) => Ok(()),
            Ok(Answer::Failed { reason, .. }) => Err(failed(words(&reason))),
            Ok(Answer::StopFailed { reason }) => Err(failed(reason)),
            Ok(Answer::Status { .. }) => {
                Err(failed("the supervisor answered something else".into()))
            }
            Err(ClientError::Refused(refusal)) => Err(failed(refusal.message)),
            Err(error) => Err(failed(format!("failed to {error}"))),
        }
    }
}

fn managed<'c>(config: &'c FlowgateConfig, service: &str) -> Result<&'c ServiceConfig, StepError> {
    let found = config.service(service).filter(|service| service.managed);
    found.ok_or_else(|| StepError::Refused(format!("{service} is not run by flowgate")))
}

/// Why a service is not ready, from the word of the supervisor.
fn words(reason: &str) -> String {
    match reason {
        "exited" => "it ended before it was ready".into(),
        "not-ready" => "it is not ready in time".into(),
        "port-in-use" => "its port is taken".into(),
        "spawn-failed" => "it could not be started".into(),
        other => other.to_owned(),
    }
}
