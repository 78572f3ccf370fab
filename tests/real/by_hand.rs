//! LiteLLM as a person starts it: without flowgate, and without what flowgate always sets for it.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use crate::gateway::is_listening;
use crate::package::Package;
use crate::process::{Process, read, wait_at_most};
use crate::stage::{LOG, Stage};

/// With other work beside it LiteLLM needs half a minute.
const START: Duration = Duration::from_secs(120);

/// Where its standard output goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Into the log of the service, as under flowgate.
    Log,
    /// Into a file of its own.
    Elsewhere,
    /// Into a pipe that nobody reads; its errors into the log.
    Pipe,
}

/// One that was started so.
pub struct ByHand {
    /// The process; it ends with this.
    pub process: Process,
    log: PathBuf,
}

impl ByHand {
    /// Starts it in the root of the gateway.
    pub fn start(
        stage: &Stage,
        package: &Package,
        args: &[&str],
        env: &[(&str, &str)],
        output: Output,
    ) -> Self {
        let log = stage.path(match output {
            Output::Log | Output::Pipe => LOG,
            Output::Elsewhere => "by-hand.log",
        });
        std::fs::create_dir_all(log.parent().unwrap()).unwrap();
        let open = || {
            let mut options = File::options();
            let file = options.create(true).append(true).open(&log).unwrap();
            Stdio::from(file)
        };
        let out = match output {
            Output::Log | Output::Elsewhere => open(),
            Output::Pipe => Stdio::piped(),
        };
        let mut all = vec![
            ("HOME", stage.path(".").display().to_string()),
            ("LITELLM_LOCAL_MODEL_COST_MAP", "True".to_owned()),
        ];
        all.extend(env.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let (script, folder) = (package.script(), stage.path("."));
        let process = Process::start_into(&script, args, &folder, (out, open()), &all);
        Self { process, log }
    }

    /// The same, recorded as the run of the service.
    pub fn recorded(
        stage: &Stage,
        package: &Package,
        args: &[&str],
        env: &[(&str, &str)],
        output: Output,
    ) -> Self {
        let by_hand = Self::start(stage, package, args, env, output);
        stage.record("litellm", &by_hand.process, true);
        by_hand
    }

    /// Waits until it says where it listens; gives the port.
    pub fn wait_until_running(&mut self) -> u16 {
        let mut port = None;
        wait_at_most(START, "LiteLLM to listen", || {
            let log = read(&self.log);
            assert!(self.process.is_alive(), "it ended:\n{log}");
            let said = log.split("Uvicorn running on http://127.0.0.1:").nth(1);
            port = said.and_then(|rest| rest.split(' ').next()?.parse().ok());
            port.is_some_and(is_listening)
        });
        port.unwrap()
    }

    /// Waits for its end; gives its exit code.
    pub fn wait_for_end(&mut self) -> Option<i32> {
        wait_at_most(START, "LiteLLM to end", || !self.process.is_alive());
        self.process.wait()
    }
}
