//! What no recording tells and all of them share: flowgate.yaml, the machine, flowgate's own files,
//! and the folders that nobody listed.

use std::path::{Path, PathBuf};

use flowgate::config::command::{config_argument, host_argument, port_argument};
use flowgate::sys::users::Users;
use flowgate_checks::model::{Host, Observed, Space, User};

use crate::cases::Case;
use crate::recording::{Listing, ROOT, Recording, Row};

/// The key of the management API that flowgate keeps.
pub const MANAGEMENT_KEY: &str = "lab-mgmt-secret-0001";

/// The boot in which everything runs.
pub const BOOT: &str = "0b1f2f1e-6f0e-4f0e-9d1e-8d5a3c1b7e44";

/// The active config of LiteLLM where a case did not start it.
const ACTIVE_CONFIG: &str = "config/litellm.yaml";

/// The config that was never rendered, where a recording has none.
const NEVER_RENDERED: &str = "\
model_list:
  - model_name: gpt-5-codex
    litellm_params:
      model: openai/gpt-5-codex
      api_base: http://127.0.0.1:8317/v1
      api_key: sk-lab-upstream-0001
general_settings:
  master_key: sk-lab-master-0001
";

/// flowgate.yaml of a case: its two services with the arguments of the recording, one profile, one
/// login. `own` is the address that the config of CLIProxyAPIPlus names.
pub fn flowgate_yaml(recording: &Recording, case: &Case, own: (&str, u16)) -> String {
    let litellm = recording.last_run("litellm");
    let (host, port) = own;
    let login = &case.login;
    let active = active_config(recording);
    let base = recording.text(&active).unwrap_or(NEVER_RENDERED.into());
    let url_host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.into()
    };
    let mut text = format!(
        "config_version: 2\n\
         paths:\n  \
           runtime_dir: ../.router/runtime\n  \
           active_config: ../{active}\n  \
           state_file: ../.router/runtime/state.json\n  \
           log_file: ../.router/runtime/events.log\n\
         services:\n"
    );
    let args = litellm
        .map(|run| run.argv.clone())
        .unwrap_or_else(litellm_arguments);
    text += &service(
        "litellm",
        litellm.is_some(),
        (host_argument(&args).unwrap(), port_argument(&args).unwrap()),
        "/health/readiness",
        &args,
    );
    text += &service(
        "cliproxyapi_plus",
        true,
        (host, &port.to_string()),
        "/",
        &recording.last_run("cliproxyapi_plus").unwrap().argv,
    );
    text += &format!("litellm_base:\n{}", indented(&base, 2));
    text += "profiles:\n  lab: {}\n";
    text += &format!(
        "auth:\n  providers:\n    {}:\n      method: oauth_poll\n      \
         auth_url_endpoint: http://{url_host}:{port}{}\n      \
         status_endpoint: http://{url_host}:{port}{}\n",
        login.provider, login.auth_url, login.status
    );
    text
}

fn service(
    name: &str,
    enabled: bool,
    at: (&str, &str),
    readiness: &str,
    args: &[String],
) -> String {
    let (host, port) = at;
    let enabled = if enabled { "" } else { "    enabled: false\n" };
    let mut text = format!(
        "  {name}:\n{enabled}    host: \"{host}\"\n    port: {port}\n    \
         readiness_path: {readiness}\n    command:\n      cwd: ..\n      args:\n"
    );
    for arg in args {
        text += &format!("        - \"{arg}\"\n");
    }
    text
}

fn litellm_arguments() -> Vec<String> {
    let program = format!("{ROOT}/.router/runtime/bin/litellm");
    let config = format!("{ROOT}/{ACTIVE_CONFIG}");
    [
        &program,
        "--config",
        &config,
        "--host",
        "127.0.0.1",
        "--port",
        "4000",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// The active config of LiteLLM, relative to the root.
pub fn active_config(recording: &Recording) -> String {
    recording
        .last_run("litellm")
        .and_then(|run| config_argument(&run.argv))
        .and_then(|path| path.strip_prefix(&format!("{ROOT}/")))
        .unwrap_or(ACTIVE_CONFIG)
        .to_owned()
}

fn indented(text: &str, by: usize) -> String {
    text.lines()
        .map(|line| format!("{:by$}{line}\n", ""))
        .collect()
}

/// Adds the folders that nobody listed (0755) and flowgate's own files.
pub fn complete(listing: &mut Listing, has_client_key: bool) {
    let gw = Path::new(ROOT);
    let sample = listing.row(&gw.join("config")).unwrap().clone();
    let folder = |mode, uid| Row {
        kind: 'd',
        mode,
        uid,
        gid: uid,
        ..sample.clone()
    };
    for (path, uid) in [("/", 0), ("/home", 0), ("/home/dev", 1000), (ROOT, 1000)] {
        listing.add(PathBuf::from(path), folder(0o755, uid));
    }
    for name in [".router", ".router/runtime", ".venv"] {
        listing.add(gw.join(name), folder(0o755, 1000));
    }
    for name in [".router/secrets", ".router/runtime/supervisor"] {
        listing.add(gw.join(name), folder(0o700, 1000));
    }
    let file = Row {
        kind: '-',
        mode: 0o600,
        ..sample.clone()
    };
    listing.add(gw.join("config/flowgate.yaml"), file.clone());
    listing.add(gw.join(".router/secrets/management.key"), file.clone());
    if has_client_key {
        listing.add(gw.join(".router/secrets/litellm-master.key"), file);
    }
}

/// The users of the machine.
pub fn users() -> Users {
    Users::parse(
        "root:x:0:0::/root:/bin/sh\ndev:x:1000:1000::/home/dev:/bin/sh\n",
        "root:x:0:\ndev:x:1000:\n",
    )
}

/// The machine.
pub fn host() -> Host {
    Host {
        starts_at_login: Observed::NotAsked,
        os: "linux".into(),
        distribution: None,
        arch: "x86_64".into(),
        kernel: "6.1.0".into(),
        boot_id: BOOT.into(),
        user: User {
            uid: 1000,
            gid: 1000,
            name: "dev".into(),
        },
        container: false,
        home: Some("/home/dev".into()),
        runtime_space: Observed::Known(Space {
            free_bytes: 40 << 30,
            free_inodes: 5_000_000,
            total_inodes: 6_000_000,
        }),
        python: Some("/opt/python/bin/python3.11".into()),
        uv: None,
    }
}
