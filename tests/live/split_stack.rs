//! Two programs on one port, one per address family.

use crate::gateway::{Gateway, finding, roots};
use crate::process::{Process, wait_for};

#[test]
fn a_stranger_on_the_other_family_is_told_when_a_url_says_localhost() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        // A machine without IPv6 has no other family.
        return;
    }
    let gateway = Gateway::running();
    let port = gateway.proxy.to_string();
    let stranger = Process::start(
        std::path::Path::new("python3"),
        &["-m", "http.server", "--bind", "::1", &port],
        &gateway.path("."),
        &gateway.path("stranger.log"),
        &[],
    );
    wait_for("the stranger to listen", || {
        std::net::TcpStream::connect((std::net::Ipv6Addr::LOCALHOST, gateway.proxy)).is_ok()
    });
    let key = "port-conflict/split-stack:cliproxyapi_plus";
    let hint = gateway.doctor(&[]);
    assert_eq!(finding(&hint, key)["severity"], "info", "{hint:#}");

    gateway.edit(
        "config/flowgate.yaml",
        &format!("status_endpoint: http://127.0.0.1:{port}"),
        &format!("status_endpoint: http://localhost:{port}"),
    );
    let document = gateway.doctor(&[]);

    assert_eq!(roots(&document), [key]);
    let symptom = finding(&document, key)["symptom"].as_str().unwrap();
    assert!(
        symptom.contains(&format!("pid {}", stranger.pid())),
        "{symptom}"
    );
}
