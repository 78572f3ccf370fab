//! flowgate.yaml as every command but the doctor needs it: loaded, or one sentence and exit 2.

use std::path::{Path, PathBuf};

use anyhow::Context;
use flowgate_checks::model::{ConfigFile, ConfigProblem, ConfigState, ProblemKind};

use super::Global;
use super::failure::Failure;
use crate::config::discover::{Discovery, Surroundings};
use crate::config::load;
use crate::config::schema::FlowgateConfig;
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::place::Root;
use crate::sys::redact::Redactor;

/// A config that loads, and where it is.
pub struct Opened {
    /// What it says.
    pub config: FlowgateConfig,
    /// Its entries and what is odd about it.
    pub file: ConfigFile,
    /// Where it is, absolute.
    pub path: PathBuf,
    /// How paths are shown.
    pub root: Root,
    /// The folder in which flowgate was called.
    pub cwd: PathBuf,
    /// Knows every secret that was read.
    pub redactor: Redactor,
    /// Makes the fingerprints.
    pub fingerprinter: Fingerprinter,
}

/// Finds and loads flowgate.yaml.
///
/// # Errors
/// `Config error: …` or `Config file not found: …`, exit 2; or the current folder is gone.
pub fn open(global: &Global) -> Result<Opened, Failure> {
    let cwd = std::env::current_dir().context("failed to tell the current folder")?;
    let discovery = Surroundings::of_process(global.config.clone()).discover();
    let root = load::root_of(&discovery.path);
    let fingerprinter = Fingerprinter::load(&load::fingerprint_key(&discovery.path));
    let redactor = Redactor::default();
    let loaded = load::load(&discovery.path, &root, &fingerprinter, &redactor);
    match loaded.config {
        Some(config) => Ok(Opened {
            config,
            file: loaded.file,
            path: discovery.path,
            root,
            cwd,
            redactor,
            fingerprinter,
        }),
        None => Err(Failure::known(refusal(&loaded.file, &discovery))),
    }
}

impl Opened {
    /// What is odd about the config, one line each.
    pub fn warnings(&self) -> String {
        self.file
            .problems
            .iter()
            .map(|problem| format!("{}\n", warning(&self.file.path, problem)))
            .collect()
    }
}

/// The sentence on a config that does not load.
pub fn refusal(file: &ConfigFile, discovery: &Discovery) -> String {
    match file.state {
        ConfigState::Missing => missing(discovery),
        _ => format!("Config error: {}", load::sentence(file).unwrap_or_default()),
    }
}

/// The original's words before the colon and its path are what scripts know.
fn missing(discovery: &Discovery) -> String {
    let quoted = |path: &Path| format!("'{}'", path.display());
    let mut message = format!(
        "Config file not found: No such file or directory: {}",
        quoted(&discovery.path)
    );
    let others: Vec<String> = discovery
        .tried
        .iter()
        .filter(|path| **path != discovery.path && !discovery.foreign.contains(path))
        .map(|path| quoted(path))
        .collect();
    if !others.is_empty() {
        message.push_str(&format!("; tried {} too", others.join(", ")));
    }
    let foreign: Vec<String> = discovery.foreign.iter().map(|path| quoted(path)).collect();
    if !foreign.is_empty() {
        message.push_str(&format!(
            "; not taken, since another user owns it: {} (name it with --config)",
            foreign.join(", ")
        ));
    }
    message
}

/// One odd thing of a config in one line: `config/flowgate.yaml:3: unknown key x`.
pub fn warning(file: &str, problem: &ConfigProblem) -> String {
    let entry = &problem.entry;
    let what = match &problem.kind {
        ProblemKind::UnknownKey {
            suggestion: Some(meant),
        } => format!("unknown key {entry}; did you mean {meant}?"),
        ProblemKind::UnknownKey { suggestion: None } => format!("unknown key {entry}"),
        ProblemKind::DuplicateKey { first } => {
            format!(
                "{entry} stands here and at line {}; the last one is read",
                first.line
            )
        }
        ProblemKind::LegacyKey { instead } => format!("{entry} is the old name of {instead}"),
    };
    format!("{file}:{}: {what}", problem.position.line)
}
