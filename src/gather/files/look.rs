//! Modes, owners and reach of the files that hold secrets.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use flowgate_checks::model::{FileFacts, FileKind, FileRole, Mode, Observed, Parent, Unknown};
use flowgate_checks::shell;
use rustix::fs::{Access, AtFlags, CWD};

use crate::platform::{self, Mount};
use crate::sys::links::last_target;
use crate::sys::place::Root;
use crate::sys::users::Users;

/// A file whose permissions matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedFile {
    /// Where it is, absolute.
    pub path: PathBuf,
    /// Why it is looked at.
    pub role: FileRole,
    /// Whether it holds a secret.
    pub holds_secret: bool,
}

/// The facts of the files, by path as shown; what is not there is left out. Of two wishes for one
/// file the first counts, and it holds a secret when either says so. Blocking.
pub fn look(
    wanted: &[WantedFile],
    users: &Users,
    root: &Root,
) -> BTreeMap<String, Observed<FileFacts>> {
    let mut looker = Looker {
        users,
        mounts: platform::mounts(),
        home: std::env::home_dir(),
        folders: BTreeMap::new(),
    };
    let mut seen: BTreeMap<String, Observed<FileFacts>> = BTreeMap::new();
    for file in wanted {
        let shown = root.show(&file.path);
        if let Some(known) = seen.get_mut(&shown) {
            if let Observed::Known(facts) = known {
                facts.holds_secret |= file.holds_secret;
            }
            continue;
        }
        if let Some(facts) = looker.facts(file) {
            seen.insert(shown, facts);
        }
    }
    seen
}

struct Looker<'a> {
    users: &'a Users,
    mounts: Vec<Mount>,
    home: Option<PathBuf>,
    /// The folders above, each looked at once: many files lie in one.
    folders: BTreeMap<PathBuf, Option<Parent>>,
}

impl Looker<'_> {
    /// The facts of one file; none when it is not there.
    fn facts(&mut self, file: &WantedFile) -> Option<Observed<FileFacts>> {
        let path = &file.path;
        let link = match fs::symlink_metadata(path) {
            Ok(link) => link,
            Err(error) => return self.why_not(path, &error),
        };
        let target = link.is_symlink().then(|| last_target(path)).flatten();
        // Of a link the facts are those of the target; of a link to nothing, its own.
        let (metadata, found) = match fs::metadata(path) {
            Ok(metadata) => (metadata, true),
            Err(error) if link.is_symlink() && error.kind() == ErrorKind::PermissionDenied => {
                return self.why_not(path, &error);
            }
            Err(_) => (link, false),
        };
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(_) => real_place(path),
        };
        let kind = match target {
            Some(target) => FileKind::Symlink {
                target: target.display().to_string(),
                found,
            },
            None => kind_of(&metadata),
        };
        let is_dir = metadata.is_dir();
        Some(Observed::Known(FileFacts {
            role: file.role,
            kind,
            mode: Mode(metadata.mode() & 0o7777),
            uid: metadata.uid(),
            owner: self.users.name(metadata.uid()),
            gid: metadata.gid(),
            group_shared: self.users.shares_group(metadata.gid(), metadata.uid()),
            acl: platform::has_acl(&real).unwrap_or(false),
            holds_secret: file.holds_secret,
            readable: found && may(path, reading(is_dir)),
            writable: found && may(path, writing(is_dir)),
            special: is_dir && self.is_special(&real),
            without_modes: self.without_modes(&real),
            parents: self.parents(&real),
        }))
    }

    /// Why a file could not be looked at; none when it is not there.
    fn why_not(&self, path: &Path, error: &std::io::Error) -> Option<Observed<FileFacts>> {
        if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
            return None;
        }
        let why = match closed_above(path) {
            Some((folder, metadata)) => format!(
                "{} belongs to {}, mode {}",
                folder.display(),
                owner_words(self.users, metadata.uid()),
                Mode(metadata.mode() & 0o7777)
            ),
            None => error.kind().to_string(),
        };
        Some(Observed::Unknown(Unknown {
            why,
            command: Some(format!(
                "sudo ls -ld {}",
                shell::quote(&path.display().to_string())
            )),
        }))
    }

    /// The directories above a real path, nearest first.
    fn parents(&mut self, real: &Path) -> Vec<Parent> {
        let mut parents = Vec::new();
        for folder in real.ancestors().skip(1) {
            let known = self
                .folders
                .entry(folder.to_owned())
                .or_insert_with(|| parent(folder));
            parents.extend(known.clone());
        }
        parents
    }

    /// The kind of the file system of a file, where that keeps no modes: the one that was mounted
    /// last at the nearest point.
    fn without_modes(&self, real: &Path) -> Option<String> {
        let above = self
            .mounts
            .iter()
            .filter(|mount| real.starts_with(&mount.point));
        let nearest = above.max_by_key(|mount| mount.point.components().count())?;
        nearest.without_modes.then(|| nearest.kind.clone())
    }

    /// Whether the mode of a directory is none of flowgate's business: a home, the root of a git
    /// repository, a mount point.
    fn is_special(&self, dir: &Path) -> bool {
        self.home.as_deref() == Some(dir)
            || self.users.is_home(dir)
            || dir.join(".git").symlink_metadata().is_ok()
            || self.mounts.iter().any(|mount| mount.point == dir)
    }
}

/// `ana`, or `uid 10001` when the machine knows no name for it.
fn owner_words(users: &Users, uid: u32) -> String {
    let name = users.name(uid);
    if name == uid.to_string() {
        format!("uid {uid}")
    } else {
        name
    }
}

/// The nearest folder above that can be seen and not be entered.
fn closed_above(path: &Path) -> Option<(PathBuf, Metadata)> {
    path.ancestors().skip(1).find_map(|folder| {
        let metadata = fs::metadata(folder).ok()?;
        (!may(folder, Access::EXEC_OK)).then(|| (folder.to_owned(), metadata))
    })
}

fn parent(folder: &Path) -> Option<Parent> {
    let metadata = fs::metadata(folder).ok()?;
    Some(Parent {
        path: folder.display().to_string(),
        mode: Mode(metadata.mode() & 0o7777),
        uid: metadata.uid(),
        gid: metadata.gid(),
        acl: platform::has_acl(folder).unwrap_or(false),
    })
}

fn kind_of(metadata: &Metadata) -> FileKind {
    let kind = metadata.file_type();
    if kind.is_file() {
        FileKind::File
    } else if kind.is_dir() {
        FileKind::Directory
    } else if kind.is_symlink() {
        // A link whose target cannot be read.
        FileKind::Symlink {
            target: String::new(),
            found: false,
        }
    } else {
        FileKind::Other
    }
}

fn reading(is_dir: bool) -> Access {
    if is_dir {
        Access::READ_OK | Access::EXEC_OK
    } else {
        Access::READ_OK
    }
}

fn writing(is_dir: bool) -> Access {
    if is_dir {
        Access::WRITE_OK | Access::EXEC_OK
    } else {
        Access::WRITE_OK
    }
}

/// Whether the effective user may do this, by the kernel's own answer.
fn may(path: &Path, access: Access) -> bool {
    rustix::fs::accessat(CWD, path, access, AtFlags::EACCESS).is_ok()
}

/// The place of a link to nothing: its folder, links followed, and its name.
fn real_place(path: &Path) -> PathBuf {
    match (
        path.parent().and_then(|folder| folder.canonicalize().ok()),
        path.file_name(),
    ) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the files that are looked at"
)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn at(&self, name: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(name)
        }

        fn file(&self, name: &str, mode: u32) -> PathBuf {
            let path = self.at(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "{}").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        }

        fn look(&self, name: &str, role: FileRole) -> Option<FileFacts> {
            let wanted = WantedFile {
                path: self.at(name),
                role,
                holds_secret: true,
            };
            let root = Root::new(self.at(""));
            let mut seen = look(&[wanted], &Users::load(), &root);
            match seen.remove(name)? {
                Observed::Known(facts) => Some(facts),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn modes_owners_and_parents_are_seen() {
        let place = Place::new();
        place.file("auths/codex.json", 0o644);
        let facts = place.look("auths/codex.json", FileRole::Token).unwrap();
        assert_eq!(facts.mode, Mode(0o644));
        assert_eq!(facts.kind, FileKind::File);
        assert_eq!(facts.uid, rustix::process::geteuid().as_raw());
        assert!(facts.readable && facts.writable && facts.holds_secret);
        assert!(!facts.special && !facts.acl);
        assert_eq!(
            facts.parents[0].path,
            place.at("auths").display().to_string()
        );
        assert_eq!(facts.parents.last().unwrap().path, "/");
        assert_eq!(place.look("gone.json", FileRole::Token), None);
        assert_eq!(place.look("auths/codex.json/x", FileRole::Token), None);
    }

    #[test]
    fn a_link_speaks_of_its_target() {
        let place = Place::new();
        let target = place.file("far/real.json", 0o600);
        symlink("far/real.json", place.at("link.json")).unwrap();
        symlink("link.json", place.at("second.json")).unwrap();
        for name in ["link.json", "second.json"] {
            let facts = place.look(name, FileRole::Token).unwrap();
            assert_eq!(
                facts.kind,
                FileKind::Symlink {
                    target: target.display().to_string(),
                    found: true
                }
            );
            assert_eq!(facts.mode, Mode(0o600));
            assert_eq!(facts.parents[0].path, place.at("far").display().to_string());
        }
        fs::remove_file(target).unwrap();
        let facts = place.look("second.json", FileRole::Token).unwrap();
        assert!(matches!(facts.kind, FileKind::Symlink { found: false, .. }));
        assert!(!facts.readable);
    }

    #[test]
    fn a_repository_and_a_mount_point_are_special() {
        let place = Place::new();
        fs::create_dir_all(place.at("repo/.git")).unwrap();
        fs::create_dir(place.at("plain")).unwrap();
        let facts = place.look("repo", FileRole::RuntimeDir).unwrap();
        assert!(facts.special);
        assert_eq!(facts.kind, FileKind::Directory);
        assert!(!place.look("plain", FileRole::RuntimeDir).unwrap().special);
        let root = Root::new("/");
        let wanted = WantedFile {
            path: "/proc".into(),
            role: FileRole::RuntimeDir,
            holds_secret: false,
        };
        let seen = look(&[wanted], &Users::load(), &root);
        assert!(seen["proc"].known().unwrap().special);
    }

    #[test]
    fn what_is_wanted_twice_is_one_file() {
        let place = Place::new();
        let path = place.file("a.json", 0o600);
        let wanted = |role, holds_secret| WantedFile {
            path: path.clone(),
            role,
            holds_secret,
        };
        let both = [
            wanted(FileRole::Config, false),
            wanted(FileRole::Token, true),
        ];
        let seen = look(&both, &Users::load(), &Root::new(place.at("")));
        let facts = seen["a.json"].known().unwrap();
        assert_eq!(facts.role, FileRole::Config);
        assert!(facts.holds_secret);
    }

    #[test]
    fn a_closed_folder_makes_its_files_unknown_to_others() {
        let place = Place::new();
        let path = place.file("closed/a.json", 0o600);
        fs::set_permissions(place.at("closed"), fs::Permissions::from_mode(0o000)).unwrap();
        let wanted = WantedFile {
            path,
            role: FileRole::Token,
            holds_secret: true,
        };
        let seen = look(&[wanted], &Users::load(), &Root::new(place.at("")));
        let is_root = rustix::process::geteuid().is_root();
        match &seen["closed/a.json"] {
            // Nothing is closed to root.
            Observed::Known(facts) => assert!(is_root && facts.readable),
            Observed::Unknown(unknown) => {
                assert!(!is_root && unknown.why.ends_with("mode 000"), "{unknown:?}");
            }
            Observed::NotAsked => panic!("was asked for"),
        }
        fs::set_permissions(place.at("closed"), fs::Permissions::from_mode(0o700)).unwrap();
    }
}
