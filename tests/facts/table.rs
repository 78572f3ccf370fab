//! The facts about the two programs that a config or a machine can be wrong by, and the scenario that
//! shows each; pairs that only their evidence tells apart.

/// A fact with its section of the fact sheets, a scenario, and the finding that must be a root of it.
pub const FACTS: &[(&str, &str, &str)] = &[
    (
        "LiteLLM moves to a random port when 4000 is taken (litellm 4)",
        "recording-1-litellm-4000-held-silent-move",
        "port-conflict/foreign-listener",
    ),
    (
        "a taken port ends it (litellm 4)",
        "port-conflict-foreign-listener",
        "port-conflict/foreign-listener",
    ),
    (
        "orphaned workers go on at the port (litellm 8)",
        "port-conflict-own-orphan",
        "port-conflict/own-orphan",
    ),
    (
        "config missing (litellm 3.1)",
        "readiness-no-active-profile",
        "readiness/no-active-profile",
    ),
    (
        "config is a directory (litellm 3.1)",
        "readiness-config-rejected-directory",
        "readiness/config-rejected",
    ),
    (
        "YAML does not parse (litellm 3.1)",
        "readiness-config-rejected-litellm-yaml",
        "readiness/config-rejected",
    ),
    (
        "include target missing, before the start (litellm 3.1)",
        "readiness-config-rejected-include-missing",
        "readiness/config-rejected",
    ),
    (
        "include target missing, by its log (litellm 3.1)",
        "readiness-config-rejected-include",
        "readiness/config-rejected",
    ),
    (
        "database URL without its client (litellm 3.1)",
        "readiness-config-rejected-database-client",
        "readiness/config-rejected",
    ),
    (
        "an entry lacks a key (litellm 3.2)",
        "readiness-config-rejected-startup-key",
        "readiness/config-rejected",
    ),
    (
        "fallbacks of the wrong type (litellm 3.2)",
        "readiness-config-rejected-fallbacks",
        "readiness/config-rejected",
    ),
    (
        "unknown routing_strategy (litellm 3.2)",
        "readiness-config-rejected-strategy",
        "readiness/config-rejected",
    ),
    (
        "callback module missing (litellm 3.2)",
        "readiness-config-rejected-callback",
        "readiness/config-rejected",
    ),
    (
        "master key unset (litellm 3.4)",
        "readiness-master-key-refused",
        "readiness/master-key-refused",
    ),
    (
        "master key well known (litellm 3.4)",
        "readiness-master-key-refused-well-known-from-file",
        "readiness/master-key-refused",
    ),
    (
        "master key from an unset variable (litellm 3.4)",
        "readiness-master-key-refused-variable",
        "readiness/master-key-refused",
    ),
    (
        "model_list empty (litellm 3.3)",
        "readiness-no-models-litellm",
        "readiness/no-models",
    ),
    (
        "model_list misspelt (litellm 3.3)",
        "readiness-no-models-misspelt-list",
        "readiness/no-models",
    ),
    (
        "no or unknown provider prefix (litellm 3.3)",
        "readiness-models-dropped",
        "readiness/models-dropped",
    ),
    (
        "rpm is no number (litellm 3.3)",
        "readiness-models-dropped-rpm",
        "readiness/models-dropped",
    ),
    (
        "api_key unset: Bearer None (real-stack 1)",
        "readiness-missing-environment",
        "readiness/missing-environment",
    ),
    (
        "api_key absent (litellm 3.3)",
        "readiness-upstream-key-rejected-no-key",
        "readiness/upstream-key-rejected",
    ),
    (
        "api_base absent leaves for the vendor (litellm 3.3)",
        "readiness-upstream-is-vendor",
        "readiness/upstream-is-vendor",
    ),
    (
        "api_base of an unset variable (litellm 3.3)",
        "readiness-upstream-is-vendor-variable",
        "readiness/upstream-is-vendor",
    ),
    (
        "api_base without /v1 (litellm 3.3)",
        "readiness-upstream-wrong-path",
        "readiness/upstream-wrong-path",
    ),
    (
        "api_base without scheme (litellm 3.3)",
        "readiness-upstream-unreachable-no-scheme",
        "readiness/upstream-unreachable",
    ),
    (
        "api_base at a dead port (litellm 3.3)",
        "readiness-upstream-unreachable",
        "readiness/upstream-unreachable",
    ),
    (
        "https against http (litellm 3.3)",
        "readiness-tls-mismatch-plain",
        "readiness/tls-mismatch",
    ),
    (
        "wrong key is 400 no_db_connection (litellm 6)",
        "readiness-client-key-rejected",
        "readiness/client-key-rejected",
    ),
    (
        "wrong key is 401 (litellm 6)",
        "readiness-client-key-rejected-401",
        "readiness/client-key-rejected",
    ),
    (
        "500 to a key that was sent (litellm 6)",
        "readiness-http-error-models-500",
        "readiness/http-error",
    ),
    (
        "stray PORT (litellm 1.3)",
        "config-overridden-port",
        "config/overridden",
    ),
    (
        "stray CONFIG_FILE_PATH (litellm 1.3)",
        "config-overridden-config-file-path",
        "config/overridden",
    ),
    (
        "the .env trap (litellm 3.5)",
        "config-overridden-dot-env-port",
        "config/overridden",
    ),
    (
        "HTTP_PROXY takes loopback (litellm 7)",
        "readiness-proxy-captures-loopback",
        "readiness/proxy-captures-loopback",
    ),
    (
        "unread pipe (litellm 7)",
        "readiness-hung-full-pipe",
        "readiness/hung",
    ),
    (
        "malicious releases (litellm 1.1)",
        "missing-binaries-known-bad-version",
        "missing-binaries/known-bad-version",
    ),
    (
        "without [proxy] (litellm 10)",
        "missing-binaries-package-missing",
        "missing-binaries/package-missing",
    ),
    (
        "interpreter gone (litellm 2)",
        "missing-binaries-broken-interpreter",
        "missing-binaries/broken-interpreter",
    ),
    (
        "CRLF in the shebang (litellm 2)",
        "missing-binaries-broken-interpreter-carriage-return",
        "missing-binaries/broken-interpreter",
    ),
    (
        "script not executable (litellm 2)",
        "missing-binaries-not-executable",
        "missing-binaries/not-executable",
    ),
    (
        "script empty (litellm 2)",
        "missing-binaries-corrupt-empty-script",
        "missing-binaries/corrupt",
    ),
    (
        "noexec mount (real-stack 2.11)",
        "missing-binaries-not-executable-noexec",
        "missing-binaries/not-executable",
    ),
    (
        "truncated download (real-stack 2.11)",
        "missing-binaries-corrupt-cut-off",
        "missing-binaries/corrupt",
    ),
    (
        "HTML download (real-stack 2.11)",
        "recording-4-cliproxy-binary-is-html",
        "missing-binaries/corrupt",
    ),
    (
        "glibc build on musl (cliproxyapi 10.15)",
        "missing-binaries-loader-missing",
        "missing-binaries/loader-missing",
    ),
    (
        "port busy exits 0 (cliproxyapi 6.2)",
        "recording-1-cliproxy-8317-held-foreign",
        "port-conflict/foreign-listener",
    ),
    (
        "port key missing: random port (real-stack 1)",
        "recording-1-cliproxy-port-key-missing-random",
        "config/port-mismatch",
    ),
    (
        "port out of range (cliproxyapi 6.2)",
        "config-port-mismatch-port-that-is-none",
        "config/port-mismatch",
    ),
    (
        "host is no address here (cliproxyapi 6.2)",
        "port-conflict-cannot-bind-host-of-its-own-file",
        "port-conflict/cannot-bind",
    ),
    (
        "host does not resolve (cliproxyapi 6.2)",
        "port-conflict-cannot-bind-name-that-is-none",
        "port-conflict/cannot-bind",
    ),
    (
        "IPv6 host without brackets (real-stack 1)",
        "port-conflict-cannot-bind-brackets",
        "port-conflict/cannot-bind",
    ),
    (
        "port below 1024 (cliproxyapi 6.2)",
        "port-conflict-cannot-bind-privilege",
        "port-conflict/cannot-bind",
    ),
    (
        "bad YAML (cliproxyapi 2.4)",
        "recording-5-cliproxy-config-bad-yaml",
        "readiness/config-rejected",
    ),
    (
        "duplicate key is fatal (real-stack 1)",
        "readiness-config-rejected-duplicate-key",
        "readiness/config-rejected",
    ),
    (
        "auth-dir missing before 7.0.0 (cliproxyapi 2.1)",
        "readiness-config-rejected-auth-dir-missing",
        "readiness/config-rejected",
    ),
    (
        "auth-dir is a file (cliproxyapi 6.2)",
        "readiness-config-rejected-auth-dir-is-a-file",
        "readiness/config-rejected",
    ),
    (
        "TLS without its files (cliproxyapi 6.2)",
        "readiness-config-rejected-tls-without-its-files",
        "readiness/config-rejected",
    ),
    (
        "template api-keys (cliproxyapi 3.2)",
        "readiness-safe-mode",
        "readiness/safe-mode",
    ),
    (
        "only empty api-keys (real-stack 1)",
        "readiness-upstream-key-rejected-only-empty-keys",
        "readiness/upstream-key-rejected",
    ),
    (
        "no api-keys: open (cliproxyapi 3.2)",
        "readiness-open-gateway",
        "readiness/open-gateway",
    ),
    (
        "-password watchdog (cliproxyapi 8.2)",
        "config-overridden-password",
        "config/overridden",
    ),
    (
        "store variables (cliproxyapi 1.3)",
        "config-overridden",
        "config/overridden",
    ),
    (
        "rename kills the reload (cliproxyapi 8.4)",
        "config-running-config-differs-reload-lost",
        "config/running-config-differs",
    ),
    (
        "host, port, tls are not bound anew (cliproxyapi 8.5)",
        "config-running-config-differs-host",
        "config/running-config-differs",
    ),
    (
        "log lines lost (real-stack 1)",
        "config-log-lost",
        "config/log-lost",
    ),
    (
        "SIGPIPE (real-stack 2.1)",
        "readiness-killed-sigpipe",
        "readiness/killed",
    ),
    (
        "suspended (real-stack 2.18)",
        "recording-5-cliproxy-frozen",
        "readiness/hung",
    ),
    (
        "a model that the proxy does not offer (real-stack 2.15)",
        "readiness-model-unserved",
        "readiness/model-unserved",
    ),
];

/// Two snapshots that differ in one place; each part is a merge patch over the healthy one.
pub struct Pair {
    /// What is told apart.
    pub what: &'static str,
    /// What both have.
    pub both: &'static str,
    /// What the one has, and its roots.
    pub one: (&'static str, &'static [&'static str]),
    /// What the other has, and its roots.
    pub other: (&'static str, &'static [&'static str]),
}

/// Every pair.
pub const PAIRS: &[Pair] = &[
    Pair {
        what: "a 401 of LiteLLM to the key of a client, and its acceptance",
        both: r#"{}"#,
        one: (
            r#"{"probes": {"litellm": {"127.0.0.1:4000": {"models": {".router/runtime/litellm.active.yaml:3": {"answer": {"known": {"outcome": {"http": {"status": 401, "body": "litellmKeyRejected"}}}}, "models": null}}}}}}"#,
            &["readiness/client-key-rejected:litellm"],
        ),
        other: (
            r#"{"probes": {"litellm": {"127.0.0.1:4000": {"models": {".router/runtime/litellm.active.yaml:3": {"answer": {"known": {"outcome": {"http": {"status": 200, "body": "modelList"}}}}, "models": null}}}}}}"#,
            &[],
        ),
    },
    Pair {
        what: "a 401 of the proxy to a key that its file lists is a lost reload, to another one the wrong key",
        both: r#"{"probes": {"cliproxyapi_plus": {"127.0.0.1:8317": {"models": {".router/runtime/litellm.active.yaml:9": {"answer": {"known": {"outcome": {"http": {"status": 401, "body": "cliproxyKeyRejected"}}}}, "models": null}}}}}}"#,
        one: (
            r#"{"configs": {"cliproxyapi": {"entries": {"api-keys[0]": {"value": {"secret": {"fingerprint": "a1b2c3d4e5f60718", "class": "ordinary"}}}}}}}"#,
            &["config/running-config-differs:cliproxyapi_plus"],
        ),
        other: (
            r#"{"configs": {"cliproxyapi": {"entries": {"api-keys[0]": {"value": {"secret": {"fingerprint": "1212343412123434", "class": "ordinary"}}}}}}}"#,
            &["readiness/upstream-key-rejected:litellm"],
        ),
    },
    Pair {
        what: "a 401 to a request without a key says nothing, a 500 of another kind does",
        both: r#"{}"#,
        one: (
            r#"{"probes": {"litellm": {"127.0.0.1:4000": {"readiness": {"known": {"request": "GET /v1/models", "outcome": {"http": {"status": 401, "body": "json"}}}}}}}}"#,
            &[],
        ),
        other: (
            r#"{"probes": {"litellm": {"127.0.0.1:4000": {"readiness": {"known": {"request": "GET /v1/models", "outcome": {"http": {"status": 502, "body": "json"}}}}}}}}"#,
            &["readiness/http-error:litellm"],
        ),
    },
    Pair {
        what: "a 400 no_db_connection is the key, another 400 is not",
        both: r#"{}"#,
        one: (
            r#"{"probes": {"litellm": {"127.0.0.1:4000": {"models": {".router/runtime/litellm.active.yaml:3": {"answer": {"known": {"outcome": {"http": {"status": 400, "body": "litellmKeyRejected"}}}}, "models": null}}}}}}"#,
            &["readiness/client-key-rejected:litellm"],
        ),
        other: (
            r#"{"probes": {"litellm": {"127.0.0.1:4000": {"models": {".router/runtime/litellm.active.yaml:3": {"answer": {"known": {"outcome": {"http": {"status": 400, "body": "json"}}}}, "models": null}}}}}}"#,
            &["readiness/http-error:litellm"],
        ),
    },
    Pair {
        what: "a bare 500 to a request without a key is a key that is missing, another 500 is an error",
        both: "{}",
        one: (
            r#"{"probes": {"litellm": {"127.0.0.1:4000": {"readiness": {"known": {"request": "GET /v1/models", "outcome": {"http": {"status": 500, "body": "litellmKeyMissing"}}}}}}}}"#,
            &[],
        ),
        other: (
            r#"{"probes": {"litellm": {"127.0.0.1:4000": {"readiness": {"known": {"request": "GET /v1/models", "outcome": {"http": {"status": 500, "body": "json"}}}}}}}}"#,
            &["readiness/http-error:litellm"],
        ),
    },
    Pair {
        what: "a 403 safe mode, and a 403 of another kind",
        both: r#"{}"#,
        one: (
            r#"{"probes": {"cliproxyapi_plus": {"127.0.0.1:8317": {"models": {".router/runtime/litellm.active.yaml:9": {"answer": {"known": {"outcome": {"http": {"status": 403, "body": "cliproxySafeMode"}}}}, "models": null}}}}}}"#,
            &["readiness/safe-mode:cliproxyapi_plus"],
        ),
        other: (
            r#"{"probes": {"cliproxyapi_plus": {"127.0.0.1:8317": {"models": {".router/runtime/litellm.active.yaml:9": {"answer": {"known": {"outcome": {"http": {"status": 403, "body": "json"}}}}, "models": null}}}}}}"#,
            &["readiness/http-error:cliproxyapi_plus"],
        ),
    },
    Pair {
        what: "a 404 of the readiness path is a wrong path, a 500 of it an error",
        both: "{}",
        one: (
            r#"{"probes": {"litellm": {"127.0.0.1:4000": {"readiness": {"known": {"request": "GET /v1/models", "outcome": {"http": {"status": 404, "body": "json"}}}}}}}}"#,
            &[],
        ),
        other: (
            r#"{"probes": {"litellm": {"127.0.0.1:4000": {"readiness": {"known": {"request": "GET /v1/models", "outcome": {"http": {"status": 500, "body": "json"}}}}}}}}"#,
            &["readiness/http-error:litellm"],
        ),
    },
    Pair {
        what: "a suspended process hangs, a running one is slow",
        both: r#"{"probes": {"cliproxyapi_plus": {"127.0.0.1:8317": {"root": {"known": {"outcome": "timeout"}}, "readiness": {"known": {"outcome": "timeout"}}, "models": null}}}, "credentials": {"management": {"answer": null, "authFiles": null}}}"#,
        one: (
            r#"{"processes": {"2100": {"state": "T"}}}"#,
            &["readiness/hung:cliproxyapi_plus"],
        ),
        other: (
            r#"{"processes": {"2100": {"state": "S"}}}"#,
            &["readiness/slow:cliproxyapi_plus"],
        ),
    },
];
