//! What is unusual and works: the doctor says nothing of it, or a hint.

use std::path::Path;

use crate::gateway::{Gateway, free_port, is_listening, roots, token};
use crate::process::{Process, read, set_mode, wait_for, write};
use crate::supervised::Supervised;

const ACTIVE: &str = ".router/runtime/litellm.active.yaml";
const FLOWGATE_YAML: &str = "config/flowgate.yaml";
const PROXY_YAML: &str = "config/cliproxyapi.yaml";
const TOKEN: &str = "codex-ana@example.com.json";

/// Requires that nothing above a hint is found, and gives the keys of the hints.
fn hints(gateway: &Gateway) -> Vec<String> {
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), Vec::<String>::new(), "{document:#}");
    assert_eq!(document["exitCode"], 0, "{document:#}");
    let findings = document["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| finding["key"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn configs_that_are_symlinks_are_read_where_they_lie() {
    let mut gateway = Gateway::new();
    for file in [FLOWGATE_YAML, PROXY_YAML] {
        let (link, target) = (
            gateway.path(file),
            gateway.path(&format!("dotfiles/{file}")),
        );
        let mode = if file == PROXY_YAML { 0o600 } else { 0o644 };
        write(&target, &read(&link), mode);
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
    }
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");
    assert_eq!(hints(&gateway), Vec::<String>::new());
}

#[test]
fn a_gateway_on_ipv6_alone_is_asked_there() {
    let mut gateway = Gateway::new();
    let (litellm, proxy) = (gateway.litellm, gateway.proxy);
    let text = read(&gateway.path(FLOWGATE_YAML));
    let text = text
        .replace("host: 127.0.0.1", "host: \"::1\"")
        .replace("--host, 127.0.0.1", "--host, \"::1\"")
        .replace("http://127.0.0.1:", "http://[::1]:");
    write(&gateway.path(FLOWGATE_YAML), &text, 0o644);
    gateway.edit(PROXY_YAML, "host: 127.0.0.1", "host: \"[::1]\"");
    gateway.edit(ACTIVE, "http://127.0.0.1:", "http://[::1]:");
    let listens = |port: u16| std::net::TcpStream::connect(("::1", port)).is_ok();
    gateway.spawn("cliproxyapi_plus", &[]);
    wait_for("the proxy to listen on IPv6", || listens(proxy));
    let process = start_litellm(&gateway, "::1", litellm);
    gateway.record("litellm", &process, true);
    wait_for("LiteLLM to listen on IPv6", || listens(litellm));
    assert_eq!(hints(&gateway), Vec::<String>::new());
}

/// A LiteLLM as somebody else starts it, at an address of its own.
fn start_litellm(gateway: &Gateway, host: &str, port: u16) -> Process {
    let port = port.to_string();
    let args = [
        "standin", "litellm", "--config", ACTIVE, "--host", host, "--port", &port,
    ];
    start_elsewhere(gateway, "litellm", &args)
}

/// A program as somebody else starts it: its output goes to a log of their own.
fn start_elsewhere(gateway: &Gateway, program: &str, args: &[&str]) -> Process {
    Process::start(
        &gateway.path(&format!(".router/runtime/bin/{program}")),
        args,
        &gateway.path("."),
        &gateway.path(&format!("{program}.log")),
        &[],
    )
}

#[test]
fn of_two_services_one_alone_may_run() {
    let mut gateway = Gateway::new();
    gateway.start("cliproxyapi_plus");
    assert_eq!(hints(&gateway), ["readiness/not-running:litellm"]);
}

#[test]
fn a_service_that_is_switched_off_is_left_out() {
    let mut gateway = Gateway::new();
    gateway.edit(
        FLOWGATE_YAML,
        "  litellm:\n",
        "  litellm:\n    enabled: false\n",
    );
    gateway.start("cliproxyapi_plus");
    assert_eq!(hints(&gateway), Vec::<String>::new());
}

#[test]
fn what_was_stopped_on_purpose_is_a_hint() {
    let gateway = Supervised::new(&[]);
    let started = gateway.flowgate(&["service", "start", "all"]);
    assert_eq!(started.code, 0, "{}{}", started.out, started.err);
    assert_eq!(hints(&gateway), Vec::<String>::new());
    let stopped = gateway.flowgate(&["service", "stop", "all"]);
    assert_eq!(stopped.code, 0, "{}{}", stopped.out, stopped.err);
    assert_eq!(
        hints(&gateway),
        [
            "readiness/not-running:cliproxyapi_plus",
            "readiness/not-running:litellm"
        ]
    );
}

#[test]
fn services_that_somebody_started_by_hand_are_external() {
    let gateway = Gateway::new();
    let _proxy = start_elsewhere(
        &gateway,
        "CLIProxyAPIPlus",
        &["standin", "cliproxyapi", "-config", PROXY_YAML],
    );
    let _litellm = start_litellm(&gateway, "127.0.0.1", gateway.litellm);
    for port in [gateway.litellm, gateway.proxy] {
        wait_for("the service to listen", || is_listening(port));
    }
    let found = hints(&gateway);
    for service in ["litellm", "cliproxyapi_plus"] {
        let key = format!("supervisor/external:{service}");
        assert!(found.contains(&key), "{found:?}");
    }
}

#[test]
fn without_a_management_api_who_is_logged_in_needs_none() {
    let mut gateway = Gateway::new();
    let text = read(&gateway.path(PROXY_YAML));
    let (before, _) = text.split_once("remote-management:").unwrap();
    write(&gateway.path(PROXY_YAML), before, 0o600);
    std::fs::remove_file(gateway.path(".router/secrets/management.key")).unwrap();
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");
    assert_eq!(
        hints(&gateway),
        ["oauth-login/management-disabled:cliproxyapi_plus"]
    );
}

#[test]
fn a_first_login_leaves_0644_in_a_closed_folder() {
    let gateway = Gateway::running();
    gateway.write_token(TOKEN, &token("2099-01-01T00:00:00Z"), 0o644);
    assert_eq!(
        hints(&gateway),
        [format!(
            "secret-permissions/file-exposed:.router/auths/{TOKEN}"
        )]
    );
}

#[test]
fn a_forwarder_is_judged_by_what_answers_behind_it() {
    let mut gateway = Gateway::new();
    gateway.start("cliproxyapi_plus");
    let (front, behind) = (gateway.litellm, free_port());
    let _hidden = start_litellm(&gateway, "127.0.0.1", behind);
    wait_for("LiteLLM to listen", || is_listening(behind));
    let _forwarder = forwarder(&gateway, front, behind);
    wait_for("the forwarder to listen", || is_listening(front));
    let found = hints(&gateway);
    assert!(
        found.contains(&"supervisor/external:litellm".to_owned()),
        "{found:?}"
    );
}

/// A process that passes connections on, under the name of one that does.
fn forwarder(gateway: &Gateway, from: u16, to: u16) -> Process {
    const CODE: &str = "
import socket, sys, threading
open('/proc/self/comm', 'w').write('docker-proxy')
front, behind = int(sys.argv[1]), int(sys.argv[2])
def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass
listener = socket.create_server(('127.0.0.1', front))
while True:
    client, _ = listener.accept()
    server = socket.create_connection(('127.0.0.1', behind))
    threading.Thread(target=pump, args=(client, server), daemon=True).start()
    threading.Thread(target=pump, args=(server, client), daemon=True).start()
";
    Process::start(
        Path::new("python3"),
        &["-c", CODE, &from.to_string(), &to.to_string()],
        &gateway.path("."),
        &gateway.path("forwarder.log"),
        &[],
    )
}

#[test]
fn old_errors_in_the_logs_of_what_serves_say_nothing() {
    let gateway = Gateway::running();
    for (service, lines) in [
        (
            "litellm",
            "Traceback (most recent call last):\n  File \"proxy_server.py\", line 1\n\
             ModuleNotFoundError: No module named 'prisma'\n\
             ERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', 1)\n",
        ),
        (
            "cliproxyapi_plus",
            "[error] failed to load config: yaml: line 3: found a tab\n\
             Token refresh attempt 2 failed: 502\n",
        ),
    ] {
        let log = gateway.path(&format!(".router/runtime/process-logs/{service}.log"));
        let before = read(&log);
        write(&log, &format!("{before}{lines}"), 0o644);
    }
    assert_eq!(hints(&gateway), Vec::<String>::new());
}

#[test]
fn dead_paths_of_a_login_are_a_hint_for_who_is_logged_in() {
    let mut gateway = Gateway::new();
    let proxy = gateway.proxy;
    gateway.edit(
        FLOWGATE_YAML,
        &format!("http://127.0.0.1:{proxy}/v0/management/codex-auth-url?is_webui=true"),
        &format!("http://127.0.0.1:{proxy}/v0/management/oauth/codex/auth-url"),
    );
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");
    assert_eq!(hints(&gateway), ["oauth-login/wrong-endpoint:codex"]);
}

#[test]
fn configs_and_tokens_that_are_read_only_work() {
    let mut gateway = Gateway::new();
    set_mode(&gateway.path(PROXY_YAML), 0o400);
    set_mode(&gateway.path(&format!(".router/auths/{TOKEN}")), 0o400);
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");
    assert_eq!(hints(&gateway), Vec::<String>::new());
}

#[test]
fn a_run_that_only_a_pid_file_of_the_original_names_is_ours() {
    let mut gateway = Gateway::running();
    for service in ["litellm", "cliproxyapi_plus"] {
        let pid = gateway.process(service).pid();
        let record = gateway.path(&format!(".router/runtime/supervisor/{service}.json"));
        std::fs::remove_file(record).unwrap();
        let file = gateway.path(&format!(".router/runtime/pids/{service}.pid"));
        write(&file, &pid.to_string(), 0o644);
    }
    assert_eq!(hints(&gateway), Vec::<String>::new());
}
