//! Faults of section 5 on the way from LiteLLM to the proxy, and of who may use it.

use crate::gateway::free_port;
use crate::oracle::upstream_works;
use crate::situation::Situation;
use crate::stage::{ACTIVE, FLOWGATE_YAML, Stage};

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
];

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
