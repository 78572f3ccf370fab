//! Faults of flowgate.yaml and of what runs beside it.

use crate::fix::text;
use crate::gateway::{MASTER_KEY, free_port};
use crate::oracle::{both_serve, litellm_serves, local, port_of, proxy_serves, status, value_of};
use crate::situation::Situation;
use crate::stage::{ACTIVE, FLOWGATE_YAML, PROXY_YAML, Stage};
use crate::supervised::Supervised;

/// A master key that nobody knew before.
const NEW_KEY: &str = "sk-another-master-key-0001";

pub const ALL: &[Situation] = &[
    Situation::asked(
        "two ports for one service",
        "config/port-mismatch:cliproxyapi_plus",
        "set-port",
        || {
            let stage = Stage::stopped();
            let own = format!("port: {}", stage.gateway.proxy);
            let other = format!("port: {}", free_port());
            stage.gateway.edit(PROXY_YAML, &own, &other);
            stage.start();
            stage
        },
        both_serve,
    ),
    Situation::asked(
        "a port that is written in one of two places",
        "config/port-mismatch:cliproxyapi_plus",
        "set-port",
        || {
            let stage = Stage::stopped();
            let own = format!("port: {}\n", stage.gateway.proxy);
            stage.gateway.edit(PROXY_YAML, &own, "");
            // Nothing runs: a supervisor would start it again and again beside the repair.
            stage
        },
        |stage| {
            let written = value_of(&text(&stage.gateway, PROXY_YAML), "port");
            written == stage.gateway.proxy.to_string()
        },
    ),
    Situation::asked(
        "a config that was changed since the start",
        "config/running-config-differs:litellm",
        "restart",
        || {
            let stage = Stage::started();
            stage.gateway.edit(ACTIVE, MASTER_KEY, NEW_KEY);
            stage
        },
        litellm_serves,
    )
    .stays(),
    Situation::asked(
        "a variable that takes the config away",
        "config/overridden:cliproxyapi_plus",
        "restart",
        || {
            let dsn = ("cliproxyapi_plus", "PGSTORE_DSN", "postgres://127.0.0.1/x");
            let stage = Stage::around(Supervised::new(&[dsn]));
            stage.start();
            stage
        },
        |stage| {
            let pid = stage.recorded_pid("cliproxyapi_plus").unwrap();
            let is_set =
                crate::process::read(std::path::Path::new(&format!("/proc/{pid}/environ")))
                    .split('\0')
                    .any(|pair| pair.starts_with("PGSTORE_DSN=p"));
            !is_set && proxy_serves(stage)
        },
    ),
    Situation::asked(
        "a readiness path that costs money",
        "config/costly-readiness-path:litellm",
        "set-readiness-path",
        || {
            let stage = Stage::started();
            stage
                .gateway
                .edit(FLOWGATE_YAML, "/health/readiness", "/health");
            stage
        },
        |stage| {
            // Without a key it is answered, so it asks no model.
            let config = text(&stage.gateway, FLOWGATE_YAML);
            let path = value_of(&config, "readiness_path");
            let at = local(port_of(&stage.gateway, "litellm"));
            status(at, &path, None) == Some(200)
        },
    ),
];
