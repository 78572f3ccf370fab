//! Faults of section 5 on the way from LiteLLM to the proxy, and of who may use it.

use std::net::{Ipv4Addr, SocketAddr};

use crate::elsewhere;
use crate::fix::text;
use crate::gateway::{UPSTREAM_KEY, free_port};
use crate::oracle::{local, status, upstream_works};
use crate::process::write;
use crate::situation::{Place, Situation};
use crate::stage::{ACTIVE, FLOWGATE_YAML, PROXY_YAML, Stage};
use crate::supervised::Supervised;

pub const ALL: &[Situation] = &[
    Situation::asked(
        "an api_base at which nobody listens",
        "readiness/upstream-unreachable:litellm",
        "set-api-base",
        || {
            let stage = Stage::started();
            let (right, dead) = (stage.gateway.proxy.to_string(), free_port().to_string());
            stage.gateway.edit(ACTIVE, &right, &dead);
            restarted(stage)
        },
        upstream_works,
    ),
    Situation::asked(
        "an api_base without its path",
        "readiness/upstream-wrong-path:litellm",
        "set-api-base",
        || edited("/v1\"", "\""),
        upstream_works,
    ),
    Situation::asked(
        "an api_base that is missing",
        "readiness/upstream-is-vendor:litellm",
        "set-api-base",
        || {
            let stage = Stage::rendered();
            let port = stage.gateway.proxy;
            let line = format!("        api_base: http://127.0.0.1:{port}/v1\n");
            stage.gateway.edit(FLOWGATE_YAML, &line, "");
            stage.take_up();
            stage
        },
        upstream_works,
    ),
    Situation::asked(
        "an api_base that says https to a port that speaks http",
        "readiness/tls-mismatch:litellm",
        "set-api-base",
        || edited("\"http://", "\"https://"),
        upstream_works,
    ),
    Situation::asked(
        "a model that the proxy does not have",
        "readiness/model-unserved:litellm",
        "set-model",
        || edited("openai/gpt-5\"", "openai/gpt-5x\""),
        upstream_works,
    ),
    Situation::asked(
        "keys of the template, which the other edition refuses",
        "readiness/safe-mode:cliproxyapi_plus",
        "set-api-keys",
        template_keys,
        |stage| {
            let is_template = text(&stage.gateway, PROXY_YAML).contains(TEMPLATE_KEY);
            !is_template && upstream_works(stage)
        },
    ),
    Situation::asked(
        "a proxy without keys that every machine reaches",
        "readiness/open-gateway:cliproxyapi_plus",
        "set-host",
        open_to_all,
        |stage| {
            let port = stage.gateway.proxy;
            let elsewhere = SocketAddr::from((OTHER_ADDRESS, port));
            let is_served = status(local(port), "/v1/models", None) == Some(200);
            is_served && status(elsewhere, "/v1/models", None).is_none()
        },
    )
    .lessens()
    .at(Place::OutsideContainers),
];

const TEMPLATE_KEY: &str = "your-api-key-1";

/// LiteLLM sends the template's key, and names a model of the other edition.
fn template_keys() -> Stage {
    let mainline = ("cliproxyapi_plus", "FLOWGATE_STANDIN_EDITION", "mainline");
    let stage = Stage::around(Supervised::new(&[mainline]));
    for path in [PROXY_YAML, ACTIVE] {
        stage.gateway.edit(path, UPSTREAM_KEY, TEMPLATE_KEY);
    }
    stage.gateway.edit(ACTIVE, "openai/gpt-5", "openai/gpt-5.4");
    stage.start();
    stage
}

/// An address of this machine that only a listener at every address answers.
const OTHER_ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// The stand-ins bind loopback alone, so the test itself plays a proxy that binds what its file says.
fn open_to_all() -> Stage {
    let stage = Stage::stopped();
    let gateway = &stage.gateway;
    gateway.edit(PROXY_YAML, "host: 127.0.0.1", "host: 0.0.0.0");
    gateway.edit(PROXY_YAML, &format!("api-keys:\n  - {UPSTREAM_KEY}\n"), "");
    let whole = text(gateway, FLOWGATE_YAML);
    let (head, tail) = whole.rsplit_once("host: 127.0.0.1").unwrap();
    let path = gateway.path(FLOWGATE_YAML);
    write(&path, &format!("{head}host: 0.0.0.0{tail}"), 0o644);
    let program = gateway.path(".router/runtime/bin/CLIProxyAPIPlus");
    std::fs::remove_file(&program).unwrap();
    let config = gateway.path(PROXY_YAML).display().to_string();
    let open = elsewhere::command("an_open_proxy", &[("REPAIR_CONFIG", &config)]);
    write(&program, &format!("#!/bin/sh\nexec {open}\n"), 0o755);
    stage.start();
    stage
}

/// A change in the config that is written by hand, which litellm has read.
fn edited(right: &str, wrong: &str) -> Stage {
    let stage = Stage::started();
    stage.gateway.edit(ACTIVE, right, wrong);
    restarted(stage)
}

fn restarted(stage: Stage) -> Stage {
    let said = stage.gateway.flowgate(&["service", "restart", "litellm"]);
    assert_eq!(said.code, 0, "{}", said.err);
    stage
}
