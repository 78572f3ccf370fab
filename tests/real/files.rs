//! One LiteLLM that serves, and what is wrong in the files around it: none of it needs another start.

use crate::case::{Case, Looks};
use crate::gateway::{UPSTREAM_KEY, roots, token};
use crate::process::{read, set_mode, wait_for, write};
use crate::stage::{FLOWGATE_YAML, Stage};

pub const CASES: &[Case] = &[Case {
    name: "one gateway, and what is wrong in the files around it",
    run: around,
}];

const TOKEN: &str = ".router/auths/codex-ana@example.com.json";
const PROXY_YAML: &str = "config/cliproxyapi.yaml";
const EXPOSED: &str = "secret-permissions/file-exposed:.router/auths/codex-ana@example.com.json";
const BROKEN: &str = "oauth-login/credential-broken:.router/auths/codex-ana@example.com.json";
const CLIENT_KEY: &str = "readiness/client-key-rejected:litellm";

fn around(looks: &mut Looks<'_>) {
    let stage = Stage::with(looks.package, "", "");
    stage.start_litellm();
    looks.is_silent("a sound gateway, once more", &stage.doctor(&[]));
    flowgate_yaml(looks, &stage);
    logins(looks, &stage);
    doubles(looks, &stage);
    proxy_yaml(looks, &stage);
}

/// Each change of flowgate.yaml, and the one root that it makes.
fn flowgate_yaml(looks: &mut Looks<'_>, stage: &Stage) {
    let path = stage.path(FLOWGATE_YAML);
    let sound = read(&path);
    let changes: [(&str, &str, &str, &'static str); 7] = [
        (
            "a word that is none",
            "config_version: 2\n",
            "config_version: 2\nservces: {}\n",
            "config/unknown-key:servces",
        ),
        (
            "a key that stands twice",
            "config_version: 2\n",
            "config_version: 2\nconfig_version: 2\n",
            "config/duplicate-key:config_version",
        ),
        (
            "a readiness path that costs money",
            "readiness_path: /health/readiness",
            "readiness_path: /health",
            "config/costly-readiness-path:litellm",
        ),
        (
            "brackets that do not close",
            "services:",
            "services: [",
            "config/invalid:config/flowgate.yaml",
        ),
        (
            "a port that is a word",
            "    host: 127.0.0.1\n    port: ",
            "    host: 127.0.0.1\n    port: x",
            "config/invalid:config/flowgate.yaml",
        ),
        (
            "a truth that readers do not take alike",
            "    readiness_path: /health/readiness\n",
            "    readiness_path: /health/readiness\n    managed: yes\n",
            "config/ambiguous-scalar:services.litellm.managed",
        ),
        (
            "a program under another name",
            "bin/CLIProxyAPIPlus,",
            "bin/CLIProxyAPIPlux,",
            "missing-binaries/not-found:cliproxyapi_plus",
        ),
    ];
    for (what, from, to, key) in changes {
        assert!(sound.contains(from), "{from}");
        write(&path, &sound.replacen(from, to, 1), 0o644);
        looks.names(what, &stage.doctor(&[]), key, &[]);
    }
    write(&path, &sound, 0o644);
}

fn logins(looks: &mut Looks<'_>, stage: &Stage) {
    let path = stage.path(TOKEN);
    let sound = read(&path);
    set_mode(&stage.path(".router/auths"), 0o755);
    set_mode(&path, 0o644);
    looks.names(
        "a token that all can read",
        &stage.doctor(&[]),
        EXPOSED,
        &[],
    );
    set_mode(&path, 0o600);
    set_mode(&stage.path(".router/auths"), 0o700);
    write(&path, "{\"type\": \"codex\", ", 0o600);
    looks.names("a token cut off", &stage.doctor(&[]), BROKEN, &[]);
    std::fs::remove_file(&path).unwrap();
    let nobody = "oauth-login/no-credential:codex";
    looks.names("nobody logged in", &stage.doctor(&[]), nobody, &[]);
    write(&path, &sound, 0o600);
    wait_for("the proxy to see its token", || {
        roots(&stage.doctor(&[])).is_empty()
    });
}

/// Both roots, whatever the order.
fn doubles(looks: &mut Looks<'_>, stage: &Stage) {
    let kept = stage.path(".router/secrets/litellm-master.key");
    write(&kept, "sk-planted-other-client-2", 0o600);
    set_mode(&stage.path(".router/auths"), 0o755);
    set_mode(&stage.path(TOKEN), 0o644);
    let document = stage.doctor(&[]);
    assert!(
        roots(&document).contains(&EXPOSED.to_owned()),
        "{document:#}"
    );
    looks.names(
        "a wrong client key, and a token that all can read",
        &document,
        CLIENT_KEY,
        &[EXPOSED],
    );
    set_mode(&stage.path(".router/auths"), 0o700);
    set_mode(&stage.path(TOKEN), 0o600);

    write(
        &stage.path(TOKEN),
        &token("2020-01-01T00:00:00Z").replace("refresh_token", "no_token"),
        0o600,
    );
    let document = stage.doctor(&[]);
    let expired = "oauth-login/credential-expired:.router/auths/codex-ana@example.com.json";
    assert!(
        roots(&document).contains(&CLIENT_KEY.to_owned()),
        "{document:#}"
    );
    looks.names(
        "a wrong client key, and a login that expired",
        &document,
        expired,
        &[CLIENT_KEY],
    );
    write(&stage.path(TOKEN), &token("2099-01-01T00:00:00Z"), 0o600);
    std::fs::remove_file(&kept).unwrap();
}

fn proxy_yaml(looks: &mut Looks<'_>, stage: &Stage) {
    let path = stage.path(PROXY_YAML);
    let sound = read(&path);
    write(&path, &sound.replace("api-keys:", "api-keys: ["), 0o600);
    let key = "readiness/config-rejected:cliproxyapi_plus";
    looks.names(
        "a config that its next start refuses",
        &stage.doctor(&[]),
        key,
        &[],
    );
    write(
        &path,
        &sound.replace(&format!("api-keys:\n  - {UPSTREAM_KEY}\n"), ""),
        0o600,
    );
    let key = "readiness/open-gateway:cliproxyapi_plus";
    let mut document = stage.doctor(&[]);
    wait_for("the proxy to read its config", || {
        document = stage.doctor(&[]);
        roots(&document) == [key]
    });
    looks.names("no key for its clients", &document, key, &[]);
}
