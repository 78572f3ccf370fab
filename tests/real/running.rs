//! A LiteLLM that serves, and what befalls it (`facts/litellm.md` 6 to 8).

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use crate::by_hand::{ByHand, Output};
use crate::case::{Case, Looks};
use crate::gateway::{UPSTREAM_KEY, is_listening, roots};
use crate::process::{read, wait_at_most, wait_for, write};
use crate::stage::{ACTIVE, FLOWGATE_YAML, Stage, members};
use crate::supervised::send;

pub const CASES: &[Case] = &[
    Case {
        name: "one gateway, and what breaks around it while it runs",
        run: around,
    },
    Case {
        name: "a killed parent whose workers go on",
        run: orphaned,
    },
    Case {
        name: "an output that nobody reads",
        run: unread,
    },
];

fn around(looks: &mut Looks<'_>) {
    let stage = Stage::with(looks.package, "", "");
    let pid = stage.start_litellm();
    looks.is_silent("a sound gateway", &stage.doctor(&[]));
    keys(looks, &stage);
    upstream(looks, &stage);

    stage.edit(ACTIVE, "openai/gpt-5", "openai/gpt-5-codex");
    let key = "config/running-config-differs:litellm";
    looks.names(
        "a changed config that it has not read",
        &stage.doctor(&[]),
        key,
        &[],
    );
    stage.edit(ACTIVE, "openai/gpt-5-codex", "openai/gpt-5");

    send(pid, Signal::STOP);
    wait_for("it to be suspended", || is_in_state(pid, 'T'));
    let document = stage.doctor(&[]);
    send(pid, Signal::CONT);
    looks.names("suspended", &document, "readiness/hung:litellm", &[]);

    comes_back(looks, &stage, pid, "killed, and back by itself");
}

/// Its supervisor starts it again, as another process, and nothing is wrong any more.
fn comes_back(looks: &mut Looks<'_>, stage: &Stage, pid: u32, what: &str) {
    send(pid, Signal::KILL);
    wait_at_most(Duration::from_secs(60), "another process", || {
        stage.pid("litellm").is_some_and(|now| now != pid)
    });
    assert_ne!(stage.start_litellm(), pid);
    looks.is_silent(what, &stage.doctor(&[]));
}

/// Keys are asked anew at each look, so none of these needs another start.
fn keys(looks: &mut Looks<'_>, stage: &Stage) {
    let kept = stage.path(".router/secrets/litellm-master.key");
    write(&kept, "sk-planted-other-client-1", 0o600);
    let key = "readiness/client-key-rejected:litellm";
    looks.names("wrong client key", &stage.doctor(&[]), key, &[]);
    std::fs::remove_file(&kept).unwrap();

    stage.edit(
        FLOWGATE_YAML,
        "readiness_path: /health/readiness",
        "readiness_path: /v1/models",
    );
    looks.is_silent("no key for a path that needs one", &stage.doctor(&[]));
    stage.edit(
        FLOWGATE_YAML,
        "readiness_path: /v1/models",
        "readiness_path: /health/readiness",
    );

    stage.write_proxy_config("sk-planted-changed-1", stage.proxy);
    let key = "readiness/upstream-key-rejected:litellm";
    let mut document = stage.doctor(&[]);
    // The proxy reads its file when it sees that it changed.
    wait_for("the proxy to read its config", || {
        document = stage.doctor(&[]);
        roots(&document) == [key]
    });
    looks.names("upstream key changed under it", &document, key, &[]);
    stage.write_proxy_config(UPSTREAM_KEY, stage.proxy);
    wait_for("the proxy to read its config again", || {
        roots(&stage.doctor(&[])).is_empty()
    });
}

fn upstream(looks: &mut Looks<'_>, stage: &Stage) {
    let pid = stage.pid("cliproxyapi_plus").unwrap();
    send(pid, Signal::STOP);
    wait_for("the proxy to be suspended", || is_in_state(pid, 'T'));
    let document = stage.doctor(&[]);
    send(pid, Signal::CONT);
    looks.names(
        "upstream hanging",
        &document,
        "readiness/hung:cliproxyapi_plus",
        &[],
    );

    let said = stage.flowgate(&["service", "stop", "cliproxyapi_plus"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let holder = stage.stranger(stage.proxy);
    let said = stage.flowgate(&["service", "start", "cliproxyapi_plus"]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    let key = "port-conflict/foreign-listener:cliproxyapi_plus";
    looks.names("upstream answers HTML", &stage.doctor(&[]), key, &[]);
    drop(holder);
    wait_for("the port to be free", || !is_listening(stage.proxy));
    stage.start_proxy();
    looks.is_silent("sound again", &stage.doctor(&[]));
}

fn orphaned(looks: &mut Looks<'_>) {
    let stage = Stage::with(looks.package, "", "");
    let script = looks.package.script();
    stage.command(&format!(
        "[{}, --config, {ACTIVE}, --num_workers, \"2\"]",
        script.display()
    ));
    let pid = stage.start_litellm();
    looks.is_silent("two workers", &stage.doctor(&[]));
    let workers = members(pid.into());
    comes_back(looks, &stage, pid, "a killed parent, its workers ended");
    let left = members(pid.into());
    assert!(workers.iter().all(|worker| !left.contains(worker)));
}

/// Long paths fill the pipe with few requests.
fn unread(looks: &mut Looks<'_>) {
    let stage = Stage::with(looks.package, "", "");
    let port = stage.litellm.to_string();
    let args = ["--config", ACTIVE, "--host", "127.0.0.1", "--port", &port];
    let mut by_hand = ByHand::recorded(&stage, looks.package, &args, &[], Output::Pipe);
    by_hand.wait_until_running();
    let path = format!("/{}", "a".repeat(4000));
    wait_at_most(Duration::from_secs(60), "the pipe to be full", || {
        !is_answered(stage.litellm, &path)
    });
    let document = stage.doctor(&[]);
    looks.names(
        "an unread pipe",
        &document,
        "readiness/hung:litellm",
        &["config/log-lost:litellm"],
    );
}

/// Whether a request is answered within a moment.
fn is_answered(port: u16, path: &str) -> bool {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut first = [0];
    std::io::Read::read(&mut stream, &mut first).is_ok_and(|count| count > 0)
}

fn is_in_state(pid: u32, state: char) -> bool {
    read(Path::new(&format!("/proc/{pid}/stat"))).contains(&format!(") {state} "))
}
