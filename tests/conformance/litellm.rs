//! LiteLLM 1.106.2.

use std::net::{Ipv4Addr, TcpListener};

use flowgate::standin::journal::{Entry, Journal};
use flowgate_checks::model::BodyClass;

use super::ask::ask;
use super::backend::{Program, Run, Stage, backends};
use super::row::{Body, Row, StartRow, check_rows, check_start};

const GOOD: &str = "model_list:\n  - model_name: gpt-5-codex\n    litellm_params:\n      model: openai/gpt-5-codex\n      api_base: http://127.0.0.1:1/v1\n      api_key: sk-lab-upstream-0001\n  - model_name: gpt-5\n    litellm_params: {model: openai/gpt-5, api_base: http://127.0.0.1:1/v1}\n  - model_name: bare\n    litellm_params: {model: gpt-5, api_base: http://127.0.0.1:1/v1}\n  - model_name: dropped\n    litellm_params: {model: lab-model}\ngeneral_settings:\n  master_key: sk-lab-master-0001\n";

const ARGS: &[&str] = &[
    "--config",
    "litellm.yaml",
    "--host",
    "127.0.0.1",
    "--port",
    "{port}",
];

const SERVES: StartRow<'static> = StartRow {
    source: "h-baseline-codex",
    args: ARGS,
    files: &[("litellm.yaml", GOOD)],
    variables: &[],
    code: None,
    says: &[
        "INFO:     Started server process [",
        "INFO:     Waiting for application startup.",
        "INFO:     Application startup complete.",
        "INFO:     Uvicorn running on http://127.0.0.1:{port} (Press CTRL+C to quit)",
    ],
};

const WRONG: &[(&str, &str)] = &[("Authorization", "Bearer sk-lab-wrong")];
const RIGHT: &[(&str, &str)] = &[("Authorization", "Bearer sk-lab-master-0001")];
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

const REQUESTS: &[Row] = &[
    get(
        "/health/liveliness",
        &[],
        200,
        JSON,
        Body::Exactly("\"I'm alive!\""),
    ),
    get(
        "/health/liveness",
        &[],
        200,
        JSON,
        Body::Class(BodyClass::LitellmAlive),
    ),
    get(
        "/health/readiness",
        &[],
        200,
        JSON,
        Body::Exactly(r#"{"status":"healthy","db":"Not connected"}"#),
    ),
    get(
        "/",
        &[],
        200,
        &[("content-type", "text/html; charset=utf-8")],
        Body::Class(BodyClass::LitellmHome),
    ),
    get(
        "/v1/models",
        &[],
        500,
        &[("content-type", "text/plain; charset=utf-8")],
        Body::Exactly("Internal Server Error"),
    ),
    get(
        "/v1/models",
        WRONG,
        400,
        JSON,
        Body::Exactly(
            r#"{"error":{"message":"No connected db.","type":"no_db_connection","param":null,"code":"400"}}"#,
        ),
    ),
    get(
        "/v1/models",
        RIGHT,
        200,
        JSON,
        Body::Class(BodyClass::ModelList),
    ),
    get(
        "/models",
        RIGHT,
        200,
        JSON,
        Body::Class(BodyClass::ModelList),
    ),
    get(
        "/health",
        &[],
        500,
        &[],
        Body::Class(BodyClass::LitellmKeyMissing),
    ),
    get(
        "/health",
        WRONG,
        400,
        JSON,
        Body::Class(BodyClass::LitellmKeyRejected),
    ),
    get(
        "/v1/responses",
        RIGHT,
        405,
        JSON,
        Body::Exactly(r#"{"detail":"Method Not Allowed"}"#),
    ),
    get(
        "/v1/messages",
        RIGHT,
        405,
        JSON,
        Body::Exactly(r#"{"detail":"Method Not Allowed"}"#),
    ),
    get(
        "/unknown",
        &[],
        404,
        JSON,
        Body::Exactly(r#"{"detail":"Not Found"}"#),
    ),
];

const fn get(
    path: &'static str,
    sent: &'static [(&'static str, &'static str)],
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: Body,
) -> Row {
    Row {
        source: "facts/litellm.md 6",
        method: "GET",
        path,
        sent,
        status,
        headers,
        body,
    }
}

#[test]
fn requests_are_answered_as_by_the_real_one() {
    for backend in backends(Program::Litellm) {
        let (run, stage) = check_start(&SERVES, Program::Litellm, &backend, Stage::new());
        let list = "Proxy initialized with Config, Set models:";
        assert!(
            !run.text().contains(list),
            "it is held back until a request"
        );
        check_rows(REQUESTS, &stage, &backend);
        let models = ask(stage.address(), "GET", "/v1/models", RIGHT).body;
        for name in ["gpt-5-codex", "gpt-5", "bare"] {
            assert!(models.contains(&format!(r#""id":"{name}""#)), "{models}");
        }
        assert!(
            !models.contains("dropped"),
            "no provider prefix (facts/litellm.md 3.3)"
        );
        let text = run.text();
        let listed = text.split(list).nth(1).unwrap();
        assert!(listed.contains("    gpt-5-codex") && listed.contains("    gpt-5\u{1b}"));
        assert!(
            text.contains("\"GET /health/readiness HTTP/1.1\" 200 OK"),
            "{text}"
        );
        assert!(text.contains("\"GET /v1/models HTTP/1.1\" 500 Internal Server Error"));
        assert!(!text.contains("sk-lab-master-0001"));
    }
}

const ENDS: &[StartRow<'static>] = &[
    ends(
        "facts/litellm.md 10",
        ARGS,
        &[],
        1,
        &["Exception: Config file not found: litellm.yaml"],
    ),
    ends(
        "facts/litellm.md 3.1",
        ARGS,
        &[("litellm.yaml", "a: b\n c: d: e\n")],
        1,
        &["yaml.scanner.ScannerError", "in \"litellm.yaml\", line 2"],
    ),
    ends(
        "facts/litellm.md 3.1",
        ARGS,
        &[("litellm.yaml", "# nothing\n")],
        1,
        &["Traceback"],
    ),
    ends(
        "facts/litellm.md 3.1",
        ARGS,
        &[("litellm.yaml", "- a\n")],
        1,
        &["Traceback"],
    ),
    ends(
        "facts/litellm.md 3.1",
        ARGS,
        &[("litellm.yaml/inner", "")],
        1,
        &["Is a directory"],
    ),
    ends(
        "facts/litellm.md 3.2",
        ARGS,
        &[(
            "litellm.yaml",
            "model_list: text\ngeneral_settings: {master_key: sk-a}\n",
        )],
        3,
        &["Application startup failed. Exiting."],
    ),
    ends(
        "facts/litellm.md 3.2",
        ARGS,
        &[(
            "litellm.yaml",
            "model_list: [{model_name: a}]\ngeneral_settings: {master_key: sk-a}\n",
        )],
        3,
        &["KeyError: 'litellm_params'"],
    ),
    ends(
        "facts/litellm.md 3.2",
        ARGS,
        &[("litellm.yaml", "general_settings: {master_key: 5}\n")],
        3,
        &["Application startup failed. Exiting."],
    ),
    ends(
        "5-litellm-master-key-missing",
        ARGS,
        &[("litellm.yaml", "model_list: []\n")],
        3,
        &[
            "Application startup failed. Exiting.",
            "LiteLLM proxy refused to start: no master key is set, so every request would be accepted without authentication.",
            "Neither general_settings.master_key nor the LITELLM_MASTER_KEY environment variable is set.",
        ],
    ),
    ends(
        "facts/litellm.md 3.4",
        ARGS,
        &[("litellm.yaml", "general_settings: {master_key: ''}\n")],
        3,
        &["refused to start: the master key is empty."],
    ),
    ends(
        "facts/litellm.md 3.4",
        ARGS,
        &[("litellm.yaml", "general_settings: {master_key: sk-1234}\n")],
        3,
        &["refused to start: the master key is a publicly known default."],
    ),
    ends(
        "facts/litellm.md 3.4",
        ARGS,
        &[(
            "litellm.yaml",
            "general_settings: {master_key: os.environ/UNSET}\n",
        )],
        3,
        &["refused to start: no master key is set"],
    ),
    ends(
        "facts/litellm.md 1.3",
        &["--port", "tcp://10.0.0.1:4000"],
        &[],
        2,
        &["Invalid value for '--port'"],
    ),
    ends(
        "facts/litellm.md 4",
        &[
            "--config",
            "litellm.yaml",
            "--host",
            "203.0.113.7",
            "--port",
            "{port}",
        ],
        &[("litellm.yaml", GOOD)],
        3,
        &["[Errno 99]"],
    ),
];

const fn ends(
    source: &'static str,
    args: &'static [&'static str],
    files: &'static [(&'static str, &'static str)],
    code: i32,
    says: &'static [&'static str],
) -> StartRow<'static> {
    StartRow {
        source,
        args,
        files,
        variables: &[],
        code: Some(code),
        says,
    }
}

#[test]
fn failing_starts_end_as_the_real_one() {
    for backend in backends(Program::Litellm) {
        for row in ENDS {
            check_start(row, Program::Litellm, &backend, Stage::new());
        }
    }
}

#[test]
fn keys_come_from_variables_too() {
    for backend in backends(Program::Litellm) {
        let row = StartRow {
            files: &[(
                "litellm.yaml",
                "general_settings: {master_key: os.environ/MASTER}\n",
            )],
            variables: &[("MASTER", "sk-lab-master-0001")],
            says: &[],
            ..SERVES
        };
        let (_run, stage) = check_start(&row, Program::Litellm, &backend, Stage::new());
        assert_eq!(ask(stage.address(), "GET", "/v1/models", RIGHT).status, 200);
        let row = StartRow {
            args: &["--host", "127.0.0.1"],
            files: &[],
            variables: &[
                ("LITELLM_MASTER_KEY", "sk-lab-master-0001"),
                ("PORT", "{port}"),
            ],
            says: &[],
            ..SERVES
        };
        let (_run, stage) = check_start(&row, Program::Litellm, &backend, Stage::new());
        let models = ask(stage.address(), "GET", "/v1/models", RIGHT);
        assert_eq!(models.body, r#"{"data":[],"object":"list"}"#);
    }
}

/// The port in the line that says where it runs.
fn running_on(run: &Run) -> u16 {
    let text = run.text();
    let after = text
        .split("Uvicorn running on http://127.0.0.1:")
        .nth(1)
        .unwrap();
    after.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_taken_special_port_is_left_silently_and_another_is_fatal() {
    for backend in backends(Program::Litellm) {
        let mut stage = Stage::new();
        let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, stage.port)).unwrap();
        stage.is_port_held = true;
        let taken = StartRow {
            source: "facts/litellm.md 4",
            code: Some(3),
            says: &[
                "INFO:     Application startup complete.",
                "[Errno 98] error while attempting to bind on address ('127.0.0.1', {port}): address already in use",
            ],
            ..SERVES
        };
        let (_run, mut stage) = check_start(&taken, Program::Litellm, &backend, stage);
        // The special port of the real one is 4000, which tests/real holds in a network of its own.
        if !backend.is_standin() {
            continue;
        }
        let special = stage.port.to_string();
        stage.set("FLOWGATE_STANDIN_SPECIAL_PORT", &special);
        stage.is_port_held = false;
        let moves = StartRow {
            source: "1-litellm-4000-held-silent-move",
            says: &["Uvicorn running on http://127.0.0.1:"],
            ..SERVES
        };
        let (run, stage) = check_start(&moves, Program::Litellm, &backend, stage);
        let moved_to = running_on(&run);
        assert_ne!(moved_to, stage.port);
        assert!(!run.text().contains("WARNING"));
        let at = (Ipv4Addr::LOCALHOST, moved_to).into();
        assert_eq!(ask(at, "GET", "/health/liveliness", &[]).status, 200);
        drop(holder);
    }
}

#[test]
fn each_deployment_is_greeted_once_with_its_own_key() {
    for backend in backends(Program::Litellm) {
        let mut stage = Stage::new();
        let (_upstream, _folder, api_base) = start_upstream(&stage);
        stage.set("UPSTREAM", &api_base);
        let row = StartRow {
            source: "facts/real-stack.md, LiteLLM facts re-checked",
            files: &[(
                "litellm.yaml",
                "model_list:\n  - {model_name: a, litellm_params: {model: openai/a, api_base: os.environ/UPSTREAM, api_key: sk-lab-upstream-0001}}\n  - {model_name: b, litellm_params: {model: openai/b, api_base: os.environ/UPSTREAM, api_key: os.environ/UNSET}}\ngeneral_settings: {master_key: sk-lab-master-0001}\n",
            )],
            says: &[],
            ..SERVES
        };
        let (_run, stage) = check_start(&row, Program::Litellm, &backend, stage);
        let greetings = wait_for_entries(&stage, "upstream.jsonl", 2);
        assert!(
            greetings
                .iter()
                .all(|entry| entry.path == "/v1/models" && entry.method == "GET")
        );
        let keyed: Vec<&Entry> = greetings.iter().filter(|entry| entry.has_key).collect();
        assert_eq!(keyed.len(), 1);
        assert_eq!(keyed[0].status, 200);
        assert_eq!(
            keyed[0].key,
            Some(Journal::fingerprint("sk-lab-upstream-0001"))
        );
        let bare = greetings.iter().find(|entry| !entry.has_key).unwrap();
        assert_eq!(bare.status, 401);
    }
}

/// A stand-in of CLIProxyAPI as upstream, with its journal; gives its `api_base`.
fn start_upstream(stage: &Stage) -> (Run, Stage, String) {
    let mut upstream = Stage::new();
    upstream.write("cliproxyapi.yaml", super::cliproxyapi::GOOD);
    let journal = stage.path("upstream.jsonl").display().to_string();
    upstream.set("FLOWGATE_STANDIN_JOURNAL", &journal);
    let run = super::backend::start(
        &super::backend::Backend::Inside,
        Program::Cliproxyapi,
        &["-config", "cliproxyapi.yaml"],
        &upstream,
    );
    assert_eq!(run.code, None);
    let api_base = format!("http://127.0.0.1:{}/v1", upstream.port);
    (run, upstream, api_base)
}

/// The entries of a journal, once it has so many.
pub fn wait_for_entries(stage: &Stage, name: &str, count: usize) -> Vec<Entry> {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let bytes = flowgate::sys::read::whole(&stage.path(name), 1024 * 1024).unwrap_or_default();
        let text = String::from_utf8(bytes).unwrap();
        let entries: Vec<Entry> = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        if entries.len() >= count {
            return entries;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "only {} entries",
            entries.len()
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
