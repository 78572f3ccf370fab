//! Runbook section 2 on real files, ports and the management API of the stand-in.

use crate::gateway::{Gateway, MANAGEMENT_KEY, effects, finding, roots, token};

#[test]
fn an_empty_auth_dir_is_a_missing_login_and_explains_the_missing_models() {
    let mut gateway = Gateway::new();
    std::fs::remove_file(gateway.path(".router/auths/codex-ana@example.com.json")).unwrap();
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");

    let document = gateway.doctor(&[]);

    assert_eq!(roots(&document), ["oauth-login/no-credential:codex"]);
    assert!(
        effects(&document).contains(&"readiness/no-models:cliproxyapi_plus".to_owned()),
        "{document:#}"
    );
    assert!(
        finding(&document, "oauth-login/no-credential:codex")
            .to_string()
            .contains("-codex-login")
    );
}

#[test]
fn no_management_api_is_the_cause_when_a_login_is_wanted() {
    let mut gateway = Gateway::new();
    gateway.edit("config/cliproxyapi.yaml", "secret-key", "other-key");
    std::fs::remove_file(gateway.path(".router/auths/codex-ana@example.com.json")).unwrap();
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");

    let document = gateway.doctor(&[]);

    assert_eq!(
        roots(&document),
        ["oauth-login/management-disabled:cliproxyapi_plus"]
    );
    assert!(effects(&document).contains(&"oauth-login/no-credential:codex".to_owned()));
}

#[test]
fn a_token_that_is_cut_off_is_broken() {
    let mut gateway = Gateway::new();
    gateway.write_token(
        "codex-ana@example.com.json",
        &token("2099-01-01T00:00:00Z")[..90],
        0o600,
    );
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");

    let document = gateway.doctor(&[]);

    assert_eq!(
        roots(&document),
        ["oauth-login/credential-broken:.router/auths/codex-ana@example.com.json"]
    );
}

#[test]
fn a_management_key_is_sent_only_when_it_matches_the_stored_hash() {
    let mut gateway = Gateway::new();
    gateway.keep_management_key("planted-but-wrong-key-1\n");
    gateway.start("cliproxyapi_plus");
    gateway.doctor(&[]);
    let asked = |gateway: &Gateway| {
        gateway
            .requests("cliproxyapi_plus")
            .iter()
            .filter(|request| request["path"].as_str().unwrap().starts_with("/v0/"))
            .count()
    };
    assert_eq!(asked(&gateway), 0, "an unconfirmed key is never sent");
    gateway.keep_management_key(MANAGEMENT_KEY);
    gateway.doctor(&[]);
    assert_eq!(asked(&gateway), 1, "one management request a look");
}
