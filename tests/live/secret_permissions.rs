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

#[test]
fn a_log_counts_when_a_key_stands_in_it_and_an_env_file_always() {
    let gateway = Gateway::new();
    let log = gateway.path(".router/runtime/process-logs/litellm.log");
    crate::process::write(&log, "refused the key of somebody\n", 0o644);
    crate::process::write(&gateway.path("litellm.env"), "A_KEY=sk-env-0001\n", 0o644);
    gateway.edit(
        "config/flowgate.yaml",
        "    readiness_path: /health/readiness",
        "    readiness_path: /health/readiness\n    env_file: ../litellm.env",
    );
    let exposed = |gateway: &Gateway| {
        let mut keys = roots(&gateway.doctor(&[]));
        keys.retain(|key| key.starts_with("secret-permissions/"));
        keys
    };
    assert_eq!(
        exposed(&gateway),
        ["secret-permissions/file-exposed:litellm.env"]
    );
    let text = format!("refused {}\n", crate::gateway::UPSTREAM_KEY);
    crate::process::write(&log, &text, 0o644);
    let of_log = "secret-permissions/file-exposed:.router/runtime/process-logs/litellm.log";
    assert_eq!(
        exposed(&gateway),
        [of_log, "secret-permissions/file-exposed:litellm.env"]
    );
    let said = gateway.flowgate(&["status"]);
    assert!(
        said.out.contains("secret_permission_issues=2\n"),
        "{}",
        said.out
    );
    let document = gateway.doctor(&["--fix=safe"]);
    assert!(exposed(&gateway).is_empty(), "{:#}", document["repair"]);
    let said = gateway.flowgate(&["auth", "status"]);
    assert!(
        said.out.contains("secret_permission_issues=0\n"),
        "{}",
        said.out
    );
}

/// A list that gives uid 1001 the right to read, as `setfacl -m u:1001:r` writes it.
fn give_to_another(path: &std::path::Path) -> bool {
    let entries: [(u16, u16, u32); 5] = [
        (0x01, 6, u32::MAX),
        (0x02, 5, 1001),
        (0x04, 0, u32::MAX),
        (0x10, 5, u32::MAX),
        (0x20, 0, u32::MAX),
    ];
    let mut bytes = 2u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(permissions.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    let name = "system.posix_acl_access";
    let flags = rustix::fs::XattrFlags::empty();
    match rustix::fs::setxattr(path, name, &bytes, flags) {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(
                error,
                rustix::io::Errno::OPNOTSUPP,
                "lists are not known here"
            );
            false
        }
    }
}

#[test]
fn an_access_control_list_gives_a_token_away_and_is_not_closed_without_asking() {
    let gateway = Gateway::running();
    let token = gateway.path(".router/auths/codex-ana@example.com.json");
    if !give_to_another(&token) {
        return;
    }
    let key = "secret-permissions/file-exposed:.router/auths/codex-ana@example.com.json";
    assert!(
        !roots(&gateway.doctor(&[])).contains(&key.to_owned()),
        "its folder is closed"
    );
    assert!(give_to_another(&gateway.path(".router/auths")));
    let document = gateway.doctor(&["--fix=safe"]);
    assert!(roots(&document).contains(&key.to_owned()), "{document:#}");
    let fix = &finding(&document, key)["fixes"][0];
    assert_eq!(fix["safety"], "unsafe");
    gateway.doctor(&[
        &format!("--fix=set-mode:{}", key.split_once(':').unwrap().1),
        "--yes",
    ]);
    assert!(!roots(&gateway.doctor(&[])).contains(&key.to_owned()));
}

#[test]
fn no_fix_follows_a_link() {
    let gateway = Gateway::running();
    let far = gateway.path("far/token.json");
    crate::process::write(&far, &token("2099-01-01T00:00:00Z"), 0o644);
    let link = gateway.path(".router/auths/codex-link.json");
    std::os::unix::fs::symlink(&far, &link).unwrap();
    for mode in [
        "--fix=safe",
        "--fix=all",
        "--fix=set-mode:.router/auths/codex-link.json",
    ] {
        let document = gateway.doctor(&[mode, "--yes"]);
        let key = "secret-permissions/file-exposed:.router/auths/codex-link.json";
        assert_eq!(finding(&document, key)["fixes"][0]["safety"], "manual");
    }
    let facts = std::fs::metadata(&far).unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&facts.permissions()) & 0o777,
        0o644
    );
    assert!(link.symlink_metadata().unwrap().is_symlink());
}
