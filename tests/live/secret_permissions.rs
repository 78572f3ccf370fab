//! Runbook section 3 on real files.

use crate::gateway::{Gateway, finding, roots, token};
use crate::process::set_mode;

#[test]
fn a_readable_token_in_an_open_folder_is_exposed_and_the_fix_is_the_chmod() {
    let gateway = Gateway::running();
    gateway.expose_token();

    let document = gateway.doctor(&[]);

    let key = "secret-permissions/file-exposed:.router/auths/codex-ana@example.com.json";
    assert_eq!(roots(&document), [key]);
    let fix = &finding(&document, key)["fixes"][0];
    assert_eq!(fix["id"], "set-mode");
    assert_eq!(
        fix["commands"][0],
        "chmod 600 .router/auths/codex-ana@example.com.json"
    );
    set_mode(
        &gateway.path(".router/auths/codex-ana@example.com.json"),
        0o600,
    );
    assert_eq!(
        roots(&gateway.doctor(&[])),
        Vec::<String>::new(),
        "typing the fix mends it"
    );
}

#[test]
fn a_closed_folder_protects_a_readable_token() {
    let gateway = Gateway::running();
    gateway.write_token(
        "codex-ana@example.com.json",
        &token("2099-01-01T00:00:00Z"),
        0o644,
    );
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), Vec::<String>::new());
    assert_eq!(document["exitCode"], 0);
}
