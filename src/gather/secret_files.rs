//! Which files and directories are looked at for their permissions.

use std::path::PathBuf;

use flowgate_checks::model::{AuthDirRole, FileRole, ServiceKind};

use super::configs::{Wave0, holds_secret};
use super::context::Context;
use super::files::{self, LogPlace, WantedFile};
use crate::config::auth_dir;

/// The configs, the auth dirs with their tokens, flowgate's own secrets, and the directories that
/// protect them.
pub fn wanted(wave: &Wave0, auth_dirs: &[PathBuf], context: &Context) -> Vec<WantedFile> {
    let mut wanted = Vec::new();
    let mut want = |path: PathBuf, role, holds_secret| {
        wanted.push(WantedFile {
            path,
            role,
            holds_secret,
        })
    };
    for path in &wave.paths {
        let shown = context.show(path);
        let secret = [
            &wave.configs.flowgate,
            &wave.configs.litellm,
            &wave.configs.cliproxyapi,
        ]
        .into_iter()
        .any(|file| file.path == shown && holds_secret(file));
        want(path.clone(), FileRole::Config, secret);
        if let Some(folder) = path.parent() {
            want(folder.to_owned(), FileRole::ConfigDir, false);
        }
    }
    for dir in auth_dirs {
        want(dir.clone(), FileRole::AuthDir, false);
        for path in files::token_files(dir)
            .map(|found| found.paths)
            .unwrap_or_default()
        {
            want(path, FileRole::Token, true);
        }
    }
    if let (Some(config), Some(service)) =
        (&wave.cliproxyapi, wave.service(ServiceKind::Cliproxyapi))
        && config.logging_to_file
    {
        let cwd = service.cwd.as_deref().unwrap_or(&context.cwd);
        want(cwd.join("logs"), FileRole::LogDir, false);
    }
    // CLIProxyAPIPlus beside its config, CLIProxyAPI beside its logins (`facts/real-stack.md`, Logs).
    let beside_config = wave
        .paths
        .iter()
        .filter(|path| context.show(path) == wave.configs.cliproxyapi.path)
        .filter_map(|path| path.parent());
    let folders = beside_config.chain(auth_dirs.iter().map(PathBuf::as_path));
    for folder in folders.map(|folder| folder.join("logs")) {
        if files::has_open_dumps(&folder) {
            want(folder, FileRole::DumpDir, false);
        }
    }
    for path in wave
        .services()
        .filter_map(|service| service.env_file.as_ref())
    {
        want(path.clone(), FileRole::Key, true);
    }
    let secrets = &context.secrets_dir;
    for name in [
        "management.key",
        "fingerprint.key",
        "litellm-master.key",
        "upstream.key",
        "litellm.env",
    ] {
        want(secrets.join(name), FileRole::Key, true);
    }
    want(secrets.clone(), FileRole::SecretsDir, false);
    if let Some(flowgate) = &wave.flowgate {
        let runtime = flowgate.paths.runtime_dir.clone();
        want(runtime.join("supervisor"), FileRole::SecretsDir, false);
        want(runtime, FileRole::RuntimeDir, false);
        for path in &flowgate.secret_files {
            want(path.clone(), FileRole::Token, true);
        }
    }
    // A config dir that is also the runtime dir is judged as the runtime dir: of two wishes for
    // one file the first counts.
    wanted.sort_by_key(|file| file.role == FileRole::ConfigDir);
    wanted
}

/// The logs of this gateway, each with the one of before.
pub fn logs(
    wave: &Wave0,
    auth_dirs: &[(PathBuf, AuthDirRole)],
    context: &Context,
) -> Vec<LogPlace> {
    let Some(flowgate) = &wave.flowgate else {
        return Vec::new();
    };
    let folder = flowgate.paths.runtime_dir.join("process-logs");
    let of_services = wave.services().flat_map(|service| {
        ["log", "log.1"].map(|ending| folder.join(format!("{}.{ending}", service.name)))
    });
    let own = wave.service(ServiceKind::Cliproxyapi).map(|service| {
        let cwd = service.cwd.as_deref().unwrap_or(&context.cwd);
        cwd.join("logs/main.log")
    });
    let beside_logins = auth_dirs.iter().map(|(dir, _)| dir.join("logs/main.log"));
    of_services
        .chain([flowgate.paths.log_file.clone()])
        .chain(own)
        .chain(beside_logins)
        .map(LogPlace)
        .collect()
}

/// The auth dirs of this gateway, the one that the service reads first.
pub fn auth_dirs(wave: &Wave0, context: &Context) -> Vec<(PathBuf, AuthDirRole)> {
    let own = wave.cliproxyapi.as_ref();
    wave.flowgate
        .as_ref()
        .map(|config| auth_dir::auth_dirs(config, own, &context.cwd))
        .unwrap_or_default()
}
