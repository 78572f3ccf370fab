//! The doctor changes nothing, asks only what the table lists, and ends in time.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flowgate::gateway::requests::is_listed;
use flowgate_checks::model::ServiceKind;

use crate::gateway::Gateway;

/// Every file below a folder: mode, size, time of the last change and content.
fn state(folder: &Path) -> BTreeMap<PathBuf, (u32, u64, i64, i64, Vec<u8>)> {
    let mut seen = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(path) = open.pop() {
        let meta = std::fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            open.extend(
                std::fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        }
        // The stand-ins write their journals and logs because they were asked.
        let is_theirs = path
            .extension()
            .is_some_and(|ending| ending == "journal" || ending == "log");
        if !is_theirs {
            let content = if meta.is_file() {
                crate::process::read(&path).into_bytes()
            } else {
                Vec::new()
            };
            seen.insert(
                path,
                (
                    meta.mode(),
                    meta.len(),
                    meta.mtime(),
                    meta.mtime_nsec(),
                    content,
                ),
            );
        }
    }
    seen
}

#[test]
fn a_look_changes_no_file_and_ends_no_process() {
    let mut gateway = Gateway::running();
    crate::process::set_mode(
        &gateway.path(".router/auths/codex-ana@example.com.json"),
        0o644,
    );
    let before = state(&gateway.path("."));
    gateway.doctor(&[]);
    gateway.flowgate(&["doctor"]);
    gateway.flowgate(&["config", "check"]);
    gateway.flowgate(&["config", "show"]);
    let after = state(&gateway.path("."));
    let changed: Vec<&PathBuf> = before
        .iter()
        .filter(|(path, seen)| after.get(*path) != Some(seen))
        .map(|(path, _)| path)
        .chain(after.keys().filter(|path| !before.contains_key(*path)))
        .collect();
    assert!(changed.is_empty(), "{changed:?}");
    for service in ["litellm", "cliproxyapi_plus"] {
        assert!(gateway.process(service).is_alive());
    }
}

#[test]
fn every_request_of_a_look_is_in_the_table_and_is_sent_once() {
    let mut gateway = Gateway::new();
    gateway.edit(
        "config/flowgate.yaml",
        "readiness_path: /health/readiness",
        "readiness_path: /health",
    );
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");
    crate::process::wait_for("LiteLLM to greet its upstream", || {
        !gateway.requests("cliproxyapi_plus").is_empty()
    });
    let count = |gateway: &Gateway, service| gateway.requests(service).len();
    let before = [
        count(&gateway, "litellm"),
        count(&gateway, "cliproxyapi_plus"),
    ];
    gateway.doctor(&[]);
    for ((service, kind, readiness), before) in [
        ("litellm", ServiceKind::Litellm, "/health"),
        ("cliproxyapi_plus", ServiceKind::Cliproxyapi, "/"),
    ]
    .into_iter()
    .zip(before)
    {
        let requests = gateway.requests(service).split_off(before);
        assert!(!requests.is_empty());
        let mut seen = std::collections::BTreeSet::new();
        for request in &requests {
            let (method, path) = (
                request["method"].as_str().unwrap(),
                request["path"].as_str().unwrap(),
            );
            let has_key = request["hasKey"].as_bool().unwrap();
            assert!(
                is_listed(kind, method, path, has_key, readiness),
                "{service}: {request}"
            );
            assert_ne!(path, "/health");
            assert!(
                seen.insert((path.to_owned(), has_key)),
                "{service} was asked twice: {request}"
            );
        }
    }
}

#[test]
fn no_key_goes_to_a_stranger() {
    let gateway = Gateway::new();
    let listener = TcpListener::bind(("127.0.0.1", gateway.litellm)).unwrap();
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { break };
            let mut bytes = [0; 4096];
            let n = stream.read(&mut bytes).unwrap_or_default();
            let _ = send.send(String::from_utf8_lossy(&bytes[..n]).into_owned());
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
        }
    });
    gateway.doctor(&[]);
    let heard: Vec<String> = receive.try_iter().collect();
    assert!(!heard.is_empty());
    for request in heard {
        assert!(
            !request.to_ascii_lowercase().contains("authorization"),
            "{request}"
        );
    }
}

#[test]
fn a_listener_that_never_answers_is_unknown_and_the_look_ends_in_time() {
    let gateway = Gateway::new();
    let _mute = TcpListener::bind(("127.0.0.1", gateway.litellm)).unwrap();
    let begun = Instant::now();
    let document = gateway.doctor(&["--timeout", "1s"]);
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert!(
        document["durationMs"].as_u64().unwrap() < 1500,
        "{document:#}"
    );
}
