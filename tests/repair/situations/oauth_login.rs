//! Faults of section 2: what a login needs.

use crate::fix::text;
use crate::gateway::MANAGEMENT_KEY;
use crate::oracle::{local, management_works, proxy_serves, status};
use crate::process::{set_mode, write};
use crate::situation::Situation;
use crate::stage::{FLOWGATE_YAML, PROXY_YAML, Stage, TOKEN};
use crate::supervised::Supervised;

const MAINLINE: (&str, &str, &str) = ("cliproxyapi_plus", "FLOWGATE_STANDIN_EDITION", "mainline");

pub const ALL: &[Situation] = &[
    Situation::asked(
        "no management API while a login is wanted",
        "oauth-login/management-disabled:cliproxyapi_plus",
        "set-management-key",
        without_management,
        management_works,
    ),
    Situation::asked(
        "a management key that the program has not read",
        "oauth-login/management-disabled:cliproxyapi_plus",
        "restart",
        management_not_read,
        management_works,
    )
    .stays(),
    Situation::asked(
        "a kept management key that is not the one of the program",
        "oauth-login/management-key-mismatch:cliproxyapi_plus",
        "set-management-key",
        other_management_key,
        management_works,
    ),
    Situation::asked(
        "a login path that does not exist",
        "oauth-login/wrong-endpoint:codex",
        "set-endpoint",
        wrong_endpoint,
        |stage| text(&stage.gateway, FLOWGATE_YAML).contains("/codex-auth-url?is_webui=true"),
    ),
    Situation::asked(
        "a ban",
        "oauth-login/banned:cliproxyapi_plus",
        "restart",
        banned,
        management_works,
    )
    .stays(),
    Situation::asked(
        "a login that is switched off",
        "oauth-login/credential-disabled:.router/auths/codex-ana@example.com.json",
        "enable",
        disabled,
        |stage| text(&stage.gateway, TOKEN).contains("\"disabled\":false"),
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
