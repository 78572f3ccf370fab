//! A gateway that answers whoever comes, and one that answers nobody: keys that are no secret.

use crate::gateway::{Gateway, UPSTREAM_KEY, finding, roots};
use crate::process::wait_for;

/// A proxy of the other edition, with a config of its own; LiteLLM sends it the usual key.
fn mainline_with_keys(key: &str) -> Gateway {
    let mut gateway = Gateway::new();
    gateway.write_proxy_config(key, gateway.proxy);
    gateway.spawn(
        "cliproxyapi_plus",
        &[("FLOWGATE_STANDIN_EDITION", "mainline".to_owned())],
    );
    let port = gateway.proxy;
    wait_for("the proxy to listen", || {
        std::net::TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, port)).is_ok()
    });
    gateway.start("litellm");
    gateway
}

#[test]
fn a_proxy_without_keys_on_loopback_is_open_to_this_machine_and_no_outage() {
    let mut gateway = Gateway::new();
    gateway.edit(
        "config/cliproxyapi.yaml",
        &format!("api-keys:\n  - {UPSTREAM_KEY}\n"),
        "",
    );
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");

    let document = gateway.doctor(&[]);

    assert_eq!(
        roots(&document),
        ["readiness/open-gateway:cliproxyapi_plus"]
    );
    let found = finding(&document, "readiness/open-gateway:cliproxyapi_plus");
    assert_eq!(found["severity"], "warning", "{found:#}");
    assert!(found.to_string().contains("200 without a key"), "{found:#}");
    assert_eq!(document["exitCode"], 0);
}

#[test]
fn template_keys_put_the_other_edition_into_safe_mode_and_hide_no_other_fault() {
    let gateway = mainline_with_keys("your-api-key-1");

    let document = gateway.doctor(&[]);

    assert_eq!(roots(&document), ["readiness/safe-mode:cliproxyapi_plus"]);
    let found = finding(&document, "readiness/safe-mode:cliproxyapi_plus");
    let kinds: Vec<&str> = found["fixes"][0]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["set-value"]);
}

#[test]
fn keys_of_its_own_put_no_edition_into_safe_mode() {
    let gateway = mainline_with_keys(UPSTREAM_KEY);
    // This edition has other models than the config of LiteLLM names; that is another matter.
    let document = gateway.doctor(&[]);
    let is_refused = roots(&document)
        .iter()
        .any(|key| key.starts_with("readiness/safe-mode") || key.contains("upstream-key"));
    assert!(!is_refused, "{document:#}");
}

#[test]
fn a_readiness_path_that_is_not_there_is_a_hint_and_the_service_is_well() {
    let mut gateway = Gateway::new();
    gateway.edit(
        "config/flowgate.yaml",
        "readiness_path: /\n",
        "readiness_path: /no-such-path\n",
    );
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");

    let document = gateway.doctor(&[]);

    assert_eq!(roots(&document), Vec::<String>::new());
    let found = finding(&document, "readiness/wrong-path:cliproxyapi_plus");
    assert_eq!(found["severity"], "info", "{found:#}");
    assert_eq!(document["ok"], true, "{document:#}");
}
