//! What a start will do, from flowgate.yaml as it is now and from the one who asks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowgate_checks::model::ServiceKind;
use secrecy::{ExposeSecret, SecretString};

use super::environment;
use super::launch;
use super::places::Places;
use super::protocol::{Launch, Refusal};
use super::reach::{self, Reach};
use super::spawn;
use super::watched::Watched;
use crate::config::file::{LARGEST, Reading};
use crate::config::keys::SecretsDir;
use crate::config::schema::FlowgateConfig;
use crate::config::service::ServiceConfig;
use crate::config::{cliproxyapi, command, keys, litellm, load};
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::place::Root;
use crate::sys::read;
use crate::sys::redact::Redactor;

/// The variable that gives CLIProxyAPIPlus a management key (facts/cliproxyapi.md section 3).
const MANAGEMENT: &str = "MANAGEMENT_PASSWORD";

/// All that a start needs. No `Debug`: arguments and variables may hold secrets.
pub struct Plan {
    /// The service.
    pub service: ServiceConfig,
    /// The program and its arguments, as they are given to it.
    pub args: Vec<String>,
    /// The working directory.
    pub cwd: PathBuf,
    /// Its variables, all of them.
    pub env: BTreeMap<String, String>,
    /// Where it is to be found.
    pub reach: Reach,
    /// Digests of the entries of the config that it is started with ([`entries::digests`]).
    ///
    /// [`entries::digests`]: crate::config::entries::digests
    pub digests: BTreeMap<String, String>,
    /// The event log.
    pub log_file: PathBuf,
    /// The files that it was made from and that the program reads, as they were before.
    pub files: Watched,
    /// Knows the secrets that the program may print.
    pub redactor: Arc<Redactor>,
}

/// flowgate.yaml as it is now.
pub struct Current {
    /// What it says.
    pub config: FlowgateConfig,
    path: PathBuf,
    root: Root,
    fingerprinter: Fingerprinter,
    redactor: Arc<Redactor>,
}

/// Reads flowgate.yaml.
///
/// # Errors
/// A refusal of code `config`, when it does not load.
pub fn current(path: &Path) -> Result<Current, Refusal> {
    let root = load::root_of(path);
    let key = load::fingerprint_key(path);
    // Without a kept key the digests of this start could never be compared.
    if let Some(folder) = key.parent() {
        let _ = SecretsDir::beside(folder).ensure(keys::FINGERPRINT, keys::random_hex);
    }
    let fingerprinter = Fingerprinter::load(&key);
    let redactor = Arc::new(Redactor::default());
    let loaded = load::load(path, &root, &fingerprinter, &redactor);
    match loaded.config {
        Some(config) => Ok(Current {
            config,
            path: path.to_owned(),
            root,
            fingerprinter,
            redactor,
        }),
        None => Err(Refusal::new(
            "config",
            format!(
                "Config error: {}",
                load::sentence(&loaded.file).unwrap_or_default()
            ),
        )),
    }
}

impl Current {
    fn reading(&self) -> Reading<'_> {
        Reading {
            root: &self.root,
            fingerprinter: &self.fingerprinter,
            redactor: &self.redactor,
        }
    }

    /// The service of a name that flowgate may start and stop.
    ///
    /// # Errors
    /// A refusal of code `unknown-service` or `not-managed`.
    pub fn managed(&self, name: &str) -> Result<&ServiceConfig, Refusal> {
        let service = self
            .config
            .service(name)
            .filter(|service| service.enabled)
            .ok_or_else(|| Refusal::new("unknown-service", format!("Unknown service: {name}")))?;
        if !service.managed {
            return Err(Refusal::new(
                "not-managed",
                format!("{name} has managed: false in flowgate.yaml: somebody else runs it"),
            ));
        }
        Ok(service)
    }

    /// Where a service is to be found; `cwd` is the folder of the caller.
    pub fn reach(&self, service: &ServiceConfig, cwd: &Path) -> Reach {
        let cwd = service.cwd.as_deref().unwrap_or(cwd);
        let own = reach::own_config(service, cwd, &self.reading());
        Reach::of(service, own.as_ref(), cwd)
    }

    /// The folder for a service whose caller is not known.
    pub fn folder(&self) -> &Path {
        self.root.path()
    }

    /// What a start of a service will do.
    ///
    /// # Errors
    /// A refusal: of code `config` for what flowgate.yaml lacks, `runtime-dir` when a key of
    /// flowgate's own cannot be kept.
    pub fn plan(&self, places: &Places, launch: &Launch) -> Result<Plan, Refusal> {
        let config = |message: String| Refusal::new("config", message);
        let mut service = self.managed(&launch.service)?.clone();
        if self.config.paths.runtime_dir != places.runtime() {
            return Err(config(format!(
                "Config error: {} names the runtime dir {} now; this supervisor serves {}",
                self.root.show(&self.path),
                self.config.paths.runtime_dir.display(),
                places.runtime().display()
            )));
        }
        if service.args.is_empty() {
            return Err(config(format!(
                "Config error: {}.command.args names no program",
                service.entry
            )));
        }
        let files = Watched::now(self.files(&service, launch));
        service.args = with_address(&service);
        let cwd = service.cwd.clone().unwrap_or_else(|| launch.cwd.clone());
        let reach = self.reach(&service, &launch.cwd);
        let mut env = environment::of(&service, &launch.env).map_err(|error| {
            let path = service.env_file.as_deref().unwrap_or(Path::new(""));
            let shown = self.root.show(path);
            config(format!("Config error: failed to read {shown}: {error}"))
        })?;
        if service.management_auto && wants_key(&reach, &env, &cwd) {
            let (key, _) = SecretsDir::beside(places.runtime())
                .ensure(keys::MANAGEMENT, keys::random_hex)
                .map_err(|error| Refusal::new("runtime-dir", error.to_string()))?;
            env.insert(MANAGEMENT.into(), key.expose_secret().to_owned());
        }
        for (name, value) in &env {
            if !launch::is_common(name) {
                self.redactor.learn(&SecretString::from(value.as_str()));
            }
        }
        Ok(Plan {
            files,
            redactor: Arc::clone(&self.redactor),
            digests: self.digests(&service, &cwd),
            log_file: self.config.paths.log_file.clone(),
            args: service.args.clone(),
            service,
            cwd,
            env,
            reach,
        })
    }

    /// The files that decide how a start goes: flowgate.yaml, what the program reads, itself.
    pub fn files(&self, service: &ServiceConfig, launch: &Launch) -> Vec<PathBuf> {
        let cwd = service.cwd.as_deref().unwrap_or(&launch.cwd);
        let program = service.args.first().map(String::as_str);
        let programs = program.map(|program| {
            let path = service.env.get("PATH").map(ExposeSecret::expose_secret);
            let path = path.map(str::to_owned).or(launch.env.get("PATH").cloned());
            spawn::candidates(program, path.as_ref(), cwd)
        });
        [Some(self.path.clone())]
            .into_iter()
            .chain([command::config_path(service, cwd)])
            .chain([service.env_file.clone(), Some(cwd.join(".env"))])
            .flatten()
            .chain(programs.unwrap_or_default())
            .collect()
    }

    /// The variables that the configs name, as the command does that asks for a start.
    pub fn referenced(&self) -> BTreeSet<String> {
        let path = self
            .config
            .service("litellm")
            .and_then(|service| command::config_path(service, self.folder()))
            .unwrap_or_else(|| self.config.paths.active_config.clone());
        let active = litellm::load(&path, &self.reading());
        launch::referenced(&self.config, Some(&active.file))
    }

    /// The digest of every entry of the program's own config, and of its arguments: what the running
    /// process has read, for a doctor that asks later what changed since.
    fn digests(&self, service: &ServiceConfig, cwd: &Path) -> BTreeMap<String, String> {
        let path = command::config_path(service, cwd);
        let mut digests = match (&path, service.kind) {
            (Some(path), ServiceKind::Litellm) => litellm::load(path, &self.reading()).digests,
            (Some(path), ServiceKind::Cliproxyapi) => {
                cliproxyapi::load(path, &self.reading()).digests
            }
            _ => BTreeMap::new(),
        };
        digests.insert(
            format!("flowgate:{}.command.args", service.entry),
            self.fingerprinter.of(&service.args.join("\0")),
        );
        digests
    }
}

/// The arguments of LiteLLM with the host and port of flowgate.yaml, where they have none of their
/// own; the other programs take theirs from their config.
fn with_address(service: &ServiceConfig) -> Vec<String> {
    let mut args = service.args.clone();
    if service.kind != ServiceKind::Litellm {
        return args;
    }
    if command::host_argument(&args).is_none() && !service.host.is_empty() {
        args.extend(["--host".to_owned(), service.host.clone()]);
    }
    if let Some(port) = service.port
        && command::port_argument(&args).is_none()
    {
        args.extend(["--port".to_owned(), port.to_string()]);
    }
    args
}

/// Whether a key of flowgate's own may be given: never over a value of the user's, which may stand in
/// the `.env` that the program reads in its folder, and never to one that others can reach.
fn wants_key(reach: &Reach, env: &BTreeMap<String, String>, cwd: &Path) -> bool {
    let dot_env = read::head(&cwd.join(".env"), LARGEST).unwrap_or_default();
    let is_in_file = String::from_utf8_lossy(&dot_env).contains(MANAGEMENT);
    reach.kind == ServiceKind::Cliproxyapi
        && reach.binds_loopback_only()
        && !env.contains_key(MANAGEMENT)
        && !is_in_file
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
