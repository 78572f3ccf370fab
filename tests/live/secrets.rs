//! No secret that was planted anywhere leaves the machine.

use std::io::Write;

use crate::gateway::{ACCESS_TOKEN, Gateway, PLANTED, UPSTREAM_KEY, free_port, is_listening};
use crate::process::{Process, read, wait_for};

/// A secret as a URL would carry it.
fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn a_bundle_holds_no_secret_from_logs_arguments_tokens_or_configs() {
    let mut gateway = Gateway::running();
    let log = gateway.path(".router/runtime/process-logs/cliproxyapi_plus.log");
    let mut file = std::fs::OpenOptions::new().append(true).open(log).unwrap();
    for secret in PLANTED {
        writeln!(file, "Authorization: Bearer {secret} key={secret}").unwrap();
        writeln!(
            file,
            "GET /v1/models?key={} {{\"api_key\":\"{secret}\"}}",
            percent_encoded(secret)
        )
        .unwrap();
        writeln!(file, "http://ana:{secret}@127.0.0.1/").unwrap();
    }
    // A listener that carries secrets in its arguments and its environment.
    let port = free_port();
    let serve = "import http.server, sys; http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), http.server.BaseHTTPRequestHandler).serve_forever()";
    let _neighbour = Process::start(
        std::path::Path::new("python3"),
        &[
            "-c",
            serve,
            &port.to_string(),
            "--planted-argument",
            UPSTREAM_KEY,
        ],
        &gateway.path("."),
        &gateway.path("neighbour.log"),
        &[("HTTP_PROXY", format!("http://u:{ACCESS_TOKEN}@127.0.0.1:1"))],
    );
    wait_for("the neighbour to listen", || is_listening(port));
    gateway.process("litellm").kill();

    gateway.doctor(&["--bundle", "seen.json"]);

    let bundle = read(&gateway.path("seen.json"));
    assert!(
        bundle.contains("--planted-argument"),
        "the neighbour is in the bundle"
    );
    for secret in PLANTED {
        assert!(!bundle.contains(secret), "{secret}");
        assert!(
            !bundle.contains(&percent_encoded(secret)),
            "{secret}, percent-encoded"
        );
    }
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(gateway.path("seen.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600, "only this user can read a bundle");
}
