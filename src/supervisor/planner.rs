//! The plan of a start that nobody asks for at the moment: with the variables of whoever asked last.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use super::launch;
use super::places::Places;
use super::plan::{self, Current, Plan};
use super::protocol::{Launch, Refusal};
use crate::platform;

/// Where the variables of a service and its folder come from.
pub enum Origin {
    /// Whoever asked for the start.
    Asked(Launch),
    /// The process that an earlier supervisor started.
    Process {
        /// Its working directory.
        cwd: Option<PathBuf>,
        /// Its variables, all of them.
        env: BTreeMap<String, String>,
    },
    /// This supervisor, where nobody else is left to ask.
    Supervisor,
}

impl Origin {
    /// Those of a process that lives; of this supervisor when they may not be seen.
    pub fn of_process(pid: u32) -> Self {
        match platform::environment_block(pid) {
            Ok(block) => Self::Process {
                cwd: platform::working_directory(pid),
                env: platform::environment_text(&block).into_iter().collect(),
            },
            Err(_) => Self::Supervisor,
        }
    }
}

/// Makes plans of one runtime dir.
#[derive(Clone)]
pub struct Planner {
    /// The runtime dir.
    pub places: Places,
    /// The flowgate.yaml that is read for each plan.
    pub config: PathBuf,
}

impl Planner {
    /// The plan for whoever asks.
    ///
    /// # Errors
    /// As [`Current::plan`].
    pub fn plan(&self, launch: &Launch) -> Result<Rc<Plan>, Refusal> {
        let current = plan::current(&self.config)?;
        current.plan(&self.places, launch).map(Rc::new)
    }

    /// The plan for another try of a service.
    ///
    /// # Errors
    /// As [`Current::plan`].
    pub fn plan_again(&self, service: &str, origin: &Origin) -> Result<Rc<Plan>, Refusal> {
        let current = plan::current(&self.config)?;
        let launch = self.launch(service, origin, &current);
        current.plan(&self.places, &launch).map(Rc::new)
    }

    /// What a start of a service is made with.
    pub fn launch(&self, service: &str, origin: &Origin, current: &Current) -> Launch {
        match origin {
            Origin::Asked(launch) => launch.clone(),
            // What flowgate itself had set is set anew.
            Origin::Process { cwd, env } => launch::launch(
                service,
                cwd.as_deref().unwrap_or_else(|| current.folder()),
                env.iter().map(|(name, value)| (name.into(), value.into())),
                &current.referenced(),
            ),
            Origin::Supervisor => launch::launch(
                service,
                current.folder(),
                std::env::vars_os(),
                &current.referenced(),
            ),
        }
    }
}
