use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use super::*;
use crate::config::document::{Document, Rules};
use crate::config::section::Base;
use crate::sys::read;

const CONFIG: &str = "\
paths: {runtime_dir: r, active_config: r/active.yaml, state_file: r/state.json, log_file: r/e.log}
services:
  litellm: {command: {args: [litellm]}}
  cliproxyapi_plus: {command: {args: [proxy]}}
credentials:
  upstream: {shell: {env: UPSTREAM}, disk: {file: key}}
litellm_base:
  model_list:
    - model_name: a
      litellm_params: {model: openai/a, api_key_ref: shell}
profiles:
  balanced: {litellm_settings: {drop: yes, at: '12:30'}}
  disk:
    model_list: [{model_name: a, litellm_params: {api_key_ref: disk}}]
  other:
    model_list: [{model_name: a, litellm_params: {api_key_ref: turbo}}]
";

fn read_config(folder: &Path) -> FlowgateConfig {
    let document = Document::parse(CONFIG, Rules::default()).unwrap();
    let base = Base {
        folder: folder.to_owned(),
        home: None,
    };
    FlowgateConfig::read(&document, &base, &mut Vec::new()).unwrap_or_else(|fault| {
        panic!("{}", fault.message);
    })
}

fn set(folder: &Path, profile: &str) -> Result<ConfigPaths, ActivateError> {
    let config = read_config(folder);
    let now = "2026-02-17T03:26:54.123456Z".parse().unwrap();
    render(&config, "config/flowgate.yaml", profile)?
        .write(&config.paths, &Fingerprinter::fixed([1; 32]), now)
        .unwrap();
    Ok(config.paths)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&read::whole(path, 1 << 20).unwrap()).unwrap()
}

#[test]
fn the_active_config_is_closed_json_and_the_state_names_its_source() {
    let folder = tempfile::tempdir().unwrap();
    let done = set(folder.path(), "balanced").unwrap();
    assert_eq!(
        json(&done.active_config),
        json!({
            "litellm_settings": {"at": "12:30", "drop": true},
            "model_list": [{"litellm_params": {"api_key": "os.environ/UPSTREAM", "model": "openai/a"}, "model_name": "a"}],
        })
    );
    let mode = std::fs::metadata(&done.active_config)
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
    let state = json(&done.state_file);
    assert_eq!(state["current_profile"], "balanced");
    assert_eq!(state["updated_at"], "2026-02-17T03:26:54.123456+00:00");
    assert_eq!(state["source"], "config/flowgate.yaml");
    let text = read::whole(&done.active_config, 1 << 20).unwrap();
    let digest = Fingerprinter::fixed([1; 32]).of(&String::from_utf8(text).unwrap());
    assert_eq!(state["digest"], digest.as_str());
    assert_eq!(
        profiles::current(&done.state_file),
        Ok(Some("balanced".into()))
    );
}

#[test]
fn what_cannot_be_rendered_is_refused_with_its_place_and_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (profile, sentence) in [
        (
            "turbo",
            "Unknown profile: turbo; known: balanced, disk, other",
        ),
        (
            "disk",
            "Config error: config/flowgate.yaml:14:64: api_key_ref disk is a key in a file, which would stand in clear in the active config; give credentials.upstream.disk an env instead",
        ),
        (
            "other",
            "Config error: config/flowgate.yaml:16:64: unknown api_key_ref turbo; credentials.upstream has disk, shell",
        ),
    ] {
        assert_eq!(
            set(folder.path(), profile).err().unwrap().to_string(),
            sentence
        );
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn when_one_file_cannot_be_written_the_other_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    set(folder.path(), "balanced").unwrap();
    let active = read::whole(&folder.path().join("r/active.yaml"), 1 << 20).unwrap();
    std::fs::remove_file(folder.path().join("r/state.json")).unwrap();
    std::fs::create_dir(folder.path().join("r/state.json")).unwrap();
    let mut config = read_config(folder.path());
    config.litellm_base = None;
    let error = render(&config, "config/flowgate.yaml", "balanced")
        .unwrap()
        .write(
            &config.paths,
            &Fingerprinter::random(),
            Timestamp::UNIX_EPOCH,
        )
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("state.json: it is not a regular file"),
        "{error}"
    );
    assert_eq!(
        read::whole(&folder.path().join("r/active.yaml"), 1 << 20).unwrap(),
        active
    );
    assert_eq!(
        std::fs::read_dir(folder.path().join("r")).unwrap().count(),
        2
    );
}
