//! The fixes of the catalogue of findings, written by hand: `S` safe, `U` asked for, `M` shown. A small
//! `m` beside them: shown alone where an edit is not certain, or where it is not ours to do.

/// Every finding with the fixes of its row.
pub const CATALOGUE: &[(&str, &[(&str, &str)])] = &[
    // 1
    (
        "port-conflict/foreign-listener",
        &[("stop-holder", "M"), ("move-port", "Um")],
    ),
    // Of a copy that cannot be seen only root can say more.
    (
        "port-conflict/second-instance",
        &[
            ("stop-holder", "M"),
            ("look-as-root", "M"),
            ("move-port", "Um"),
        ],
    ),
    ("port-conflict/own-orphan", &[("stop-orphan", "SUm")]),
    (
        "port-conflict/unknown-owner",
        &[("look-as-root", "M"), ("move-port", "Um")],
    ),
    ("port-conflict/drifted-port", &[("restart", "Sm")]),
    ("port-conflict/same-port-twice", &[("set-port", "Um")]),
    (
        "port-conflict/split-stack",
        &[("stop-holder", "M"), ("set-host", "Um")],
    ),
    (
        "port-conflict/cannot-bind",
        &[("set-host", "Um"), ("set-port", "Um")],
    ),
    ("port-conflict/rival-manager", &[("by-hand", "M")]),
    // 2; a login with the program itself needs no management API.
    (
        "oauth-login/management-disabled",
        &[
            ("set-management-key", "Um"),
            ("restart", "Um"),
            ("login", "M"),
        ],
    ),
    (
        "oauth-login/management-key-mismatch",
        &[("set-management-key", "Um")],
    ),
    (
        "oauth-login/wrong-endpoint",
        &[("set-endpoint", "Um"), ("login", "M"), ("by-hand", "M")],
    ),
    (
        "oauth-login/banned",
        &[("wait-until", "M"), ("restart", "Um")],
    ),
    (
        "oauth-login/callback-port-busy",
        &[
            ("stop-holder", "M"),
            ("wait-until", "M"),
            ("restart", "SUm"),
        ],
    ),
    ("oauth-login/provider-unsupported", &[("by-hand", "M")]),
    ("oauth-login/proxy-unreachable", &[("by-hand", "M")]),
    ("oauth-login/no-credential", &[("login", "M")]),
    ("oauth-login/credential-broken", &[("login", "M")]),
    ("oauth-login/credential-rejected", &[("login", "M")]),
    ("oauth-login/credential-expired", &[("login", "M")]),
    ("oauth-login/credential-expiring", &[("login", "M")]),
    ("oauth-login/credential-disabled", &[("enable", "Um")]),
    ("oauth-login/credential-shared", &[("login", "M")]),
    (
        "oauth-login/quota-exhausted",
        &[("wait-until", "M"), ("by-hand", "M")],
    ),
    (
        "oauth-login/wrong-auth-dir",
        &[("set-auth-dir", "Um"), ("move", "M")],
    ),
    ("oauth-login/login-not-saved", &[("login", "M")]),
    ("oauth-login/login-timed-out", &[("login", "M")]),
    ("oauth-login/login-failed", &[("login", "M")]),
    // 3; of a link, or of another user's file, it is shown.
    ("secret-permissions/file-exposed", &[("set-mode", "SUm")]),
    (
        "secret-permissions/directory-exposed",
        &[("set-mode", "SUm")],
    ),
    ("secret-permissions/config-exposed", &[("set-mode", "SUm")]),
    (
        "secret-permissions/unreadable",
        &[("set-mode", "S"), ("by-hand", "M")],
    ),
    (
        "secret-permissions/unwritable",
        &[("set-mode", "S"), ("by-hand", "M")],
    ),
    ("secret-permissions/wrong-owner", &[("by-hand", "M")]),
    ("secret-permissions/symlink", &[("by-hand", "M")]),
    ("secret-permissions/prompts-in-dumps", &[("set-mode", "Sm")]),
    // 4
    (
        "missing-binaries/not-found",
        &[
            ("install-runtime", "SUm"),
            ("use-found", "Um"),
            ("by-hand", "M"),
        ],
    ),
    (
        "missing-binaries/not-executable",
        &[("set-mode", "S"), ("by-hand", "M")],
    ),
    (
        "missing-binaries/wrong-architecture",
        &[("install-runtime", "SUm"), ("by-hand", "M")],
    ),
    (
        "missing-binaries/loader-missing",
        &[("install-runtime", "SUm"), ("by-hand", "M")],
    ),
    (
        "missing-binaries/corrupt",
        &[("install-runtime", "SUm"), ("by-hand", "M")],
    ),
    ("missing-binaries/replaced", &[]),
    (
        "missing-binaries/broken-interpreter",
        &[("install-runtime", "SUm"), ("by-hand", "M")],
    ),
    (
        "missing-binaries/package-missing",
        &[("install-runtime", "SUm"), ("by-hand", "M")],
    ),
    ("missing-binaries/python-unsupported", &[("by-hand", "M")]),
    (
        "missing-binaries/known-bad-version",
        &[("install-runtime", "Um")],
    ),
    ("missing-binaries/install-failed", &[("by-hand", "M")]),
    // 5; who is not wanted running is not touched unasked.
    (
        "readiness/not-running",
        &[("start", "Sm"), ("by-hand", "M")],
    ),
    ("readiness/starting", &[]),
    ("readiness/crash-loop", &[("start", "Sm"), ("by-hand", "M")]),
    ("readiness/killed", &[("start", "Sm"), ("by-hand", "M")]),
    (
        "readiness/hung",
        &[("continue", "Sm"), ("restart", "SUm"), ("by-hand", "M")],
    ),
    ("readiness/slow", &[("by-hand", "M")]),
    (
        "readiness/no-active-profile",
        &[("activate-profile", "SUm")],
    ),
    (
        "readiness/stale-active-config",
        &[("activate-profile", "Um")],
    ),
    (
        "readiness/config-rejected",
        &[("by-hand", "M"), ("activate-profile", "U")],
    ),
    ("readiness/master-key-refused", &[("set-master-key", "Um")]),
    ("readiness/missing-environment", &[("by-hand", "M")]),
    // A key that the file holds already is taken up by a restart.
    (
        "readiness/client-key-rejected",
        &[("set-client-key", "Um"), ("restart", "Um")],
    ),
    (
        "readiness/upstream-key-rejected",
        &[("set-upstream-key", "Um"), ("restart", "Um")],
    ),
    ("readiness/upstream-unreachable", &[("set-api-base", "Um")]),
    ("readiness/upstream-wrong-path", &[("set-api-base", "Um")]),
    // A variable that a .env holds can be loaded instead.
    (
        "readiness/upstream-is-vendor",
        &[("set-api-base", "Um"), ("by-hand", "M")],
    ),
    ("readiness/tls-mismatch", &[("set-api-base", "Um")]),
    ("readiness/no-models", &[("by-hand", "M")]),
    (
        "readiness/model-unserved",
        &[("by-hand", "M"), ("set-model", "Um")],
    ),
    ("readiness/models-dropped", &[("by-hand", "M")]),
    ("readiness/safe-mode", &[("set-api-keys", "Um")]),
    ("readiness/proxy-captures-loopback", &[("restart", "Um")]),
    (
        "readiness/open-gateway",
        &[("set-host", "Um"), ("set-api-keys", "M"), ("by-hand", "M")],
    ),
    ("readiness/client-not-pointed", &[("integration", "Um")]),
    (
        "readiness/client-wrong-url",
        &[("integration", "Um"), ("by-hand", "M")],
    ),
    (
        "readiness/client-unknown-model",
        &[("integration", "Um"), ("by-hand", "M")],
    ),
    ("readiness/wrong-path", &[("set-readiness-path", "Um")]),
    ("readiness/http-error", &[("by-hand", "M")]),
    ("readiness/resource-exhausted", &[("by-hand", "M")]),
    // flowgate.yaml
    ("config/missing", &[("init", "U"), ("by-hand", "M")]),
    ("config/unreadable", &[("by-hand", "M")]),
    ("config/invalid", &[("by-hand", "M")]),
    ("config/unknown-key", &[("by-hand", "M")]),
    ("config/duplicate-key", &[("by-hand", "M")]),
    ("config/legacy-key", &[("by-hand", "M")]),
    ("config/ambiguous-scalar", &[("by-hand", "M")]),
    ("config/port-mismatch", &[("set-port", "Um")]),
    ("config/running-config-differs", &[("restart", "Um")]),
    ("config/overridden", &[("restart", "Um")]),
    (
        "config/costly-readiness-path",
        &[("set-readiness-path", "Um")],
    ),
    ("config/log-lost", &[("by-hand", "M")]),
    // the supervisor
    ("supervisor/gone", &[("start-supervisor", "S")]),
    ("supervisor/unresponsive", &[("restart-supervisor", "U")]),
    ("supervisor/unfinished-repair", &[("finish-roll-back", "S")]),
    ("supervisor/stale-record", &[("remove-record", "Sm")]),
    ("supervisor/external", &[]),
    ("supervisor/runtime-not-writable", &[("by-hand", "M")]),
    ("supervisor/version-skew", &[("reexec-supervisor", "S")]),
];

/// What is safe: a closed list. Each fix with the kinds of steps that it may consist of.
pub const SAFE: &[(&str, &[&str])] = &[
    // Tighten modes, or give the owner a bit.
    ("set-mode", &["set-mode"]),
    // Remove our own stale records.
    ("remove-record", &["remove-record"]),
    // Start our supervisor, re-exec it to a newer one.
    ("start-supervisor", &["start-supervisor"]),
    ("reexec-supervisor", &["reexec-supervisor"]),
    // Stop our own orphan that serves nobody.
    (
        "stop-orphan",
        &["signal", "start-service", "restart-service"],
    ),
    // Start our service, continue or restart it when it does not answer or serves nobody.
    ("start", &["start-service"]),
    ("continue", &["continue-service"]),
    ("restart", &["restart-service"]),
    // Generate the active config when it is absent and the profile is certain.
    ("activate-profile", &["activate-profile", "start-service"]),
    // Restore the installed runtime to exactly what the manifest says.
    ("install-runtime", &["install-runtime"]),
    // Finish the roll-back of an unfinished run.
    ("finish-roll-back", &["finish-roll-back"]),
];
