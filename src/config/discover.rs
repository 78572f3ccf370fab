//! Which flowgate.yaml is meant: the order of DESIGN section 10.

use std::path::{Path, PathBuf};

use rustix::fs::Stat;

use crate::sys::place::normalise;

/// Where to look; all that discovery knows of the process.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `--config PATH`.
    pub explicit: Option<PathBuf>,
    /// `FLOWGATE_CONFIG`.
    pub variable: Option<PathBuf>,
    /// The folder flowgate is called from, absolute; none when it is gone.
    pub cwd: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub xdg_config_home: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// The effective uid.
    pub uid: u32,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// The config that is meant, absolute; when none is there, the first place tried.
    pub path: PathBuf,
    /// Whether something is at that path.
    pub exists: bool,
    /// Every place that was tried, in order, the one taken included.
    pub tried: Vec<PathBuf>,
    /// Places that hold a file of another user, which is not taken.
    pub foreign: Vec<PathBuf>,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process(explicit: Option<PathBuf>) -> Self {
        // An empty variable is an unset one.
        let variable = |name| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Self {
            explicit,
            variable: variable("FLOWGATE_CONFIG"),
            cwd: std::env::current_dir().ok(),
            xdg_config_home: variable("XDG_CONFIG_HOME"),
            home: variable("HOME"),
            uid: rustix::process::geteuid().as_raw(),
        }
    }

    /// Looks for the config.
    ///
    /// A named file is taken whether it is there or not. One that is merely found must belong to
    /// this user or root: in a shared folder anybody may leave a `config/flowgate.yaml` whose
    /// command this user would then run.
    pub fn discover(&self) -> Discovery {
        if let Some(named) = self.explicit.as_ref().or(self.variable.as_ref()) {
            let path = self.absolute(named);
            return Discovery {
                exists: stat(&path).is_some(),
                tried: vec![path.clone()],
                foreign: Vec::new(),
                path,
            };
        }
        let mut tried = Vec::new();
        let mut foreign = Vec::new();
        for path in self.places() {
            tried.push(path.clone());
            match owners(&path) {
                None => {}
                Some(owners) if owners.iter().all(|uid| [self.uid, 0].contains(uid)) => {
                    return Discovery {
                        path,
                        exists: true,
                        tried,
                        foreign,
                    };
                }
                Some(_) => foreign.push(path),
            }
        }
        let first = tried.first().cloned();
        Discovery {
            path: first.unwrap_or_else(|| PathBuf::from("/config/flowgate.yaml")),
            exists: false,
            tried,
            foreign,
        }
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        let cwd = self.cwd.as_deref().unwrap_or(Path::new("/"));
        normalise(&cwd.join(path))
    }

    fn places(&self) -> Vec<PathBuf> {
        let mut places = Vec::new();
        for folder in self.cwd.iter().flat_map(|cwd| cwd.ancestors()) {
            places.push(folder.join("config/flowgate.yaml"));
            places.push(folder.join("flowgate.yaml"));
        }
        // The XDG rules: a relative XDG_CONFIG_HOME is ignored.
        let user = match self
            .xdg_config_home
            .as_ref()
            .filter(|path| path.is_absolute())
        {
            Some(folder) => Some(folder.clone()),
            None => self.home.as_ref().map(|home| home.join(".config")),
        };
        places.extend(user.map(|folder| folder.join("flowgate/flowgate.yaml")));
        places
    }
}

/// The owners of what is at a path, of the link and of its target; none when nothing is there.
fn owners(path: &Path) -> Option<[u32; 2]> {
    let link = rustix::fs::lstat(path).ok()?;
    Some([link.st_uid, stat(path)?.st_uid])
}

fn stat(path: &Path) -> Option<Stat> {
    rustix::fs::stat(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().canonicalize().unwrap();
        (temp, path)
    }

    fn put(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::File::create(path).unwrap();
    }

    fn at(cwd: &Path) -> Surroundings {
        Surroundings {
            cwd: Some(cwd.to_owned()),
            uid: rustix::process::geteuid().as_raw(),
            ..Surroundings::default()
        }
    }

    #[test]
    fn the_nearest_folder_wins_and_config_comes_first_in_each() {
        let (_temp, top) = folder();
        let inner = top.join("a/b");
        put(&top.join("config/flowgate.yaml"));
        put(&inner.join("x"));
        assert_eq!(at(&inner).discover().path, top.join("config/flowgate.yaml"));
        put(&inner.join("flowgate.yaml"));
        assert_eq!(at(&inner).discover().path, inner.join("flowgate.yaml"));
        put(&inner.join("config/flowgate.yaml"));
        let found = at(&inner).discover();
        assert_eq!(found.path, inner.join("config/flowgate.yaml"));
        assert_eq!(found.tried, [inner.join("config/flowgate.yaml")]);
    }

    #[test]
    fn a_named_file_is_taken_even_when_it_is_not_there() {
        let (_temp, top) = folder();
        put(&top.join("config/flowgate.yaml"));
        let named = |explicit: Option<&str>, variable: Option<&str>| {
            Surroundings {
                explicit: explicit.map(PathBuf::from),
                variable: variable.map(PathBuf::from),
                ..at(&top)
            }
            .discover()
        };
        let found = named(Some("x/../other.yaml"), Some("third.yaml"));
        assert_eq!((found.path, found.exists), (top.join("other.yaml"), false));
        assert_eq!(named(None, Some("third.yaml")).path, top.join("third.yaml"));
    }

    #[test]
    fn the_users_own_config_is_the_last_place() {
        let (_temp, top) = folder();
        let home = top.join("home");
        put(&home.join(".config/flowgate/flowgate.yaml"));
        let mut around = at(&top);
        around.home = Some(home.clone());
        assert_eq!(
            around.discover().path,
            home.join(".config/flowgate/flowgate.yaml")
        );
        around.xdg_config_home = Some(top.join("xdg"));
        let found = around.discover();
        assert_eq!(found.path, top.join("config/flowgate.yaml"));
        assert!(!found.exists);
        assert_eq!(
            found.tried.last(),
            Some(&top.join("xdg/flowgate/flowgate.yaml"))
        );
    }

    #[test]
    fn a_file_of_another_user_is_not_taken() {
        let (_temp, top) = folder();
        put(&top.join("config/flowgate.yaml"));
        let mut around = at(&top);
        if around.uid == 0 {
            // Root may give the file away; others can only pretend to be somebody else.
            std::os::unix::fs::chown(top.join("config/flowgate.yaml"), Some(12345), None).unwrap();
        } else {
            around.uid += 1;
        }
        let found = around.discover();
        assert!(!found.exists);
        assert_eq!(found.foreign, [top.join("config/flowgate.yaml")]);
    }
}
