//! `flowgate key show`: the one command whose output is a secret.

use crate::gateway::{Gateway, run_in};
use crate::process::{read, write};

#[test]
fn each_key_is_shown_by_its_name_alone() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run_in(folder.path(), &["init"], &[]).code, 0);
    for (name, file) in [
        ("litellm", "litellm-master.key"),
        ("upstream", "upstream.key"),
        ("management", "management.key"),
    ] {
        let said = run_in(folder.path(), &["key", "show", name], &[]);
        let kept = read(&folder.path().join(".router/secrets").join(file));
        assert_eq!((said.code, said.out), (0, format!("{kept}\n")));
        assert_eq!(said.err, "", "the hint is for a terminal");
    }
    let said = run_in(folder.path(), &["key", "show"], &[]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    let said = run_in(folder.path(), &["key", "show", "fingerprint"], &[]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
}

#[test]
fn without_a_kept_key_the_one_of_the_configs_is_shown() {
    let gateway = Gateway::new();
    let show = |name: &str, env: &[(&str, &str)]| {
        let said = run_in(&gateway.path("."), &["key", "show", name], env);
        (said.code, said.out.trim_end().to_owned())
    };
    write(
        &gateway.path("config/cliproxyapi.yaml"),
        "port: 8317\napi-keys: [sk-shown-0001]\n",
        0o600,
    );
    assert_eq!(show("upstream", &[]), (0, "sk-shown-0001".into()));
    write(
        &gateway.path(".router/runtime/litellm.active.yaml"),
        r#"{"general_settings": {"master_key": "os.environ/A_KEY"}}"#,
        0o600,
    );
    let shell = [("A_KEY", "sk-shown-0002")];
    assert_eq!(show("litellm", &shell), (0, "sk-shown-0002".into()));
    write(&gateway.path("litellm.env"), "A_KEY=sk-shown-0003\n", 0o600);
    gateway.edit(
        "config/flowgate.yaml",
        "    readiness_path: /health/readiness",
        "    readiness_path: /health/readiness\n    env_file: ../litellm.env",
    );
    assert_eq!(show("litellm", &shell), (0, "sk-shown-0003".into()));
}

#[test]
fn a_key_that_is_nowhere_is_one_sentence() {
    let gateway = Gateway::new();
    std::fs::remove_file(gateway.path(".router/secrets/management.key")).unwrap();
    let said = gateway.flowgate(&["key", "show", "management"]);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(
        said.err.starts_with(
            "flowgate: failed to show the management key: there is no .router/secrets/management.key"
        ),
        "{}",
        said.err
    );
    write(
        &gateway.path(".router/secrets/management.key"),
        "two words\n",
        0o600,
    );
    let said = gateway.flowgate(&["key", "show", "management"]);
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains("it holds no key") && !said.err.contains("two words"),
        "{}",
        said.err
    );
}
