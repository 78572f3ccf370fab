//! `flowgate init`: what it writes, with which modes, and what it leaves alone.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::gateway::{
    FLOWGATE, Gateway, MASTER_KEY, Said, UPSTREAM_KEY, is_listening, roots, run_in,
};
use crate::process::{read, set_mode, wait_for, write};

const SECRETS: [&str; 5] = [
    "fingerprint.key",
    "management.key",
    "upstream.key",
    "litellm-master.key",
    "litellm.env",
];

fn init(folder: &Path) -> Said {
    let said = run_in(folder, &["init"], &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    let keys = keys_of(folder);
    assert_says_none(&said, &keys);
    said
}

fn keys_of(folder: &Path) -> Vec<String> {
    let secrets = folder.join(".router/secrets");
    let keys = SECRETS.iter().map(|name| read(&secrets.join(name)));
    keys.filter(|key| !key.is_empty()).collect()
}

fn assert_says_none(said: &Said, keys: &[String]) {
    for key in keys.iter().flat_map(|key| key.lines()) {
        let key = key.split_once('=').map_or(key, |(_, key)| key);
        assert!(
            !said.out.contains(key) && !said.err.contains(key),
            "a key is in the output: {}{}",
            said.out,
            said.err
        );
    }
}

/// Every file and folder below, with its mode and text.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (u32, String)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = std::fs::symlink_metadata(&path)
            .unwrap()
            .permissions()
            .mode()
            & 0o7777;
        if path.is_dir() {
            found.extend(everything(&path));
        }
        found.insert(path.clone(), (mode, read(&path)));
    }
    found
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test runs the program under test"
)]
fn init_with_umask(folder: &Path, umask: &str) {
    let output = std::process::Command::new("sh")
        .args([
            "-c",
            "umask \"$1\" && exec \"$2\" init",
            "sh",
            umask,
            FLOWGATE,
        ])
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_new_gateway_lacks_only_its_programs_and_a_login() {
    // What runs for another gateway of this machine says nothing of this one.
    let _other = crate::gateway::Gateway::running();
    let folder = tempfile::tempdir().unwrap();
    init(folder.path());
    let said = run_in(folder.path(), &["config", "check"], &[]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "config/flowgate.yaml: ok, 2 services, 3 profiles\n")
    );
    let said = run_in(folder.path(), &["doctor", "--json"], &[]);
    assert_says_none(&said, &keys_of(folder.path()));
    let document: Value = serde_json::from_str(&said.out).unwrap();
    crate::report::validate(&document);
    let lacks: Vec<String> = roots(&document)
        .into_iter()
        // Somebody on this machine may hold the usual ports.
        .filter(|key| !key.starts_with("port-conflict/"))
        .collect();
    assert_eq!(
        lacks,
        [
            "missing-binaries/not-found:cliproxyapi_plus",
            "missing-binaries/not-found:litellm"
        ],
        "{document:#}"
    );
    let logins = crate::gateway::effects(&document);
    assert!(
        logins.contains(&"oauth-login/no-credential:codex".to_owned()),
        "{logins:?}"
    );
}

#[test]
fn the_keys_of_the_hops_are_the_same_on_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    init(folder.path());
    let secret = |name: &str| read(&folder.path().join(".router/secrets").join(name));
    let (upstream, master) = (secret("upstream.key"), secret("litellm-master.key"));
    assert_ne!(upstream, master);
    for key in [&upstream, &master] {
        assert!(key.starts_with("sk-") && key.len() > 40);
    }
    let fingerprint = secret("fingerprint.key");
    assert!(fingerprint.len() == 64 && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let proxy = read(&folder.path().join("config/cliproxyapi.yaml"));
    assert!(proxy.contains(&upstream) && !proxy.contains("your-api-key"));
    assert_eq!(
        secret("litellm.env"),
        format!("ROUTER_UPSTREAM_API_KEY={upstream}\nLITELLM_MASTER_KEY={master}\n")
    );
    for open in [
        "config/flowgate.yaml",
        ".router/runtime/litellm.active.yaml",
    ] {
        let text = read(&folder.path().join(open));
        assert!(!text.is_empty() && !text.contains(&upstream) && !text.contains(&master));
    }
    let active: Value = serde_json::from_str(&read(
        &folder.path().join(".router/runtime/litellm.active.yaml"),
    ))
    .unwrap();
    assert_eq!(active["litellm_settings"]["num_retries"], 2, "balanced");
}

#[test]
fn a_second_call_changes_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let first = init(folder.path());
    assert!(first.out.lines().all(|line| line.starts_with("wrote=")));
    let before = everything(folder.path());
    let second = init(folder.path());
    assert!(
        second.out.lines().all(|line| line.starts_with("kept=")),
        "{}",
        second.out
    );
    assert_eq!(
        first.out.replace("wrote=", ""),
        second.out.replace("kept=", "")
    );
    assert_eq!(everything(folder.path()), before);
}

#[test]
fn what_was_cut_short_is_finished_with_the_same_keys() {
    let folder = tempfile::tempdir().unwrap();
    init(folder.path());
    let before = everything(folder.path());
    for gone in [
        "config/cliproxyapi.yaml",
        ".router/secrets/upstream.key",
        ".router/secrets/litellm-master.key",
    ] {
        std::fs::remove_file(folder.path().join(gone)).unwrap();
    }
    let said = init(folder.path());
    assert_eq!(said.out.matches("wrote=").count(), 3, "{}", said.out);
    assert_eq!(everything(folder.path()), before);
}

#[test]
fn no_umask_opens_or_closes_a_file() {
    let mut seen = Vec::new();
    for umask in ["0", "077", "022"] {
        let folder = tempfile::tempdir().unwrap();
        init_with_umask(folder.path(), umask);
        let modes: BTreeMap<String, u32> = everything(folder.path())
            .into_iter()
            .map(|(path, (mode, _))| {
                let below = path.strip_prefix(folder.path()).unwrap();
                (below.display().to_string(), mode)
            })
            .collect();
        for secret in SECRETS {
            assert_eq!(modes[&format!(".router/secrets/{secret}")], 0o600);
        }
        for (path, mode) in [
            (".router/secrets", 0o700),
            (".router/auths", 0o700),
            (".router/runtime", 0o755),
            (".router/runtime/litellm.active.yaml", 0o600),
            ("config", 0o755),
            ("config/cliproxyapi.yaml", 0o600),
            ("config/flowgate.yaml", 0o644),
            (".gitignore", 0o644),
        ] {
            assert_eq!(modes[path], mode, "{path} under umask {umask}");
        }
        seen.push(modes);
    }
    assert!(seen.iter().all(|modes| *modes == seen[0]));
}

#[test]
fn a_config_of_the_users_own_is_kept_and_gets_no_keys_beside_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let own = "\
paths: {runtime_dir: ../run/time, active_config: ../run/time/active.yaml, state_file: ../run/time/state.json, log_file: ../run/time/events.log}
services:
  litellm: {port: 4000, command: {args: [litellm]}}
  cliproxyapi_plus: {port: 8317, command: {cwd: .., args: [proxy, -config, own.yaml]}}
litellm_base: {general_settings: {master_key: os.environ/MINE}}
profiles: {zeta: {a: 1}, alpha: {a: 2}}
";
    write(&folder.path().join("config/flowgate.yaml"), own, 0o640);
    write(&folder.path().join(".gitignore"), "target\nrun", 0o644);
    let said = init(folder.path());
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(
        lines,
        [
            "kept=config/flowgate.yaml",
            "wrote=run/secrets/fingerprint.key",
            "wrote=.gitignore",
            "wrote=run/time/active.yaml",
            "wrote=run/time/state.json",
        ]
    );
    assert_eq!(read(&folder.path().join("config/flowgate.yaml")), own);
    assert_eq!(
        read(&folder.path().join(".gitignore")),
        "target\nrun\nown.yaml\n"
    );
    let active: Value =
        serde_json::from_str(&read(&folder.path().join("run/time/active.yaml"))).unwrap();
    assert_eq!(active["a"], 2, "without balanced the first profile");
    let said = run_in(folder.path(), &["config", "check"], &[]);
    assert_eq!(said.code, 0, "{}", said.err);
}

#[test]
fn a_key_that_cliproxyapi_already_lets_in_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let own = "host: 127.0.0.1\nport: 8317\napi-keys: [your-api-key-1, mine-0001-long]\n";
    write(&folder.path().join("config/cliproxyapi.yaml"), own, 0o600);
    let said = init(folder.path());
    assert!(
        said.out.contains("kept=config/cliproxyapi.yaml\n"),
        "{}",
        said.out
    );
    assert_eq!(read(&folder.path().join("config/cliproxyapi.yaml")), own);
    let upstream = read(&folder.path().join(".router/secrets/upstream.key"));
    assert_eq!(upstream, "mine-0001-long");
}

#[test]
fn a_kept_cliproxyapi_that_lets_litellm_not_in_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let own = "port: 8317\napi-keys: [your-api-key-1]\n";
    write(&folder.path().join("config/cliproxyapi.yaml"), own, 0o600);
    let said = init(folder.path());
    assert!(
        said.err
            .contains("config/cliproxyapi.yaml does not let LiteLLM in"),
        "{}",
        said.err
    );
}

#[test]
fn a_broken_config_stops_it_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("config/flowgate.yaml"),
        "services: [",
        0o644,
    );
    let before = everything(folder.path());
    let said = run_in(folder.path(), &["init"], &[]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(
        said.err
            .starts_with("Config error: config/flowgate.yaml:1:"),
        "{}",
        said.err
    );
    assert_eq!(everything(folder.path()), before);
}

#[test]
fn a_named_config_outside_a_config_folder_keeps_to_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = folder.path().join("gw");
    let said = run_in(
        folder.path(),
        &["--config", "gw/flowgate.yaml", "init"],
        &[],
    );
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    for path in [
        "flowgate.yaml",
        "cliproxyapi.yaml",
        ".router/secrets/litellm.env",
    ] {
        assert!(gateway.join(path).is_file(), "{path}");
    }
    let said = run_in(&gateway, &["doctor", "--json"], &[]);
    let document: Value = serde_json::from_str(&said.out).unwrap();
    assert!(
        roots(&document)
            .iter()
            .all(|key| key.starts_with("missing-binaries/") || key.starts_with("port-conflict/")),
        "{:?}",
        roots(&document)
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    set_mode(folder.path(), 0o755);
    // Not even root makes files there.
    let said = run_in(
        folder.path(),
        &["--config", "/proc/nowhere/flowgate.yaml", "init"],
        &[],
    );
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(
        said.err
            .starts_with("flowgate: failed to write /proc/nowhere"),
        "{}",
        said.err
    );
    assert_eq!(said.err.lines().count(), 1, "{}", said.err);
}

#[test]
fn a_folder_below_another_gateway_gets_its_own_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path().canonicalize().unwrap();
    init(&top);
    let above = everything(&top);
    let below = top.join("below");
    std::fs::create_dir(&below).unwrap();
    let said = init(&below);
    let line = format!(
        "here {} is used from now on, and {} no more\n",
        below.join("config/flowgate.yaml").display(),
        top.join("config/flowgate.yaml").display()
    );
    assert!(said.err.starts_with(&line), "{}", said.err);
    assert!(!init(&below).err.contains("used from now on"));
    let now = everything(&top);
    assert!(above.iter().all(|(path, before)| now[path] == *before));
}

#[test]
fn several_at_once_end_with_one_set_of_keys() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| init(folder.path()));
        }
    });
    let upstream = read(&folder.path().join(".router/secrets/upstream.key"));
    for path in ["config/cliproxyapi.yaml", ".router/secrets/litellm.env"] {
        assert!(
            read(&folder.path().join(path)).contains(&upstream),
            "{path}"
        );
    }
    let ignored = read(&folder.path().join(".gitignore"));
    assert_eq!(ignored, ".router/\nconfig/cliproxyapi.yaml\n");
    let left = everything(folder.path());
    assert!(
        left.keys()
            .all(|path| !path.display().to_string().ends_with(".tmp"))
    );
}

#[test]
fn keys_that_litellm_has_from_its_variables_are_proven_while_it_runs() {
    let mut gateway = Gateway::new();
    let base = format!("http://127.0.0.1:{}/v1", gateway.proxy);
    write(
        &gateway.path(".router/runtime/litellm.active.yaml"),
        &json!({
            "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
            "model_list": [{
                "litellm_params": {
                    "api_base": base,
                    "api_key": "os.environ/ROUTER_UPSTREAM_API_KEY",
                    "model": "openai/gpt-5",
                },
                "model_name": "router-default",
            }],
        })
        .to_string(),
        0o600,
    );
    gateway.start("cliproxyapi_plus");
    gateway.spawn(
        "litellm",
        &[
            ("ROUTER_UPSTREAM_API_KEY", UPSTREAM_KEY.to_owned()),
            ("LITELLM_MASTER_KEY", MASTER_KEY.to_owned()),
        ],
    );
    let port = gateway.litellm;
    wait_for("litellm to listen", || is_listening(port));
    let document = gateway.doctor(&["--check", "readiness"]);
    assert_eq!(roots(&document), [] as [&str; 0], "{document:#}");
    assert_eq!(document["unknowns"], json!([]), "{document:#}");
    assert_eq!(document["exitCode"], 0);
}
