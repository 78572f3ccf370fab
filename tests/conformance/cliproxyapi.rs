//! CLIProxyAPIPlus 6.6.9-0 and CLIProxyAPI 7.2.140.

use std::net::{Ipv4Addr, TcpListener};

use flowgate_checks::model::BodyClass;

use super::ask::ask;
use super::backend::{Backend, Program, Stage, backends};
use super::row::{Body, Row, StartRow, check_rows, check_start};

/// A config in the shape of the recorded ones; the hash is that of `lab-mgmt-secret-0001`.
pub const GOOD: &str = "host: \"127.0.0.1\"\nport: {port}\nauth-dir: \"{folder}/auths\"\napi-keys:\n  - \"sk-lab-upstream-0001\"\nremote-management:\n  allow-remote: false\n  secret-key: \"$2a$10$SrqNE1hZNHV0EAVAy2y9Ju7g0Rvt3wEGD19itflIdz13imt/TcQMa\"\n  disable-control-panel: true\ndebug: false\n";

const TOKEN: &str = r#"{"access_token": "at-lab-dummy-0001", "refresh_token": "rt-lab-dummy-0001", "account_id": "acct-lab-0001", "email": "dev@example.test", "type": "codex", "expired": "2099-12-31T00:00:00Z"}"#;

const ARGS: &[&str] = &["-config", "cliproxyapi.yaml"];
const WRONG: &[(&str, &str)] = &[("Authorization", "Bearer sk-lab-wrong")];
const RIGHT: &[(&str, &str)] = &[("Authorization", "Bearer sk-lab-upstream-0001")];
const MANAGER: &[(&str, &str)] = &[("Authorization", "Bearer lab-mgmt-secret-0001")];
const JSON: &[(&str, &str)] = &[
    ("content-type", "application/json; charset=utf-8"),
    ("access-control-allow-origin", "*"),
];
const PLAIN: &[(&str, &str)] = &[("content-type", "text/plain")];
const STAMPED: &[(&str, &str)] = &[
    ("x-cpa-version", "6.6.9-0-plus"),
    ("x-cpa-commit", "7ecc7aab"),
    ("access-control-allow-origin", "*"),
];
const MAINLINE: &[(&str, &str)] = &[("FLOWGATE_STANDIN_EDITION", "mainline")];

const SERVES: StartRow<'static> = StartRow {
    source: "h-baseline-codex",
    args: ARGS,
    files: &[
        ("cliproxyapi.yaml", GOOD),
        ("auths/codex-dev@example.test.json", TOKEN),
    ],
    variables: &[],
    code: None,
    says: &["CLIProxyAPI Version: "],
};

const fn get(
    path: &'static str,
    sent: &'static [(&'static str, &'static str)],
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: Body,
) -> Row {
    Row {
        source: "facts/cliproxyapi.md 3, facts/real-stack.md HTTP",
        method: "GET",
        path,
        sent,
        status,
        headers,
        body,
    }
}

const MISSING: Body = Body::Exactly(r#"{"error":"Missing API key"}"#);
const INVALID: Body = Body::Exactly(r#"{"error":"Invalid API key"}"#);
const NOT_FOUND: Body = Body::Exactly("404 page not found");
const IDENTITY: Body = Body::Exactly(
    r#"{"endpoints":["POST /v1/chat/completions","POST /v1/completions","GET /v1/models"],"message":"CLI Proxy API Server"}"#,
);
const LIST: Body = Body::Class(BodyClass::ModelList);

/// What both editions answer alike.
const COMMON: &[Row] = &[
    get("/", &[], 200, JSON, IDENTITY),
    get("/v1/models", &[], 401, JSON, MISSING),
    get("/v1/models", WRONG, 401, JSON, INVALID),
    get("/v1/models", RIGHT, 200, JSON, LIST),
    get(
        "/v1/models",
        &[("Authorization", "sk-lab-upstream-0001")],
        200,
        JSON,
        LIST,
    ),
    get(
        "/v1/models",
        &[("X-Api-Key", "sk-lab-upstream-0001")],
        200,
        JSON,
        LIST,
    ),
    get(
        "/v1/models",
        &[("X-Goog-Api-Key", "sk-lab-upstream-0001")],
        200,
        JSON,
        LIST,
    ),
    get("/v1/models?key=sk-lab-upstream-0001", &[], 200, JSON, LIST),
    get(
        "/v0/management/auth-files",
        MANAGER,
        200,
        JSON,
        Body::Class(BodyClass::ManagementAuthFiles),
    ),
    get(
        "/v0/management/auth-files",
        &[("X-Management-Key", "lab-mgmt-secret-0001")],
        200,
        JSON,
        Body::Class(BodyClass::ManagementAuthFiles),
    ),
    get(
        "/v0/management/auth-files",
        &[],
        401,
        JSON,
        Body::Exactly(r#"{"error":"missing management key"}"#),
    ),
    get(
        "/v0/management/auth-files",
        &[("Authorization", "Bearer lab-wrong")],
        401,
        JSON,
        Body::Exactly(r#"{"error":"invalid management key"}"#),
    ),
    // The stored hash is no key.
    get(
        "/v0/management/auth-files",
        &[(
            "Authorization",
            "Bearer $2a$10$SrqNE1hZNHV0EAVAy2y9Ju7g0Rvt3wEGD19itflIdz13imt/TcQMa",
        )],
        401,
        JSON,
        Body::Class(BodyClass::ManagementKeyRejected),
    ),
    get(
        "/v0/management/auth-files",
        &[
            ("Authorization", "Bearer lab-mgmt-secret-0001"),
            ("X-Forwarded-For", "203.0.113.7"),
        ],
        403,
        JSON,
        Body::Class(BodyClass::ManagementRemoteDisabled),
    ),
];

/// What only Plus 6.6.9-0 answers.
const PLUS: &[Row] = &[
    get("/healthz", &[], 404, PLAIN, NOT_FOUND),
    get("/unknown", &[], 404, PLAIN, NOT_FOUND),
    get(
        "/v0/management/oauth/codex/auth-url",
        MANAGER,
        404,
        PLAIN,
        NOT_FOUND,
    ),
    get(
        "/v0/management/oauth/codex/status",
        &[],
        404,
        PLAIN,
        NOT_FOUND,
    ),
    get(
        "/v0/management/github-auth-url",
        MANAGER,
        404,
        PLAIN,
        NOT_FOUND,
    ),
    get(
        "/v0/management/auth-files",
        MANAGER,
        200,
        STAMPED,
        Body::Class(BodyClass::ManagementAuthFiles),
    ),
    get(
        "/v0/management/auth-files",
        &[],
        401,
        STAMPED,
        Body::Class(BodyClass::ManagementKeyMissing),
    ),
];

/// Which edition a backend is: the stand-in as told, a real one by its banner.
fn is_plus(backend: &Backend, text: &str) -> bool {
    matches!(backend, Backend::Inside) || text.contains("6.6.9-0-plus")
}

#[test]
fn requests_are_answered_as_by_the_real_one() {
    for backend in backends(Program::Cliproxyapi) {
        let (run, stage) = check_start(&SERVES, Program::Cliproxyapi, &backend, Stage::new());
        check_rows(COMMON, &stage, &backend);
        let models = ask(stage.address(), "GET", "/v1/models", RIGHT).body;
        if is_plus(&backend, &run.text()) {
            check_rows(PLUS, &stage, &backend);
            assert!(models.contains(r#""id":"gpt-5-codex""#), "{models}");
        }
        let files = ask(stage.address(), "GET", "/v0/management/auth-files", MANAGER).body;
        for part in [
            r#""name":"codex-dev@example.test.json""#,
            r#""provider":"codex""#,
            r#""status":"active""#,
            r#""status_message":"""#,
            r#""unavailable":false"#,
            r#""email":"dev@example.test""#,
        ] {
            assert!(files.contains(part), "{part} {files}");
        }
        assert!(!files.contains("rt-lab-dummy"), "{files}");
        assert_eq!(ask(stage.address(), "GET", "/", &[]).header("server"), None);
    }
}

#[test]
fn a_start_says_what_the_real_one_says() {
    let row = StartRow {
        says: &[
            "CLIProxyAPI Version: 6.6.9-0-plus, Commit: 7ecc7aab, BuiltAt: 2025-12-14T09:24:00Z",
            "[info] [main.go:440] CLIProxyAPI Version: 6.6.9-0-plus",
            "management routes registered after secret key configuration",
            "API server started successfully on: 127.0.0.1:{port}",
            "server clients and configuration updated: 1 clients (1 auth files + 0 Gemini API keys",
            "full client load complete - 1 clients (1 auth files",
            "file watcher started for config and auth directory changes",
        ],
        ..SERVES
    };
    let (run, stage) = check_start(&row, Program::Cliproxyapi, &Backend::Inside, Stage::new());
    ask(stage.address(), "GET", "/v1/models", &[]);
    let text = run.text();
    let line = text.lines().find(|line| line.contains("[GIN]")).unwrap();
    assert!(line.contains("[warning] [gin_logger.go:6"), "{line}");
    assert!(
        line.contains("| 401 |") && line.ends_with("|       127.0.0.1 | GET     \"/v1/models\""),
        "{line}"
    );
}

/// Starts that end, with 0 like every one that fails: what is said, and the files.
const ENDS: &[(&str, &[(&str, &str)])] = &[
    (
        "failed to load config: failed to read config file: open cliproxyapi.yaml: no such file or directory",
        &[],
    ),
    (
        "failed to load config: failed to read config file: read cliproxyapi.yaml: is a directory",
        &[("cliproxyapi.yaml/inner", "")],
    ),
    (
        "failed to load config: failed to parse config file: yaml: line 2: found a tab character that violates indentation",
        &[("cliproxyapi.yaml", "host: a\n\tport: 1\n")],
    ),
    (
        "failed to load config: failed to parse config file: yaml: line 2: found character that cannot start any token",
        &[("cliproxyapi.yaml", "api-keys:\n\t- a\n")],
    ),
    (
        "failed to load config: failed to parse config file: yaml: line ",
        &[("cliproxyapi.yaml", "host: [a\nport: 1\n")],
    ),
    (
        "failed to load config: failed to parse config file: yaml: unmarshal errors:\n  line 2: cannot unmarshal !!str `http` into int",
        &[("cliproxyapi.yaml", "host: a\nport: http\n")],
    ),
    (
        "cannot unmarshal !!str `abc` into []string",
        &[("cliproxyapi.yaml", "api-keys: abc\n")],
    ),
    (
        "cannot unmarshal !!seq into config.Config",
        &[("cliproxyapi.yaml", "- a\n")],
    ),
    (
        "mapping key \"port\" already defined at line 2",
        &[("cliproxyapi.yaml", "host: a\nport: 1\nport: 2\n")],
    ),
    (
        "failed to create auth directory : mkdir : no such file or directory",
        &[("cliproxyapi.yaml", "port: {port}\n")],
    ),
    (
        "failed to create auth directory : mkdir : no such file or directory",
        &[("cliproxyapi.yaml", "")],
    ),
    (
        "cliproxy: auth path exists but is not a directory",
        &[("auths", ""), ("cliproxyapi.yaml", GOOD)],
    ),
    (
        "API server started successfully on: 127.0.0.1:80000",
        &[(
            "cliproxyapi.yaml",
            "host: 127.0.0.1\nport: 80000\nauth-dir: auths\n",
        )],
    ),
    (
        "too many colons in address",
        &[(
            "cliproxyapi.yaml",
            "host: '::1'\nport: {port}\nauth-dir: auths\n",
        )],
    ),
    (
        "bind: cannot assign requested address",
        &[(
            "cliproxyapi.yaml",
            "host: 203.0.113.7\nport: {port}\nauth-dir: auths\n",
        )],
    ),
];

#[test]
fn failing_starts_say_why_and_end_with_0() {
    for (says, files) in ENDS {
        let row = StartRow {
            source: "facts/cliproxyapi.md 1.6, 2.4, 6.2; facts/real-stack.md Start",
            files,
            code: Some(0),
            says: &[says],
            ..SERVES
        };
        for backend in plus_backends() {
            check_start(&row, Program::Cliproxyapi, &backend, Stage::new());
        }
    }
}

/// The backends without a real mainline build, which says some things in other words.
fn plus_backends() -> Vec<Backend> {
    let mut plus = backends(Program::Cliproxyapi);
    plus.retain(|backend| {
        let row = StartRow {
            args: &["-h"],
            files: &[],
            code: Some(0),
            says: &["CLIProxyAPI Version: ", "-codex-login"],
            ..SERVES
        };
        let (run, _stage) = check_start(&row, Program::Cliproxyapi, backend, Stage::new());
        run.text().contains("-plus,")
    });
    plus
}

#[test]
fn a_taken_port_is_called_a_success_first() {
    for backend in plus_backends() {
        let mut stage = Stage::new();
        let _holder = TcpListener::bind((Ipv4Addr::LOCALHOST, stage.port)).unwrap();
        stage.is_port_held = true;
        let row = StartRow {
            source: "1-cliproxy-8317-held-foreign",
            code: Some(0),
            says: &[
                "API server started successfully on: 127.0.0.1:{port}",
                "proxy service exited with error: failed to start HTTP server: listen tcp 127.0.0.1:{port}: bind: address already in use",
            ],
            ..SERVES
        };
        check_start(&row, Program::Cliproxyapi, &backend, stage);
    }
}

#[test]
fn usage_errors_end_with_2_after_the_banner() {
    for backend in backends(Program::Cliproxyapi) {
        let row = StartRow {
            source: "facts/cliproxyapi.md 1.5",
            args: &["--version"],
            files: &[],
            code: Some(2),
            says: &[
                "CLIProxyAPI Version: ",
                "flag provided but not defined: -version",
            ],
            ..SERVES
        };
        check_start(&row, Program::Cliproxyapi, &backend, Stage::new());
    }
}

#[test]
fn a_missing_port_is_a_random_one() {
    let row = StartRow {
        source: "1-cliproxy-port-key-missing-random",
        files: &[("cliproxyapi.yaml", "host: 127.0.0.1\nauth-dir: auths\n")],
        says: &[
            "created missing auth directory: ",
            "API server started successfully on: 127.0.0.1:0",
        ],
        ..SERVES
    };
    let (run, stage) = check_start(&row, Program::Cliproxyapi, &Backend::Inside, Stage::new());
    assert_ne!(run.address(), Some(stage.address()));
    let at = run.address().unwrap();
    assert_eq!(ask(at, "GET", "/", &[]).status, 200);
    assert!(stage.path("auths").is_dir());
}

#[test]
fn without_keys_the_gateway_is_open_and_with_empty_ones_shut() {
    for backend in backends(Program::Cliproxyapi) {
        for (keys, sent, status) in [
            ("", &[] as &[(&str, &str)], 200),
            ("api-keys: []\n", WRONG, 200),
            ("api-keys: [\"\"]\n", &[], 401),
            ("api-keys: [\"\"]\n", WRONG, 401),
        ] {
            let config = format!("host: 127.0.0.1\nport: {{port}}\nauth-dir: auths\n{keys}");
            let row = StartRow {
                source: "facts/cliproxyapi.md 3.2",
                files: &[("cliproxyapi.yaml", &config)],
                ..SERVES
            };
            let (_run, stage) = check_start(&row, Program::Cliproxyapi, &backend, Stage::new());
            let answer = ask(stage.address(), "GET", "/v1/models", sent);
            assert_eq!(answer.status, status, "{keys} {backend:?}");
            let expected = if status == 200 {
                r#"{"data":[],"object":"list"}"#
            } else {
                r#"{"error":"Missing API key"}"#
            };
            assert_eq!(answer.body, expected, "{keys} {backend:?}");
            // Neither key nor password: no management at all.
            let manage = ask(stage.address(), "GET", "/v0/management/auth-files", MANAGER);
            assert_eq!(manage.status, 404);
            assert_eq!(manage.header("x-cpa-version"), None);
        }
    }
}

#[test]
fn files_that_are_no_logins_bring_no_models() {
    for backend in plus_backends() {
        let row = StartRow {
            source: "2-auth-file-broken-json; facts/real-stack.md Auth files",
            files: &[
                ("cliproxyapi.yaml", GOOD),
                ("auths/broken.json", "{\"type\": \"codex\", "),
                ("auths/empty.json", ""),
                ("auths/list.json", "[]"),
                ("auths/untyped.json", "{}"),
            ],
            says: &["4 auth files"],
            ..SERVES
        };
        let (_run, stage) = check_start(&row, Program::Cliproxyapi, &backend, Stage::new());
        let models = ask(stage.address(), "GET", "/v1/models", RIGHT).body;
        assert_eq!(models, r#"{"data":[],"object":"list"}"#);
        let files = ask(stage.address(), "GET", "/v0/management/auth-files", MANAGER).body;
        assert_eq!(files.matches("\"name\"").count(), 1, "{files}");
        assert!(files.contains(r#""type":"unknown""#), "{files}");
    }
}

#[test]
fn an_api_key_provider_fills_the_list_and_no_auth_files() {
    for backend in backends(Program::Cliproxyapi) {
        let config = format!(
            "{GOOD}openai-compatibility:\n  - name: lab\n    base-url: http://127.0.0.1:9/v1\n    api-key-entries: [{{api-key: sk-lab-provider-0001}}]\n    models: [{{name: lab-model, alias: gpt-5-codex}}]\n"
        );
        let row = StartRow {
            source: "5-litellm-model-not-offered",
            files: &[("cliproxyapi.yaml", &config)],
            says: &["1 OpenAI-compat"],
            ..SERVES
        };
        let (_run, stage) = check_start(&row, Program::Cliproxyapi, &backend, Stage::new());
        let models = ask(stage.address(), "GET", "/v1/models", RIGHT).body;
        assert!(models.contains(r#""id":"gpt-5-codex""#) && models.contains(r#""owned_by":"lab""#));
        let files = ask(stage.address(), "GET", "/v0/management/auth-files", MANAGER).body;
        assert_eq!(files, r#"{"files":[]}"#);
    }
}

#[test]
fn a_plain_secret_is_hashed_in_place_and_still_the_key() {
    for backend in backends(Program::Cliproxyapi) {
        let config = "# kept\nhost: 127.0.0.1\nport: {port}\nauth-dir: auths\nremote-management:\n  secret-key: plain-secret-0001 # why\n";
        let row = StartRow {
            source: "facts/cliproxyapi.md 2.2",
            files: &[("cliproxyapi.yaml", config)],
            ..SERVES
        };
        let (_run, stage) = check_start(&row, Program::Cliproxyapi, &backend, Stage::new());
        let bytes = flowgate::sys::read::whole(&stage.path("cliproxyapi.yaml"), 65536).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(
            !text.contains("plain-secret") && text.contains("$2a$"),
            "{text}"
        );
        assert!(text.contains("# kept"), "{text}");
        let key = [("Authorization", "Bearer plain-secret-0001")];
        let answer = ask(stage.address(), "GET", "/v0/management/auth-files", &key);
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

#[test]
fn the_password_of_the_environment_opens_management() {
    for backend in backends(Program::Cliproxyapi) {
        let row = StartRow {
            source: "h-management-password-env",
            files: &[(
                "cliproxyapi.yaml",
                "host: 127.0.0.1\nport: {port}\nauth-dir: auths\n",
            )],
            variables: &[("MANAGEMENT_PASSWORD", "lab-password-0001")],
            ..SERVES
        };
        let (_run, stage) = check_start(&row, Program::Cliproxyapi, &backend, Stage::new());
        let key = [("Authorization", "Bearer lab-password-0001")];
        let path = "/v0/management/auth-files";
        assert_eq!(ask(stage.address(), "GET", path, &key).status, 200);
        assert_eq!(ask(stage.address(), "GET", path, MANAGER).status, 401);
    }
}

#[test]
fn only_a_write_in_place_is_reloaded() {
    let (run, stage) = check_start(
        &SERVES,
        Program::Cliproxyapi,
        &Backend::Inside,
        Stage::new(),
    );
    let accepted = |key: &str| {
        let key = format!("Bearer {key}");
        let sent = [("Authorization", key.as_str())];
        ask(stage.address(), "GET", "/v1/models", &sent).status
    };
    assert_eq!(accepted("sk-new-key-0001"), 401);
    stage.write(
        "cliproxyapi.yaml",
        &GOOD.replace("sk-lab-upstream-0001", "sk-new-key-0001"),
    );
    assert_eq!(accepted("sk-new-key-0001"), 200);
    assert_eq!(accepted("sk-lab-upstream-0001"), 401);
    stage.write("cliproxyapi.yaml", "port: [\n");
    assert_eq!(accepted("sk-new-key-0001"), 200);
    assert!(
        run.text()
            .contains("failed to reload config: failed to parse config file: yaml: line")
    );
    stage.write("other.yaml", GOOD);
    rustix::fs::rename(stage.path("other.yaml"), stage.path("cliproxyapi.yaml")).unwrap();
    assert_eq!(
        accepted("sk-lab-upstream-0001"),
        401,
        "a rename ends the watch"
    );
}

#[test]
fn mainline_differs_where_it_was_seen_to_differ() {
    let row = StartRow {
        source: "h-mainline-binary-codex-only, 2-mainline-ip-ban-after-wrong-keys",
        variables: MAINLINE,
        says: &["CLIProxyAPI Version: 7.2.140, Commit: a7e3596b, BuiltAt: 2026-08-22T00:00:00Z"],
        ..SERVES
    };
    let (_run, stage) = check_start(&row, Program::Cliproxyapi, &Backend::Inside, Stage::new());
    check_rows(
        &[
            get("/", &[], 200, JSON, IDENTITY),
            get(
                "/healthz",
                &[],
                200,
                JSON,
                Body::Exactly(r#"{"status":"ok"}"#),
            ),
            get("/unknown", &[], 404, &[], Body::Exactly("")),
            get(
                "/v0/management/unknown",
                MANAGER,
                404,
                &[],
                Body::Exactly(""),
            ),
            get("/v1/models", RIGHT, 200, JSON, LIST),
        ],
        &stage,
        &Backend::Inside,
    );
    assert!(
        ask(stage.address(), "GET", "/v1/models", RIGHT)
            .body
            .contains("gpt-5.4")
    );
    let path = "/v0/management/auth-files";
    for n in 0..5 {
        let sent = if n == 2 { &[] } else { WRONG };
        assert_eq!(ask(stage.address(), "GET", path, sent).status, 401);
    }
    let banned = ask(stage.address(), "GET", path, MANAGER);
    assert_eq!(banned.status, 403);
    assert_eq!(
        banned.body,
        r#"{"error":"IP banned due to too many failed attempts. Try again in 30m0s"}"#
    );
    assert_eq!(banned.header("x-cpa-version"), Some("7.2.140"));
}

#[test]
fn mainline_with_template_keys_is_in_safe_mode() {
    let config = GOOD.replace("sk-lab-upstream-0001", "your-api-key-1");
    let row = StartRow {
        source: "5-mainline-template-api-keys",
        files: &[("cliproxyapi.yaml", &config)],
        variables: MAINLINE,
        ..SERVES
    };
    let (_run, stage) = check_start(&row, Program::Cliproxyapi, &Backend::Inside, Stage::new());
    let safe = || Body::Class(BodyClass::CliproxySafeMode);
    let key = &[("Authorization", "Bearer your-api-key-1")];
    check_rows(
        &[
            get(
                "/",
                &[],
                200,
                &[("content-type", "text/html; charset=utf-8")],
                safe(),
            ),
            get(
                "/v1/models",
                &[],
                403,
                &[("x-cpa-safe-mode", "example-api-key")],
                safe(),
            ),
            get(
                "/v1/models",
                key,
                403,
                &[("x-cpa-safe-mode", "example-api-key")],
                safe(),
            ),
            get(
                "/healthz",
                &[],
                200,
                JSON,
                Body::Exactly(r#"{"status":"ok"}"#),
            ),
            get(
                "/v0/management/auth-files",
                MANAGER,
                200,
                JSON,
                Body::Class(BodyClass::ManagementAuthFiles),
            ),
        ],
        &stage,
        &Backend::Inside,
    );
}
