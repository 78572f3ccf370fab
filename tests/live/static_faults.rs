//! Faults that files alone show, whatever runs.

use crate::gateway::{Gateway, effects, finding, roots};
use crate::process::{set_mode, write};

const PROXY: &str = ".router/runtime/bin/CLIProxyAPIPlus";

#[test]
fn a_word_and_an_older_key_of_flowgate_yaml_are_told_and_stop_nothing() {
    let gateway = Gateway::new();
    gateway.edit(
        "config/flowgate.yaml",
        "    readiness_path: /\n",
        "    health_path: /\n    enabled: yes\n",
    );

    let document = gateway.doctor(&["--expect", "any"]);

    assert_eq!(
        roots(&document),
        ["config/ambiguous-scalar:services.cliproxyapi_plus.enabled"]
    );
    let old = finding(
        &document,
        "config/legacy-key:services.cliproxyapi_plus.health_path",
    );
    assert_eq!(old["severity"], "info");
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the program of a test is a binary, which no writer of text makes"
)]
fn a_program_whose_loader_is_gone_is_told_from_one_that_is_not_there() {
    let mut gateway = Gateway::new();
    gateway.start("litellm");
    // The loader's name in the program is replaced by one of the same length.
    let mut bytes = std::fs::read("/bin/sleep").unwrap();
    let name = b"/lib64/ld-linux-x86-64.so.2";
    let Some(at) = bytes.windows(name.len()).position(|part| part == name) else {
        // A system with another loader.
        return;
    };
    bytes[at..at + name.len()].copy_from_slice(b"/lib64/ld-musl-gone-64.so.2");
    let program = gateway.path(PROXY);
    std::fs::remove_file(&program).unwrap();
    std::fs::write(&program, &bytes).unwrap();
    set_mode(&program, 0o755);

    let document = gateway.doctor(&["--expect", "serving"]);

    assert_eq!(
        roots(&document),
        ["missing-binaries/loader-missing:cliproxyapi_plus"]
    );
    assert_eq!(
        effects(&document),
        ["readiness/not-running:cliproxyapi_plus"]
    );
}

#[test]
fn a_malicious_release_in_the_environment_of_litellm_is_told() {
    let gateway = Gateway::new();
    let venv = gateway.path(".router/runtime/venv");
    let site = venv.join("lib/python3.11/site-packages");
    write(
        &site.join("litellm-1.82.8.dist-info/METADATA"),
        "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n",
        0o644,
    );
    write(&site.join("litellm/__init__.py"), "", 0o644);
    let system = ["/usr/bin/python3", "/usr/local/bin/python3"]
        .into_iter()
        .map(std::path::Path::new)
        .find(|path| path.exists())
        .unwrap();
    let home = system.parent().unwrap().display();
    write(
        &venv.join("pyvenv.cfg"),
        &format!("home = {home}\nversion = 3.11.2\n"),
        0o644,
    );
    std::fs::create_dir_all(venv.join("bin")).unwrap();
    std::os::unix::fs::symlink(system, venv.join("bin/python")).unwrap();
    let script = gateway.path(".router/runtime/bin/litellm");
    std::fs::remove_file(&script).unwrap();
    write(
        &script,
        &format!("#!{}\n", venv.join("bin/python").display()),
        0o755,
    );

    let document = gateway.doctor(&["--expect", "any"]);

    let found = finding(&document, "missing-binaries/known-bad-version:litellm");
    assert_eq!(found["severity"], "error", "{found:#}");
}

#[test]
fn dumps_beside_the_config_are_told_until_their_folder_is_closed() {
    let gateway = Gateway::running();
    let dump = gateway.path("config/logs/error-v1-chat-completions-2026-11-24T100000-1.log");
    write(&dump, "a prompt\n", 0o644);
    set_mode(dump.parent().unwrap(), 0o755);
    let key = "secret-permissions/prompts-in-dumps:config/logs";
    let document = gateway.doctor(&[]);
    let fix = &finding(&document, key)["fixes"][0];
    assert_eq!(fix["safety"], "safe", "{fix:#}");
    assert_eq!(fix["commands"][0], "chmod 700 config/logs");

    set_mode(dump.parent().unwrap(), 0o700);
    assert!(!gateway.doctor(&[]).to_string().contains(key));
}

#[test]
fn a_token_that_is_a_link_to_nothing_explains_that_nobody_is_logged_in() {
    let gateway = Gateway::running();
    let token = gateway.path(".router/auths/codex-ana@example.com.json");
    std::fs::remove_file(&token).unwrap();
    std::os::unix::fs::symlink(gateway.path("vault/gone.json"), &token).unwrap();

    let document = gateway.doctor(&[]);

    assert_eq!(
        roots(&document),
        ["secret-permissions/symlink:.router/auths/codex-ana@example.com.json"]
    );
    assert!(
        effects(&document).contains(&"oauth-login/no-credential:codex".to_owned()),
        "{document:#}"
    );
}
