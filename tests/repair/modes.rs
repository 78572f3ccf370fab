//! `set-mode`: a token that others can read is closed, and opened again by undo.

use serde_json::json;

use crate::gateway::{Gateway, roots};
use crate::state::{differences, state};

const TOKEN: &str = ".router/auths/codex-ana@example.com.json";

fn exposed() -> Gateway {
    let gateway = Gateway::running();
    gateway.expose_token();
    gateway
}

fn mode(gateway: &Gateway, below: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    let facts = std::fs::metadata(gateway.path(below)).unwrap();
    facts.permissions().mode() & 0o7777
}

#[test]
fn an_exposed_token_is_closed_verified_and_opened_again_by_undo() {
    let mut gateway = exposed();
    let before = state(&gateway.path("."));

    let document = gateway.doctor(&["--fix=safe"]);

    assert_eq!(mode(&gateway, TOKEN), 0o600);
    assert_eq!(roots(&document), Vec::<String>::new(), "{document:#}");
    assert_eq!(document["exitCode"], 0);
    let repair = &document["repair"];
    assert_eq!(repair["groupId"], "1");
    let runs = repair["rounds"][0]["runs"].as_array().unwrap();
    assert!(runs.iter().all(|run| run["state"] == "kept"), "{repair:#}");
    assert!(
        runs.iter()
            .any(|run| run["root"] == json!(format!("secret-permissions/file-exposed:{TOKEN}")))
    );

    let said = gateway.flowgate(&["doctor", "undo"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(mode(&gateway, TOKEN), 0o644);
    let after = state(&gateway.path("."));
    assert_eq!(differences(&before, &after), Vec::<String>::new());
    for service in ["litellm", "cliproxyapi_plus"] {
        assert!(gateway.process(service).is_alive());
    }
}

#[test]
fn a_plan_changes_nothing_and_says_what_it_would() {
    let gateway = exposed();
    let before = state(&gateway.path("."));
    let document = gateway.doctor(&["--fix", "--dry-run"]);
    let run = &document["repair"]["rounds"][0]["runs"][0];
    assert_eq!(run["state"], "planned");
    assert_eq!(run["steps"][0]["kind"], "set-mode");
    assert_eq!(document["repair"]["groupId"], json!(null));
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        Vec::<String>::new()
    );
    assert!(!gateway.path(".router/runtime/doctor").exists());
    let text = gateway.flowgate(&["doctor", "--fix", "--dry-run"]);
    assert!(text.out.contains("nothing was changed"), "{}", text.out);
    assert_eq!(text.code, 1);
}
