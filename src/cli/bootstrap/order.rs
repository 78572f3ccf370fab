//! What is to be obtained, from flowgate.yaml and the command line; the command line wins.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::{DownloadArgs, Program};
use crate::bootstrap::digest::is_digest;
use crate::bootstrap::release::{self, Wish};
use crate::cli::Global;
use crate::cli::failure::Failure;
use crate::cli::opened::Opened;

/// What is to be obtained.
pub struct Order {
    /// Which programs, the far end of the chain first.
    pub programs: Vec<Program>,
    /// Which release.
    pub wish: Wish,
    /// Whether somebody named that release.
    pub is_release_named: bool,
    /// An archive of this machine.
    pub archive: Option<PathBuf>,
    /// Whether its digest must be known.
    pub require_sha256: bool,
    /// Whether what flowgate did not install may be replaced.
    pub yes: bool,
    /// When nothing arrives for so long it is given up.
    pub stall: Duration,
    /// Whether nobody wants to see what goes on.
    pub is_quiet: bool,
    /// For GitHub.
    pub token: Option<SecretString>,
}

impl Order {
    /// Reads both.
    ///
    /// # Errors
    /// A value that is none, exit 2; a program that this gateway does not run.
    pub fn of(args: &DownloadArgs, opened: &Opened, global: &Global) -> Result<Self, Failure> {
        let config = &opened.config.bootstrap;
        let version = args.cliproxy_version.as_ref().or(config.version.as_ref());
        let repository = args.cliproxy_repo.as_ref().or(config.repository.as_ref());
        let sha256 = args.sha256.as_ref().or(config.sha256.as_ref());
        if let Some(wrong) = sha256.filter(|digest| !is_digest(digest)) {
            return Err(Failure::usage(anyhow::anyhow!(
                "{wrong} is no SHA-256: 64 hexadecimal digits are"
            )));
        }
        let is_plain = |text: &str| {
            let parts: Vec<&str> = text.split('/').collect();
            let is_word = |part: &&str| {
                !part.is_empty()
                    && !part.starts_with('.')
                    && part
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            };
            parts.iter().all(is_word).then_some(parts.len())
        };
        if let Some(wrong) = repository.filter(|name| is_plain(name) != Some(2)) {
            return Err(Failure::usage(anyhow::anyhow!(
                "{wrong} is no repository: OWNER/NAME is"
            )));
        }
        if let Some(wrong) = version.filter(|tag| is_plain(tag) != Some(1)) {
            return Err(Failure::usage(anyhow::anyhow!(
                "{wrong} is no tag of a release"
            )));
        }
        let usual = Wish::default();
        // The release that is known belongs to the repository that is known.
        let unnamed = match repository.is_none_or(|name| *name == usual.repository) {
            true => usual.version.clone(),
            false => release::LATEST.to_owned(),
        };
        Ok(Self {
            programs: programs(args.only, opened)?,
            wish: Wish {
                repository: repository.cloned().unwrap_or(usual.repository),
                version: version.cloned().unwrap_or(unnamed),
                mirror: config.mirror.clone(),
                sha256: sha256.cloned(),
            },
            is_release_named: args.cliproxy_version.is_some() || args.cliproxy_repo.is_some(),
            archive: args.archive.clone().map(|file| opened.cwd.join(file)),
            require_sha256: args.require_sha256,
            yes: args.yes,
            stall: args.stall(),
            is_quiet: global.quiet,
            token: std::env::var("GITHUB_TOKEN")
                .ok()
                .filter(|token| !token.is_empty())
                .map(SecretString::from),
        })
    }
}

/// The programs of the services that flowgate runs; with `only` that one.
fn programs(only: Option<Program>, opened: &Opened) -> Result<Vec<Program>, Failure> {
    let is_run = |program: &Program| {
        opened
            .config
            .services
            .iter()
            .any(|service| service.kind == program.kind() && service.enabled && service.managed)
    };
    match only {
        Some(program) if !is_run(&program) => Err(Failure::failed(anyhow::anyhow!(
            "flowgate runs no {} here",
            program.token()
        ))),
        Some(program) => Ok(vec![program]),
        None => Ok([Program::Cliproxyapi, Program::Litellm]
            .into_iter()
            .filter(is_run)
            .collect()),
    }
}
