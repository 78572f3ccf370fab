//! From a recording on the stage to the snapshot that a look would have made.

use std::path::PathBuf;

use flowgate::config::profiles;
use flowgate::config::service::ServiceConfig;
use flowgate::gather::rendering;
use flowgate_checks::model::{
    Configs, Observed, Paths, Profiles, Scheme, Service, Settings, Snapshot, Tool,
};
use serde_json::Value;

use crate::recording::ROOT;
use crate::stage::Stage;
use crate::who::{self, Who};
use crate::{
    binds, credentials, environment, frame, management, permissions, plan, probes, programs,
};

/// The snapshot as JSON, without a secret.
pub fn of(stage: &Stage<'_>) -> Value {
    let recording = stage.recording;
    let who = who::look(stage);
    let targets = plan::of(stage, &who);
    let answers = probes::of(stage, &who, &targets);
    let management = management::of(stage, &who, &targets, &answers);
    let dirs: Vec<PathBuf> = credentials::auth_dirs(stage)
        .into_iter()
        .map(|(dir, _)| dir)
        .collect();

    let mut snapshot = Snapshot::new(recording.time(recording.moment.t));
    snapshot.tool = Tool {
        version: env!("CARGO_PKG_VERSION").into(),
        command: "flowgate".into(),
    };
    snapshot.host = frame::host();
    snapshot.paths = paths(stage);
    snapshot.configs = Configs {
        flowgate: stage.flowgate_file.clone(),
        litellm: stage.litellm.file.clone(),
        cliproxyapi: stage.cliproxyapi.file.clone(),
    };
    snapshot.profiles = Profiles {
        names: stage.flowgate.profiles.keys().cloned().collect(),
        current: Observed::Known(profiles::current(&stage.flowgate.paths.state_file).unwrap()),
        differences: rendering::differences(&stage.flowgate),
    };
    snapshot.binds = binds::of_services(stage, &who.sockets);
    let callbacks = binds::of_callbacks(stage, &who.sockets);
    snapshot.credentials = credentials::of(stage, callbacks, management);
    snapshot.files = permissions::of(stage, &dirs);
    snapshot.environment = environment::of_flowgate(stage).variables;
    snapshot.probes = answers.answers;
    for config in &stage.flowgate.services {
        snapshot
            .services
            .insert(config.name.clone(), service(stage, config, &who));
    }
    snapshot.sockets = who.sockets;
    snapshot.processes = who.processes;

    let mut value = serde_json::to_value(snapshot).unwrap();
    stage.redactor.clean_json(&mut value);
    value
}

fn paths(stage: &Stage<'_>) -> Paths {
    let paths = &stage.flowgate.paths;
    Paths {
        root: ROOT.into(),
        cwd: ROOT.into(),
        runtime_dir: stage.show(&paths.runtime_dir),
        active_config: stage.show(&paths.active_config),
        state_file: stage.show(&paths.state_file),
        log_file: stage.show(&paths.log_file),
    }
}

fn service(stage: &Stage<'_>, config: &ServiceConfig, who: &Who) -> Service {
    let recorded = who.recorded.get(&config.name).cloned().unwrap_or_default();
    Service {
        kind: config.kind,
        settings: Settings {
            enabled: config.enabled,
            managed: config.managed,
            host: config.host.clone(),
            port: config.port,
            scheme: Scheme::Http,
            readiness_path: config.readiness_path.clone(),
            args: config
                .args
                .iter()
                .map(|arg| stage.redactor.clean(arg))
                .collect(),
            cwd: stage.show(config.cwd.as_deref().unwrap()),
            ready_timeout_seconds: config.ready_timeout.as_secs(),
        },
        wanted: recorded.wanted,
        run: recorded.run,
        tries: recorded.tries,
        exits: recorded.exits,
        log: who.logs.get(&config.name).cloned().unwrap_or_default(),
        program: match config.enabled {
            true => programs::of(stage, config),
            false => Observed::NotAsked,
        },
        environment: match who.environments.get(&config.name) {
            Some(Observed::Known(look)) => Observed::Known(look.variables.clone()),
            _ => Observed::NotAsked,
        },
        env_files: Vec::new(),
        changed_entries: Observed::NotAsked,
        last_ready: None,
        records: recorded.files,
    }
}
