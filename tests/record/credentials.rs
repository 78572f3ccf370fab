//! Token files and auth dirs.

use std::path::{Path, PathBuf};

use flowgate::config::secrets::plain_url;
use flowgate::gather::credentials::{self, TokenFiles};
use flowgate::sys::read::ReadError;
use flowgate_checks::model::{
    ApiKeyProvider, AuthDir, AuthDirRole, CallbackPort, Credentials, Management, Observed,
    Provider, Unknown,
};

use crate::recording::ROOT;
use crate::stage::Stage;

/// Everything about logins.
pub fn of(
    stage: &Stage<'_>,
    callback_ports: std::collections::BTreeMap<String, CallbackPort>,
    management: Management,
) -> Credentials {
    let tokens = tokens(stage);
    let own = stage.cliproxyapi.config.as_ref();
    let own_path = &stage.cliproxyapi.file.path;
    let providers = stage.flowgate.providers.iter().map(|(name, provider)| {
        let plain = |url: &Option<String>| url.as_deref().map(plain_url);
        let provider = Provider {
            auth_url_endpoint: plain(&provider.auth_url_endpoint),
            status_endpoint: plain(&provider.status_endpoint),
            entry: provider.entry.clone(),
        };
        (name.clone(), provider)
    });
    Credentials {
        elsewhere: Default::default(),
        auth_dirs: tokens.auth_dirs,
        files: tokens.files,
        api_key_providers: own
            .into_iter()
            .flat_map(|config| &config.api_key_providers)
            .map(|provider| ApiKeyProvider {
                kind: provider.kind.clone(),
                place: format!("{own_path}:{}", provider.position.line),
            })
            .collect(),
        providers: providers.collect(),
        callback_ports,
        last_logins: Default::default(),
        management,
    }
}

/// The auth dirs as they were in the recording, the one that the service reads first.
pub fn auth_dirs(stage: &Stage<'_>) -> Vec<(PathBuf, AuthDirRole)> {
    let own = stage.cliproxyapi.config.as_ref();
    let written = own.and_then(|config| config.auth_dir.as_deref());
    let mut dirs: Vec<(PathBuf, AuthDirRole)> = written
        .map(|written| (Path::new(ROOT).join(written), AuthDirRole::Service))
        .into_iter()
        .collect();
    let beside = Path::new(ROOT).join(".router/auths");
    if dirs.iter().all(|(dir, _)| *dir != beside) {
        dirs.push((beside, AuthDirRole::Flowgate));
    }
    dirs
}

/// What lies in the auth dirs; of one that the user of the recording could not list, why not.
fn tokens(stage: &Stage<'_>) -> TokenFiles {
    let (open, closed): (Vec<_>, Vec<_>) = auth_dirs(stage)
        .into_iter()
        .partition(|(dir, _)| stage.listing.may(dir, 5));
    let open: Vec<(PathBuf, AuthDirRole)> = open
        .into_iter()
        .map(|(dir, role)| (stage.inside(&dir), role))
        .collect();
    let mut found = credentials::look(&open, &stage.root, &stage.fingerprinter, &stage.redactor);
    for (dir, role) in closed {
        let path = stage.show(&dir);
        found.auth_dirs.push(AuthDir {
            listing: Observed::Unknown(Unknown {
                why: ReadError::Denied.to_string(),
                command: Some(format!("ls -ld {path}")),
            }),
            path,
            role,
            exists: true,
        });
    }
    found
}
