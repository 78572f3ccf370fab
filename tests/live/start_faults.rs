//! Start failures of CLIProxyAPIPlus that a stand-in can show (`facts/real-stack.md` section 1, all of
//! them end with status 0): each fails the start, and the doctor names it.

use crate::gateway::{Gateway, roots};
use crate::process::write;
use crate::supervised::Supervised;

const REJECTED: &str = "readiness/config-rejected:cliproxyapi_plus";
const MISMATCH: &str = "config/port-mismatch:cliproxyapi_plus";

/// What is wrong, its config in which `PORT` stands for the right port, and the first root.
const FAULTS: &[(&str, &str, &str)] = &[
    ("a tab indents", "host: 127.0.0.1\n\tport: PORT\n", REJECTED),
    ("a bracket is open", "host: [a\nport: PORT\n", REJECTED),
    (
        "the port is a word",
        "host: 127.0.0.1\nport: abc\nauth-dir: ./.router/auths\n",
        REJECTED,
    ),
    ("it is a list", "- a\n", REJECTED),
    (
        "a key stands twice",
        "port: PORT\nport: PORT\nauth-dir: ./.router/auths\n",
        REJECTED,
    ),
    (
        "api-keys is a text",
        "port: PORT\nauth-dir: ./.router/auths\napi-keys: a\n",
        REJECTED,
    ),
    (
        "auth-dir is missing",
        "host: 127.0.0.1\nport: PORT\n",
        REJECTED,
    ),
    (
        "auth-dir is a file",
        "host: 127.0.0.1\nport: PORT\nauth-dir: ./config/cliproxyapi.yaml\n",
        REJECTED,
    ),
    (
        "the port is missing",
        "host: 127.0.0.1\nauth-dir: ./.router/auths\n",
        MISMATCH,
    ),
];

#[test]
fn every_start_failure_is_a_failure_and_ends_in_its_finding() {
    for (what, config, root) in FAULTS {
        let gateway = Supervised::new(&[]);
        write_config(
            &gateway,
            &config.replace("PORT", &gateway.proxy.to_string()),
        );
        let start = gateway.flowgate(&["service", "start", "cliproxyapi_plus"]);
        assert_eq!(start.code, 1, "{what}: {}{}", start.out, start.err);
        assert!(
            start.err.contains("cliproxyapi_plus:start-failed reason="),
            "{what}: {}",
            start.err
        );
        let id = root.split(':').next().unwrap();
        assert!(start.err.contains(id), "{what}: {}", start.err);
        let document = gateway.doctor(&[]);
        assert!(
            roots(&document).contains(&(*root).to_owned()),
            "{what}: {:?}",
            roots(&document)
        );
        let is_alone = roots(&document)
            .iter()
            .all(|key| !key.starts_with("readiness/not-running"));
        assert!(is_alone, "{what}: {:?}", roots(&document));
    }
}

fn write_config(gateway: &Gateway, text: &str) {
    write(&gateway.path("config/cliproxyapi.yaml"), text, 0o600);
}
