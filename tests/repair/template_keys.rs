//! Keys of the template are replaced at every place in one run: the oracle is LiteLLM's own key.

use crate::fix::{apply, text, undo};
use crate::gateway::{Gateway, UPSTREAM_KEY};
use crate::ports::status_with_key;
use crate::process::wait_for;
use crate::state::{differences, state};
use crate::supervised::Supervised;

const ROOT: &str = "readiness/safe-mode:cliproxyapi_plus";
const TEMPLATE: &str = "your-api-key-1";
const PROXY: &str = "config/cliproxyapi.yaml";
const ACTIVE: &str = ".router/runtime/litellm.active.yaml";

/// A supervised gateway of the edition that has a safe mode, with a key of the template.
fn in_safe_mode(upstream: &str) -> Supervised {
    let gateway = Supervised::new(&[("cliproxyapi_plus", "FLOWGATE_STANDIN_EDITION", "mainline")]);
    gateway.write_proxy_config(TEMPLATE, gateway.proxy);
    gateway.write_litellm_config(upstream, gateway.proxy);
    gateway.flowgate(&["service", "start", "all"]);
    for port in [gateway.proxy, gateway.litellm] {
        wait_for("the services to listen", || {
            crate::gateway::is_listening(port)
        });
    }
    gateway
}

/// The key that LiteLLM sends, as its config has it.
fn sent_key(gateway: &Gateway) -> String {
    let config: serde_json::Value = serde_json::from_str(&text(gateway, ACTIVE)).unwrap();
    let key = &config["model_list"][0]["litellm_params"]["api_key"];
    key.as_str().unwrap().to_owned()
}

fn check(upstream: &str, is_kept: bool) {
    let gateway = in_safe_mode(upstream);
    let before = state(&gateway.path("."));
    assert_ne!(status_with_key(gateway.proxy, upstream), 200);

    apply(&gateway, ROOT, "set-api-keys:cliproxyapi_plus");

    let key = sent_key(&gateway);
    assert_eq!(key == upstream, is_kept);
    assert_eq!(status_with_key(gateway.proxy, &key), 200);
    assert_ne!(status_with_key(gateway.proxy, TEMPLATE), 200);
    assert!(text(&gateway, PROXY).contains(&key));
    undo(&gateway);
    let left = differences(&before, &state(&gateway.path(".")));
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn litellm_sends_the_new_key_from_the_same_run_on() {
    check(TEMPLATE, false);
}

#[test]
fn a_key_of_its_own_that_litellm_sends_already_is_let_in() {
    check(UPSTREAM_KEY, true);
}
