//! Where token files lie.

use std::path::{Path, PathBuf};

use flowgate_checks::model::{AuthDirRole, ServiceKind};

use super::cliproxyapi::CliproxyConfig;
use super::schema::FlowgateConfig;
use crate::sys::place::normalise;

/// The auth dirs of a gateway, the one that the service reads first; `own` is the config of
/// CLIProxyAPIPlus when it loads, `cwd` the folder of the caller.
pub fn auth_dirs(
    config: &FlowgateConfig,
    own: Option<&CliproxyConfig>,
    cwd: &Path,
) -> Vec<(PathBuf, AuthDirRole)> {
    let mut dirs = Vec::new();
    let mut services = config.services.iter();
    if let (Some(written), Some(service)) = (
        own.and_then(|own| own.auth_dir.as_deref()),
        services.find(|service| service.kind == ServiceKind::Cliproxyapi && service.enabled),
    ) {
        let cwd = service.cwd.as_deref().unwrap_or(cwd);
        dirs.push((expand(written, cwd), AuthDirRole::Service));
    }
    if let Some(beside) = config.paths.runtime_dir.parent() {
        dirs.push((beside.join("auths"), AuthDirRole::Flowgate));
    }
    dirs
}

/// `auth-dir` as the program reads it: `~` is its home, the rest is relative to its working
/// directory (`facts/cliproxyapi.md` 1.3, 2.1).
fn expand(written: &str, cwd: &Path) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    match (written.strip_prefix('~'), home) {
        (Some(rest), Some(home)) => normalise(&home.join(rest.trim_start_matches(['/', '\\']))),
        _ => normalise(&cwd.join(written)),
    }
}
