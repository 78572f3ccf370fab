//! `status` and `health` on real processes, without a supervisor.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::gateway::{Gateway, Said, is_listening};
use crate::process::{Process, set_mode, wait_for, write};

fn line<'a>(said: &'a Said, start: &str) -> &'a str {
    said.out
        .lines()
        .find(|line| line.starts_with(start))
        .unwrap_or_else(|| panic!("no {start} in {}{}", said.out, said.err))
}

fn health<'a>(said: &'a Said, service: &str) -> &'a str {
    line(said, &format!("{service}:liveness="))
}

#[test]
fn status_tells_the_tokens_of_the_original_without_a_supervisor() {
    let mut gateway = Gateway::running();
    write(
        &gateway.path(".router/runtime/state.json"),
        r#"{"current_profile": "balanced", "updated_at": "2026-02-17T03:26:54.123456+00:00"}"#,
        0o600,
    );
    let said = gateway.flowgate(&["status"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(
        said.out,
        "current_profile=balanced\n\
         updated_at=2026-02-17T03:26:54.123456+00:00\n\
         cliproxyapi_plus_running=yes\n\
         litellm_running=yes\n\
         secret_permission_issues=0\n"
    );

    gateway.process("litellm").kill();
    let said = gateway.flowgate(&["status"]);
    assert_eq!(line(&said, "litellm"), "litellm_running=no");
    assert_eq!(line(&said, "cliproxyapi"), "cliproxyapi_plus_running=yes");
}

#[test]
fn status_as_json_names_pid_port_and_what_is_wanted() {
    let mut gateway = Gateway::running();
    let pid = gateway.process("litellm").pid();
    gateway.process("cliproxyapi_plus").kill();
    let said = gateway.flowgate(&["status", "--json"]);
    let document: Value = serde_json::from_str(&said.out).unwrap();
    let service = |name: &str| {
        let services = document["services"].as_array().unwrap();
        services
            .iter()
            .find(|service| service["name"] == name)
            .unwrap()
            .clone()
    };
    let litellm = service("litellm");
    assert_eq!(litellm["pid"], pid);
    assert_eq!(litellm["port"], gateway.litellm);
    assert_eq!(litellm["ownsPort"], true);
    assert_eq!(litellm["state"], "ready");
    assert!(litellm["memoryBytes"].as_u64().unwrap() > 0);
    let proxy = service("cliproxyapi_plus");
    assert_eq!(proxy["state"], "stopped", "a record of the dead says ready");
    assert_eq!(proxy["wanted"], true);
    assert_eq!(proxy["pid"], Value::Null);
    assert_eq!(document["supervisor"]["state"], "stopped");
    assert_eq!(document["secretPermissionIssues"], 0);
}

#[test]
fn a_pid_that_another_process_has_now_is_not_running() {
    let gateway = Gateway::new();
    // This test itself lives, and was started at another moment.
    let record = json!({
        "v": 1, "wanted": "running", "state": "ready",
        "run": {
            "pid": std::process::id(), "startTime": 1,
            "bootId": crate::process::read(std::path::Path::new("/proc/sys/kernel/random/boot_id")).trim(),
        },
    });
    write(
        &gateway.path(".router/runtime/supervisor/litellm.json"),
        &record.to_string(),
        0o600,
    );
    set_mode(&gateway.path(".router/runtime/supervisor"), 0o700);
    for (pid, what) in [
        (std::process::id().to_string(), "a stranger's pid"),
        ("0".into(), "no pid"),
        ("-1".into(), "every pid"),
    ] {
        write(
            &gateway.path(".router/runtime/pids/cliproxyapi_plus.pid"),
            &pid,
            0o644,
        );
        let said = gateway.flowgate(&["status"]);
        assert_eq!(line(&said, "litellm"), "litellm_running=no");
        assert_eq!(
            line(&said, "cliproxyapi"),
            "cliproxyapi_plus_running=no",
            "{what}"
        );
    }
}

#[test]
fn a_pid_file_of_the_original_is_believed_of_the_configured_command() {
    let gateway = Gateway::new();
    let process = gateway.play("cliproxyapi_plus", &[]);
    write(
        &gateway.path(".router/runtime/pids/cliproxyapi_plus.pid"),
        &format!("{}\n", process.pid()),
        0o644,
    );
    let said = gateway.flowgate(&["status"]);
    assert_eq!(line(&said, "cliproxyapi"), "cliproxyapi_plus_running=yes");
}

#[test]
fn status_counts_exposed_secrets_and_makes_nothing() {
    let gateway = Gateway::new();
    let runtime = gateway.path(".router/runtime");
    std::fs::remove_dir_all(&runtime).unwrap();
    gateway.write_token(
        "codex-ben@example.com.json",
        &crate::gateway::token("2099-01-01T00:00:00Z"),
        0o644,
    );
    set_mode(&gateway.path("config/cliproxyapi.yaml"), 0o644);
    // Merely listable: worth a note of the doctor, no issue.
    set_mode(&gateway.path(".router/auths"), 0o755);
    let said = gateway.flowgate(&["status"]);
    assert_eq!(
        line(&said, "secret_permission"),
        "secret_permission_issues=2"
    );
    set_mode(&gateway.path(".router/auths"), 0o777);
    let said = gateway.flowgate(&["status"]);
    assert_eq!(
        line(&said, "secret_permission"),
        "secret_permission_issues=3"
    );
    assert!(!runtime.exists(), "status made a folder");
}

#[test]
fn a_broken_config_ends_status_and_health_with_one_sentence() {
    let gateway = Gateway::new();
    write(&gateway.path("config/flowgate.yaml"), "paths: [\n", 0o644);
    for command in ["status", "health"] {
        let said = gateway.flowgate(&[command]);
        assert_eq!(said.code, 2);
        assert!(
            said.err.starts_with("Config error: config/flowgate.yaml:"),
            "{}",
            said.err
        );
        assert_eq!(said.out, "");
        let said = gateway.flowgate(&[command, "--json"]);
        let document: Value = serde_json::from_str(&said.out).unwrap();
        assert!(
            document["error"]["message"]
                .as_str()
                .unwrap()
                .starts_with("Config error: ")
        );
        assert_eq!(said.code, 2);
    }
    std::fs::remove_file(gateway.path("config/flowgate.yaml")).unwrap();
    let said = gateway.flowgate(&["health", "--plain"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.starts_with("Config file not found: "),
        "{}",
        said.err
    );
}

#[test]
fn healthy_services_are_live_and_ready_and_no_model_is_asked() {
    let gateway = Gateway::running();
    // The costly path of the original's template.
    gateway.edit(
        "config/flowgate.yaml",
        "readiness_path: /health/readiness",
        "readiness_path: /health",
    );
    let said = gateway.flowgate(&["health"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let (litellm, proxy) = (gateway.litellm, gateway.proxy);
    assert_eq!(
        said.out,
        format!(
            "cliproxyapi_plus:liveness=ok readiness=ok running=yes readiness_code=200 readiness_error=none readiness_url=http://127.0.0.1:{proxy}/\n\
             litellm:liveness=ok readiness=ok running=yes readiness_code=200 readiness_error=none readiness_url=http://127.0.0.1:{litellm}/health/readiness\n"
        )
    );
    let asked: Vec<String> = ["litellm", "cliproxyapi_plus"]
        .into_iter()
        .flat_map(|service| gateway.requests(service))
        .map(|request| request["path"].as_str().unwrap().to_owned())
        .collect();
    assert!(!asked.iter().any(|path| path == "/health"), "{asked:?}");
    assert!(
        !asked.iter().any(|path| path.starts_with("/v0/")),
        "{asked:?}"
    );
}

#[test]
fn a_readiness_path_that_needs_a_key_is_asked_with_it() {
    let gateway = Gateway::running();
    gateway.edit(
        "config/flowgate.yaml",
        "readiness_path: /health/readiness",
        "readiness_path: /v1/models",
    );
    gateway.edit(
        "config/flowgate.yaml",
        "readiness_path: /\n",
        "readiness_path: /v1/models\n",
    );
    let said = gateway.flowgate(&["health"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    for service in ["litellm", "cliproxyapi_plus"] {
        let line = health(&said, service);
        assert!(
            line.contains("readiness=ok running=yes readiness_code=200"),
            "{line}"
        );
        assert!(line.ends_with("/v1/models"), "{line}");
    }
}

#[test]
fn a_dead_service_fails_and_the_other_does_not() {
    let mut gateway = Gateway::running();
    gateway.process("litellm").kill();
    let said = gateway.flowgate(&["health"]);
    assert_eq!(said.code, 1);
    assert!(health(&said, "litellm").starts_with(
        "litellm:liveness=fail readiness=fail running=no readiness_code=n/a readiness_error=refused"
    ), "{}", said.out);
    assert!(health(&said, "cliproxyapi_plus").contains("readiness=ok"));
}

#[test]
fn the_answer_of_a_stranger_is_not_the_service() {
    let mut gateway = Gateway::new();
    gateway.start("cliproxyapi_plus");
    let port = gateway.litellm.to_string();
    let _stranger = Process::start(
        std::path::Path::new("python3"),
        &["-m", "http.server", "--bind", "127.0.0.1", &port],
        &gateway.path("."),
        &gateway.path("stranger.log"),
        &[],
    );
    wait_for("the stranger to listen", || is_listening(gateway.litellm));
    // LiteLLM leaves its port to the stranger, lives and listens elsewhere.
    gateway.spawn("litellm", &[("FLOWGATE_STANDIN_SPECIAL_PORT", port)]);
    let log = gateway.path(".router/runtime/process-logs/litellm.log");
    wait_for("LiteLLM to listen elsewhere", || {
        crate::process::read(&log).contains("Uvicorn running on")
    });
    gateway.edit(
        "config/flowgate.yaml",
        "readiness_path: /health/readiness",
        "readiness_path: /",
    );
    let said = gateway.flowgate(&["health"]);
    assert_eq!(said.code, 1);
    let line = health(&said, "litellm");
    assert!(
        line.contains(
            "liveness=ok readiness=fail running=yes readiness_code=200 readiness_error=foreign"
        ),
        "{line}"
    );
}

#[test]
fn a_copy_that_somebody_else_started_is_not_ours() {
    let mut gateway = Gateway::new();
    gateway.start("cliproxyapi_plus");
    let _copy = gateway.play("litellm", &[]);
    wait_for("the copy to listen", || is_listening(gateway.litellm));
    let said = gateway.flowgate(&["health"]);
    let line = health(&said, "litellm");
    assert!(
        line.contains("liveness=fail readiness=fail running=no"),
        "{line}"
    );
    assert_eq!(said.code, 1);
}

#[test]
fn services_that_never_answer_are_asked_side_by_side() {
    let gateway = Gateway::new();
    let _mute: Vec<TcpListener> = [gateway.litellm, gateway.proxy]
        .into_iter()
        .map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap())
        .collect();
    let begun = Instant::now();
    let said = gateway.flowgate(&["health"]);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(said.code, 1);
    for service in ["litellm", "cliproxyapi_plus"] {
        let line = health(&said, service);
        assert!(line.contains("readiness=fail"), "{line}");
        assert!(line.contains("readiness_code=n/a"), "{line}");
    }
}

#[test]
fn the_doctor_waits_until_the_gateway_serves() {
    let mut gateway = Gateway::new();
    let document = gateway.doctor(&["--wait", "1s", "--timeout", "2s"]);
    assert_eq!(document["exitCode"], 1, "nothing runs, and it should");
    let folder = gateway.path(".");
    let waiting = std::thread::spawn(move || {
        crate::gateway::run_in(&folder, &["doctor", "--json", "--wait", "20s"], &[])
    });
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");
    let said = waiting.join().unwrap();
    assert_eq!(said.code, 0, "{}", said.out);
}
