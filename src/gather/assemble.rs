//! From what the probes brought to the parts of the snapshot.

use std::collections::BTreeMap;
use std::path::Path;

use flowgate_checks::model::{
    ApiKeyProvider, CallbackPort, Credentials, EnvVariable, LoginEvent, Management, Observed,
    Paths, Provider, Snapshot, Tool,
};
use flowgate_checks::shell;

use super::configs::Wave0;
use super::context::Context;
use super::credentials::TokenFiles;
use super::environment;
use super::who::Who;
use crate::config::secrets;

/// This flowgate, and how to call it again.
pub fn tool(config: Option<&Path>) -> Tool {
    let called = std::env::args_os().next().map_or_else(
        || "flowgate".into(),
        |called| called.to_string_lossy().into_owned(),
    );
    let mut command = shell::quote(&called);
    if let Some(config) = config {
        command = format!(
            "{command} --config {}",
            shell::quote(&config.display().to_string())
        );
    }
    Tool {
        version: env!("CARGO_PKG_VERSION").into(),
        command,
    }
}

/// Where things are.
pub fn paths(wave: &Wave0, context: &Context) -> Paths {
    let mut paths = Paths {
        root: context.root.path().display().to_string(),
        cwd: context.cwd.display().to_string(),
        ..Paths::default()
    };
    if let Some(config) = &wave.flowgate {
        paths.runtime_dir = context.show(&config.paths.runtime_dir);
        paths.active_config = context.show(&config.paths.active_config);
        paths.state_file = context.show(&config.paths.state_file);
        paths.log_file = context.show(&config.paths.log_file);
    }
    paths
}

/// The variables of flowgate's own environment.
pub fn environment(wave: &Wave0, context: &Context) -> BTreeMap<String, EnvVariable> {
    environment::own(
        &wave.referenced_variables(),
        &context.fingerprinter,
        &context.redactor,
    )
    .variables
}

/// Logins.
pub fn credentials(
    wave: &Wave0,
    tokens: TokenFiles,
    last_logins: BTreeMap<String, LoginEvent>,
    callback_ports: BTreeMap<String, CallbackPort>,
    management: Management,
) -> Credentials {
    let own_config = &wave.configs.cliproxyapi.path;
    let providers = wave.flowgate.iter().flat_map(|config| &config.providers);
    Credentials {
        auth_dirs: tokens.auth_dirs,
        files: tokens.files,
        api_key_providers: wave
            .cliproxyapi
            .iter()
            .flat_map(|config| &config.api_key_providers)
            .map(|provider| ApiKeyProvider {
                kind: provider.kind.clone(),
                place: format!("{own_config}:{}", provider.position.line),
            })
            .collect(),
        providers: providers
            .map(|(name, provider)| {
                let provider = Provider {
                    auth_url_endpoint: provider
                        .auth_url_endpoint
                        .as_deref()
                        .map(secrets::plain_url),
                    status_endpoint: provider.status_endpoint.as_deref().map(secrets::plain_url),
                    entry: provider.entry.clone(),
                };
                (name.clone(), provider)
            })
            .collect(),
        callback_ports,
        last_logins,
        management,
        elsewhere: tokens.elsewhere,
    }
}

/// Listeners, processes and the supervisor.
pub fn who(who: Observed<Who>, snapshot: &mut Snapshot) {
    match who {
        Observed::Known(who) => {
            snapshot.sockets = who.sockets;
            snapshot.processes = who.processes;
            snapshot.supervisor = who.supervisor;
        }
        Observed::Unknown(unknown) => snapshot.sockets = Observed::Unknown(unknown),
        Observed::NotAsked => {}
    }
}
