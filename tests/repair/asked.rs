//! What is asked for by a name that nothing has: a word for each case, and the exit code of the state.

use crate::crash::with_stranger;
use crate::gateway::Gateway;

const TOKEN: &str = ".router/auths/codex-ana@example.com.json";

#[test]
fn an_id_that_is_in_no_catalogue_is_a_usage_error_with_the_one_that_is_meant() {
    let gateway = Gateway::new();
    for args in [
        &["doctor", "--fix=move-prt"][..],
        &["doctor", "--fix=move-prt:litellm", "--dry-run"],
    ] {
        let said = gateway.flowgate(args);
        assert_eq!(said.code, 2, "{}{}", said.out, said.err);
        assert!(said.err.contains("did you mean move-port"), "{}", said.err);
    }
    let said = gateway.flowgate(&["doctor", "--fix=xyzzy"]);
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    assert!(said.err.contains("there is no fix xyzzy"), "{}", said.err);
    assert!(!gateway.path(".router/runtime/doctor").exists());
}

#[test]
fn a_subject_that_nothing_has_is_said_with_those_that_have_it() {
    let (gateway, _stranger) = with_stranger();
    let document = gateway.doctor(&["--fix=move-port:litelm", "--yes"]);
    let skipped = &document["repair"]["skipped"][0];
    assert_eq!(skipped["fix"], "move-port:litelm");
    let reason = skipped["reason"].as_str().unwrap();
    assert!(reason.contains("cliproxyapi_plus"), "{reason}");
    assert!(document["repair"]["rounds"].as_array().unwrap().is_empty());
    assert_eq!(
        document["exitCode"], 0,
        "a service that is not wanted is a warning"
    );
}

#[test]
fn what_a_muted_finding_has_is_said_to_be_muted() {
    let gateway = Gateway::running();
    gateway.expose_token();
    let key = format!("secret-permissions/file-exposed:{TOKEN}");
    let said = gateway.flowgate(&["doctor", "mute", &key, "--reason", "lab"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let document = gateway.doctor(&[&format!("--fix=set-mode:{TOKEN}")]);
    let reason = document["repair"]["skipped"][0]["reason"].as_str().unwrap();
    assert!(reason.ends_with("is muted"), "{reason}");
}
