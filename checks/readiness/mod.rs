#![doc = include_str!("../readiness.md")]

mod active_profile;
mod api_base;
mod client_key;
mod client_model;
mod client_own_key;
mod client_pointed;
mod client_url;
mod config_fault;
mod config_rejected;
mod crash_loop;
mod edit;
mod http_error;
mod hung;
mod killed;
mod last_words;
mod master_key;
mod missing_environment;
mod model_unserved;
mod models;
mod models_dropped;
mod open_gateway;
mod process;
mod proxy_captures;
mod resources;
mod safe_mode;
mod slow;
pub mod source;
mod stale_config;
mod tls_mismatch;
mod upstream_address;
mod upstream_key;
mod upstream_path;
mod upstream_vendor;
mod wrong_path;

use crate::model::{Check, ServiceKind, Snapshot, Verdict};
use crate::places::unread_config;
use crate::state::{service_of, services};

crate::findings! { "readiness";
    NOT_RUNNING = "not-running", Error, Outage, "not running";
    STARTING = "starting", Info, Hint, "starting";
    CRASH_LOOP = "crash-loop", Error, Outage, "ends again and again";
    KILLED = "killed", Error, Outage, "killed";
    HUNG = "hung", Error, Outage, "hung";
    SLOW = "slow", Warning, Risk, "slow";
    NO_ACTIVE_PROFILE = "no-active-profile", Error, Outage, "no active profile";
    STALE_ACTIVE_CONFIG = "stale-active-config", Warning, Risk, "its config is not the profile's";
    CONFIG_REJECTED = "config-rejected", Error, Outage, "refuses its config";
    MASTER_KEY_REFUSED = "master-key-refused", Error, Outage, "refuses its master key";
    MISSING_ENVIRONMENT = "missing-environment", Error, Outage, "a variable is not set";
    CLIENT_KEY_REJECTED = "client-key-rejected", Error, Outage, "refuses the client key";
    UPSTREAM_KEY_REJECTED = "upstream-key-rejected", Error, Outage, "its upstream key is refused";
    UPSTREAM_UNREACHABLE = "upstream-unreachable", Error, Outage, "its upstream address is dead";
    TLS_MISMATCH = "tls-mismatch", Error, Outage, "TLS on one side alone";
    SAFE_MODE = "safe-mode", Error, Outage, "its keys are those of the template";
    OPEN_GATEWAY = "open-gateway", Error, Exposure, "serves without a key";
    CLIENT_NOT_POINTED = "client-not-pointed", Info, Hint, "points elsewhere";
    CLIENT_WRONG_URL = "client-wrong-url", Warning, Risk, "its base URL is wrong";
    CLIENT_UNKNOWN_MODEL = "client-unknown-model", Warning, Risk, "asks for an unknown model";
    WRONG_PATH = "wrong-path", Info, Hint, "its readiness path does not exist";
    UPSTREAM_WRONG_PATH = "upstream-wrong-path", Error, Outage, "its upstream path is wrong";
    UPSTREAM_IS_VENDOR = "upstream-is-vendor", Error, Outage, "sends to a vendor";
    NO_MODELS = "no-models", Error, Outage, "lists no model";
    MODEL_UNSERVED = "model-unserved", Error, Outage, "its models are not served";
    MODELS_DROPPED = "models-dropped", Warning, Risk, "drops models";
    PROXY_CAPTURES_LOOPBACK = "proxy-captures-loopback", Error, Outage, "sends loopback through a proxy";
    RESOURCE_EXHAUSTED = "resource-exhausted", Error, Outage, "no room left";
    HTTP_ERROR = "http-error", Error, Outage, "answers with an error";
}

/// The check.
pub static CHECK: Check = Check {
    id: "readiness",
    title: "whether the gateway answers",
    section: Some(5),
    page: include_str!("../readiness.md"),
    findings: FINDINGS,
    run,
};

fn run(snapshot: &Snapshot) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.unknowns.extend(unread_config(snapshot));
    resources::look(snapshot, &mut verdict);
    for view in services(snapshot) {
        process::look(view, &mut verdict);
        config_rejected::look(view, &mut verdict);
        if view.is_starting() {
            continue;
        }
        http_error::look(view, &mut verdict);
        models::look(view, &mut verdict);
        safe_mode::look(view, &mut verdict);
        open_gateway::look(view, &mut verdict);
        wrong_path::look(view, &mut verdict);
    }
    if let Some(litellm) = service_of(snapshot, ServiceKind::Litellm) {
        active_profile::look(litellm, &mut verdict);
        stale_config::look(litellm, &mut verdict);
        master_key::look(litellm, &mut verdict);
        missing_environment::look(litellm, &mut verdict);
        client_key::look(litellm, &mut verdict);
        client_own_key::look(litellm, &mut verdict);
        client_url::look(litellm, &mut verdict);
        client_model::look(litellm, &mut verdict);
        client_pointed::look(litellm, &mut verdict);
        models_dropped::look(litellm, &mut verdict);
        proxy_captures::look(litellm, &mut verdict);
        if let Some(proxy) = service_of(snapshot, ServiceKind::Cliproxyapi) {
            upstream_key::look(litellm, proxy, &mut verdict);
            upstream_address::look(litellm, proxy, &mut verdict);
            tls_mismatch::look(litellm, proxy, &mut verdict);
            upstream_path::look(litellm, proxy, &mut verdict);
            upstream_vendor::look(litellm, proxy, &mut verdict);
            model_unserved::look(litellm, proxy, &mut verdict);
        }
    }
    verdict
}
