//! Faults of section 2: what a login needs.

use std::net::TcpStream;

use crate::elsewhere;
use crate::fix::text;
use crate::gateway::{FLOWGATE, MANAGEMENT_KEY, UPSTREAM_KEY, is_listening};
use crate::oracle::{ask, local, management_works, proxy_serves, status};
use crate::process::{set_mode, wait_for, write};
use crate::situation::{Place, Situation};
use crate::stage::{ACTIVE, FLOWGATE_YAML, PROXY_YAML, Stage, TOKEN};
use crate::supervised::Supervised;

/// A model of the other edition.
const MODEL: &str = "gpt-5.4";
const MAINLINE: (&str, &str, &str) = ("cliproxyapi_plus", "FLOWGATE_STANDIN_EDITION", "mainline");

pub const ALL: &[Situation] = &[
    Situation::asked(
        "no management API while a login is wanted",
        "oauth-login/management-disabled:cliproxyapi_plus",
        "set-management-key",
        without_management,
        management_works,
    )
    .leaves_an_error(),
    Situation::asked(
        "a management key that the program has not read",
        "oauth-login/management-disabled:cliproxyapi_plus",
        "restart",
        management_not_read,
        management_works,
    )
    .stays()
    .leaves_an_error(),
    Situation::asked(
        "a kept management key that is not the one of the program",
        "oauth-login/management-key-mismatch:cliproxyapi_plus",
        "set-management-key",
        other_management_key,
        management_works,
    )
    .leaves_an_error(),
    Situation::asked(
        "a login path that does not exist",
        "oauth-login/wrong-endpoint:codex",
        "set-endpoint",
        wrong_endpoint,
        |stage| text(&stage.gateway, FLOWGATE_YAML).contains("/codex-auth-url?is_webui=true"),
    )
    .leaves_an_error(),
    Situation::asked(
        "a ban",
        "oauth-login/banned:cliproxyapi_plus",
        "restart",
        banned,
        management_works,
    )
    .stays()
    .leaves_an_error(),
    Situation::safe(
        "a callback port that the program itself holds, and nobody uses the program",
        "oauth-login/callback-port-busy:codex",
        "restart",
        callback_held,
        |stage| !is_listening(CALLBACK) && proxy_answers(stage),
    )
    .stays()
    .leaves_an_error()
    .at(Place::OwnNetwork),
    Situation::asked(
        "a callback port that the program itself holds while it serves somebody",
        "oauth-login/callback-port-busy:codex",
        "restart",
        || {
            let mut stage = callback_held();
            let client = TcpStream::connect(local(stage.gateway.proxy)).unwrap();
            stage.clients.push(client);
            stage
        },
        |stage| !is_listening(CALLBACK) && proxy_answers(stage),
    )
    .stays()
    .leaves_an_error()
    .at(Place::OwnNetwork),
    Situation::asked(
        "a login that is switched off",
        "oauth-login/credential-disabled:.router/auths/codex-ana@example.com.json",
        "enable",
        disabled,
        |stage| {
            let at = local(stage.gateway.proxy);
            ask(at, "/v1/models", Some(UPSTREAM_KEY)).is_some_and(|(_, body)| body.contains(MODEL))
        },
    ),
    Situation::asked(
        "a login in a folder that the program does not read",
        "oauth-login/wrong-auth-dir:cliproxyapi_plus",
        "set-auth-dir",
        wrong_auth_dir,
        proxy_serves,
    ),
];

fn logged_out(env: &[(&str, &str, &str)]) -> Stage {
    let gateway = Supervised::new(env);
    std::fs::remove_file(gateway.path(TOKEN)).unwrap();
    Stage::around(gateway)
}

fn secret_line(stage: &Stage) -> String {
    let yaml = text(&stage.gateway, PROXY_YAML);
    let mut lines = yaml.lines();
    lines
        .find(|line| line.contains("secret-key"))
        .unwrap()
        .to_owned()
}

fn without_management() -> Stage {
    let stage = logged_out(&[]);
    let line = secret_line(&stage);
    stage.gateway.edit(PROXY_YAML, &line, "  secret-key: \"\"");
    stage.start();
    stage
}

/// The file is replaced by another, of which the program sees nothing.
fn management_not_read() -> Stage {
    let stage = without_management();
    let whole = text(&stage.gateway, PROXY_YAML);
    let hash = bcrypt::hash(MANAGEMENT_KEY, 4).unwrap();
    let line = format!("secret-key: \"{hash}\"");
    let beside = stage.gateway.path("config/new.yaml");
    write(&beside, &whole.replace("secret-key: \"\"", &line), 0o600);
    rustix::fs::rename(&beside, stage.gateway.path(PROXY_YAML)).unwrap();
    stage
}

fn other_management_key() -> Stage {
    let stage = logged_out(&[]);
    stage.start();
    let other = bcrypt::hash("planted-other-management-1", 4).unwrap();
    let line = secret_line(&stage);
    let other = format!("  secret-key: \"{other}\"");
    stage.gateway.edit(PROXY_YAML, &line, &other);
    stage
}

fn wrong_endpoint() -> Stage {
    let stage = logged_out(&[]);
    let (right, wrong) = ("codex-auth-url?is_webui=true", "oauth/codex/auth-url");
    stage.gateway.edit(FLOWGATE_YAML, right, wrong);
    stage.start();
    stage
}

fn banned() -> Stage {
    let stage = logged_out(&[MAINLINE]);
    stage.start();
    let at = local(stage.gateway.proxy);
    for _ in 0..5 {
        let said = status(at, "/v0/management/auth-files", Some("wrong"));
        assert_eq!(said, Some(401));
    }
    stage
}

fn disabled() -> Stage {
    let stage = Stage::around(Supervised::new(&[MAINLINE]));
    stage.gateway.edit(ACTIVE, "gpt-5", MODEL);
    let token = text(&stage.gateway, TOKEN).replacen('{', "{\"disabled\":true,", 1);
    write(&stage.gateway.path(TOKEN), &token, 0o600);
    stage.start();
    stage
}

fn wrong_auth_dir() -> Stage {
    let stage = Stage::stopped();
    let other = stage.gateway.path("other-auths");
    std::fs::create_dir(&other).unwrap();
    set_mode(&other, 0o700);
    let line = "auth-dir: ./.router/auths";
    stage
        .gateway
        .edit(PROXY_YAML, line, "auth-dir: ./other-auths");
    stage.start();
    stage
}

/// Where the browser comes back after a login to codex.
const CALLBACK: u16 = 1455;

/// A program that waits for a browser since its first start, as it does for five minutes.
fn callback_held() -> Stage {
    let stage = logged_out(&[]);
    let program = stage.gateway.path(".router/runtime/bin/CLIProxyAPIPlus");
    let waited = stage.gateway.path("waited");
    std::fs::remove_file(&program).unwrap();
    let waiting = elsewhere::command("a_server_at_a_port", &[("REPAIR_PORT", "1455")]);
    let script = format!(
        "#!/bin/sh\nif [ ! -e {waited} ]; then\n  touch {waited}\n  {waiting} &\nfi\nexec {FLOWGATE} \"$@\"\n",
        waited = waited.display(),
    );
    write(&program, &script, 0o755);
    stage.start();
    wait_for("the callback port to be held", || is_listening(CALLBACK));
    stage
}

fn proxy_answers(stage: &Stage) -> bool {
    status(local(stage.gateway.proxy), "/v1/models", Some(UPSTREAM_KEY)) == Some(200)
}
