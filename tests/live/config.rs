//! A broken or missing config, and folders and machines that are not as they should be.

use serde_json::Value;

use crate::gateway::{FLOWGATE, Gateway, roots, run_in};
use crate::process::write;

fn document(text: &str) -> Value {
    let document = serde_json::from_str(text).unwrap();
    crate::report::validate(&document);
    document
}

#[test]
fn without_a_config_the_doctor_says_what_was_tried_and_exits_1() {
    let empty = tempfile::tempdir().unwrap();
    let said = run_in(empty.path(), &["doctor", "--json"], &[]);
    let document = document(&said.out);
    assert_eq!(said.code, 1);
    assert!(
        roots(&document).contains(&"config/missing:config/flowgate.yaml".to_owned()),
        "{document:#}"
    );
}

#[test]
fn a_broken_config_is_a_finding_for_the_doctor_and_an_end_for_the_others() {
    let gateway = Gateway::new();
    gateway.edit("config/flowgate.yaml", "services:", "services: [");
    let document = gateway.doctor(&[]);
    assert_eq!(document["exitCode"], 1);
    assert_eq!(roots(&document), ["config/invalid:config/flowgate.yaml"]);
    let said = gateway.flowgate(&["config", "check"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.starts_with("Config error: ") && said.err.contains("config/flowgate.yaml:"),
        "{}",
        said.err
    );
}

#[test]
fn a_config_that_is_a_folder_is_unreadable() {
    let gateway = Gateway::new();
    std::fs::remove_file(gateway.path("config/flowgate.yaml")).unwrap();
    std::fs::create_dir(gateway.path("config/flowgate.yaml")).unwrap();
    let said = gateway.flowgate(&["--config", "config/flowgate.yaml", "doctor", "--json"]);
    let document = document(&said.out);
    assert_eq!(roots(&document), ["config/unreadable:config/flowgate.yaml"]);
}

#[test]
fn an_unknown_key_is_a_warning_with_its_line_and_stops_nothing() {
    let mut gateway = Gateway::new();
    gateway.edit(
        "config/flowgate.yaml",
        "config_version: 2",
        "config_version: 2\nservces: {}",
    );
    gateway.start("cliproxyapi_plus");
    gateway.start("litellm");
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), ["config/unknown-key:servces"]);
    assert_eq!(document["exitCode"], 0, "a warning does not fail the run");
    assert_eq!(
        gateway.flowgate(&["doctor", "--fail-on", "warning"]).code,
        1
    );
}

#[test]
fn bad_arguments_are_one_json_document_too() {
    let empty = tempfile::tempdir().unwrap();
    let said = run_in(empty.path(), &["doctor", "--json", "--no-such-option"], &[]);
    assert_eq!(said.code, 2);
    assert!(
        document(&said.out)["error"]["message"]
            .as_str()
            .unwrap()
            .contains("--no-such-option")
    );
    let said = run_in(
        empty.path(),
        &["doctor", "--json", "--from", "nothing.json"],
        &[],
    );
    assert_eq!(said.code, 2);
    assert!(
        document(&said.out)["error"]["message"]
            .as_str()
            .unwrap()
            .contains("nothing.json")
    );
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test runs the program under test"
)]
fn neither_a_missing_home_nor_a_closed_pipe_nor_a_gone_folder_is_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let run = |script: &str| {
        let output = std::process::Command::new("sh")
            .args(["-c", script])
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("FLOWGATE_UNDER_TEST", FLOWGATE)
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!err.contains("panicked"), "{script}: {err}");
        (output.status.code(), err)
    };
    assert_eq!(run("\"$FLOWGATE_UNDER_TEST\" doctor >out").0, Some(1));
    assert_eq!(run("\"$FLOWGATE_UNDER_TEST\" doctor | true").0, Some(0));
    assert_eq!(run("\"$FLOWGATE_UNDER_TEST\" doctor >&-").0, Some(1));
    let (code, err) = run("\"$FLOWGATE_UNDER_TEST\" doctor >/dev/full");
    assert!(code == Some(1) && err.contains("failed to write"), "{err}");
    let (code, err) =
        run("mkdir gone && cd gone && rmdir ../gone && \"$FLOWGATE_UNDER_TEST\" doctor");
    assert!(code == Some(2) && err.contains("folder"), "{code:?} {err}");
}

#[test]
fn a_bundle_gives_the_same_findings_as_the_look_itself() {
    let mut gateway = Gateway::running();
    gateway.process("litellm").kill();
    let live = gateway.doctor(&["--bundle", "look.json.gz"]);
    let again = gateway.doctor(&["--from", "look.json.gz"]);
    for part in [
        "findings", "chain", "checks", "unknowns", "summary", "exitCode",
    ] {
        assert_eq!(live[part], again[part], "{part}");
    }
    let said = gateway.flowgate(&["doctor", "--bundle", "look.json.gz"]);
    assert_eq!(said.code, 2, "an existing file is not overwritten");
    write(&gateway.path("bad.json"), "{\"schemaVersion\": 1", 0o600);
    let said = gateway.flowgate(&["doctor", "--from", "bad.json"]);
    assert!(
        said.code == 2 && said.err.contains("line 1"),
        "{}",
        said.err
    );
}
