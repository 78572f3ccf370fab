//! Modes and owners of the files that a look is interested in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use flowgate::config::secrets::is_secret_name;
use flowgate_checks::model::{
    ConfigFile, EntryValue, FileFacts, FileKind, FileRole, Mode, Observed, Parent, SecretClass,
};

use crate::frame;
use crate::recording::ROOT;
use crate::stage::Stage;

/// The facts of every such file that is there, by its path as shown.
pub fn of(stage: &Stage<'_>, auth_dirs: &[PathBuf]) -> BTreeMap<String, Observed<FileFacts>> {
    let mut seen = BTreeMap::new();
    for (path, role, holds_secret) in wanted(stage, auth_dirs) {
        if let Some(facts) = facts(stage, &path, role, holds_secret) {
            seen.entry(stage.show(&path))
                .or_insert(Observed::Known(facts));
        }
    }
    seen
}

/// The configs, the auth dirs with their tokens, flowgate's own secrets, and the folders that
/// protect them.
fn wanted(stage: &Stage<'_>, auth_dirs: &[PathBuf]) -> Vec<(PathBuf, FileRole, bool)> {
    let gw = Path::new(ROOT);
    let configs = [
        &stage.flowgate_file,
        &stage.litellm.file,
        &stage.cliproxyapi.file,
    ];
    let mut wanted = Vec::new();
    for path in &stage.config_paths {
        let shown = stage.show(path);
        let is_secret = configs
            .iter()
            .any(|file| file.path == shown && holds_secret(file));
        wanted.push((path.clone(), FileRole::Config, is_secret));
        wanted.push((
            path.parent().unwrap().to_owned(),
            FileRole::ConfigDir,
            false,
        ));
    }
    for dir in auth_dirs {
        wanted.push((dir.clone(), FileRole::AuthDir, false));
        if stage.listing.may(dir, 4) {
            let tokens = stage.listing.in_folder(dir).filter(|(path, row)| {
                row.kind != 'd' && path.extension().is_some_and(|ending| ending == "json")
            });
            wanted.extend(tokens.map(|(path, _)| (path.clone(), FileRole::Token, true)));
        }
    }
    for folder in [gw.join("config/logs")]
        .into_iter()
        .chain(auth_dirs.iter().map(|dir| dir.join("logs")))
    {
        let has_open_dumps = stage.listing.in_folder(&folder).any(|(path, row)| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with("error-") && row.mode & 0o044 != 0
        });
        if has_open_dumps {
            wanted.push((folder, FileRole::DumpDir, false));
        }
    }
    let secrets = gw.join(".router/secrets");
    for name in ["management.key", "litellm-master.key"] {
        wanted.push((secrets.join(name), FileRole::Key, true));
    }
    wanted.push((secrets, FileRole::SecretsDir, false));
    wanted.push((
        gw.join(".router/runtime/supervisor"),
        FileRole::SecretsDir,
        false,
    ));
    wanted.push((gw.join(".router/runtime"), FileRole::RuntimeDir, false));
    wanted
}

/// Whether a config holds a secret in clear or as a hash.
fn holds_secret(file: &ConfigFile) -> bool {
    file.entries.iter().any(|(path, entry)| {
        let name = path.rsplit('.').next().unwrap_or(path);
        let name = name.split('[').next().unwrap_or(name);
        let is_filled = matches!(&entry.value,
            EntryValue::Secret { class, .. } if *class != SecretClass::Empty);
        is_filled && is_secret_name(name)
    })
}

fn facts(stage: &Stage<'_>, path: &Path, role: FileRole, holds_secret: bool) -> Option<FileFacts> {
    let row = stage.listing.row(path)?;
    let users = frame::users();
    let (kind, read, write) = match row.kind {
        'd' => (FileKind::Directory, 5, 3),
        _ => (FileKind::File, 4, 2),
    };
    Some(FileFacts {
        role,
        kind,
        mode: Mode(row.mode),
        uid: row.uid,
        owner: users.name(row.uid),
        gid: row.gid,
        group_shared: users.shares_group(row.gid, row.uid),
        acl: false,
        holds_secret,
        readable: stage.listing.may(path, read),
        writable: stage.listing.may(path, write),
        special: false,
        without_modes: None,
        parents: path
            .ancestors()
            .skip(1)
            .map(|folder| parent(stage, folder))
            .collect(),
    })
}

fn parent(stage: &Stage<'_>, folder: &Path) -> Parent {
    let row = stage.listing.row(folder).unwrap();
    Parent {
        path: folder.display().to_string(),
        mode: Mode(row.mode),
        uid: row.uid,
        gid: row.gid,
        acl: false,
    }
}
