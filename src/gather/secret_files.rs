//! Which files and directories are looked at for their permissions.

use std::path::{Path, PathBuf};

use flowgate_checks::model::FileRole;

use super::configs::{Wave0, holds_secret};
use super::context::Context;
use super::files;

/// A file to look at: where, why, and whether it holds a secret.
pub type Wanted = (PathBuf, FileRole, bool);

/// The configs, the auth dirs with their tokens, flowgate's own secrets, and the directories that
/// protect them.
pub fn wanted(wave: &Wave0, auth_dirs: &[PathBuf], context: &Context) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for path in &wave.paths {
        let shown = context.show(path);
        let secret = [&wave.configs.flowgate, &wave.configs.litellm, &wave.configs.cliproxyapi]
            .into_iter()
            .any(|file| file.path == shown && holds_secret(file));
        wanted.push((path.clone(), FileRole::Config, secret));
        if let Some(folder) = path.parent() {
            wanted.push((folder.to_owned(), FileRole::ConfigDir, false));
        }
    }
    for dir in auth_dirs {
        wanted.push((dir.clone(), FileRole::AuthDir, false));
        wanted.extend(files::token_files(dir).into_iter().map(|path| (path, FileRole::Token, true)));
    }
    let secrets = context.secrets_dir();
    for name in ["management.key", "fingerprint.key", "litellm-master.key", "upstream.key"] {
        wanted.push((secrets.join(name), FileRole::Key, true));
    }
    wanted.push((secrets, FileRole::SecretsDir, false));
    if let Some(flowgate) = &wave.flowgate {
        let runtime = flowgate.paths.runtime_dir.clone();
        wanted.push((runtime.join("supervisor"), FileRole::SecretsDir, false));
        wanted.push((runtime, FileRole::RuntimeDir, false));
        wanted.extend(flowgate.secret_files.iter().map(|path| (path.clone(), FileRole::Token, true)));
    }
    deduplicated(wanted)
}

/// A path that is wanted for several reasons is looked at for the first: a config dir that is
/// also the runtime dir is judged once.
fn deduplicated(wanted: Vec<Wanted>) -> Vec<Wanted> {
    let mut kept: Vec<Wanted> = Vec::new();
    for (path, role, secret) in wanted {
        let rank = |role: FileRole| role != FileRole::ConfigDir;
        match kept.iter_mut().find(|(known, ..)| *known == path) {
            Some(known) if rank(role) > rank(known.1) => *known = (path, role, secret || known.2),
            Some(known) => known.2 |= secret,
            None => kept.push((path, role, secret)),
        }
    }
    kept
}

/// The auth dirs of this gateway, the one that the service reads first.
pub fn auth_dirs(wave: &Wave0, context: &Context) -> Vec<(PathBuf, flowgate_checks::model::AuthDirRole)> {
    use flowgate_checks::model::{AuthDirRole, ServiceKind};
    let mut dirs = Vec::new();
    if let (Some(config), Some(service)) = (&wave.cliproxyapi, wave.service(ServiceKind::Cliproxyapi))
        && let Some(written) = &config.auth_dir
    {
        let cwd = service.cwd.as_deref().unwrap_or(&context.cwd);
        dirs.push((expand(written, cwd), AuthDirRole::Service));
    }
    if let Some(beside) = wave.flowgate.as_ref().and_then(|config| config.paths.runtime_dir.parent()) {
        dirs.push((beside.join("auths"), AuthDirRole::Flowgate));
    }
    dirs
}

/// `auth-dir` as the program reads it: `~` is its home, the rest is relative to its working
/// directory (`facts/cliproxyapi.md` 1.3, 2.1).
fn expand(written: &str, cwd: &Path) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    match (written.strip_prefix('~'), home) {
        (Some(rest), Some(home)) => crate::sys::place::normalise(&home.join(rest.trim_start_matches(['/', '\\']))),
        _ => crate::sys::place::normalise(&cwd.join(written)),
    }
}
