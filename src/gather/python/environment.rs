//! Which folders a Python takes its packages from, by the rules of its start.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sys::access::reach;
use crate::sys::read;

/// At most so many entries of `lib` are looked at.
const ENTRIES: usize = 1000;

/// The environment of an interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Environment {
    /// A virtual environment. When it is closed, it takes packages from here alone.
    Virtual {
        /// Its site-packages folders, the one with most packages first.
        folders: Vec<PathBuf>,
        /// Whether it takes nothing from the Python that it was made from.
        is_closed: bool,
    },
    /// A whole Python installation: the user's own packages may add to it.
    Whole {
        /// Its site-packages folders.
        folders: Vec<PathBuf>,
    },
    /// Folders with packages that the interpreter does not look at: a virtual environment whose
    /// `pyvenv.cfg` is gone, or whose Python was exchanged for another version.
    Unseen {
        /// The folder that it would look at, or does instead.
        instead: PathBuf,
        /// Where the packages are.
        beside: PathBuf,
    },
    /// It cannot be told without running Python: why, as a fragment.
    Unclear(String),
}

/// The environment of an interpreter; its links are not followed, because a virtual environment is
/// told by where the link lies.
pub fn find(interpreter: &Path) -> Environment {
    let Some(prefix) = interpreter.parent().and_then(Path::parent) else {
        return Environment::Unclear("its interpreter has no folder".into());
    };
    let settings = [
        prefix.join("pyvenv.cfg"),
        interpreter.with_file_name("pyvenv.cfg"),
    ]
    .iter()
    .find_map(|path| read::whole(path, 64 * 1024).ok())
    .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let beside = versions_beside(prefix);
    let real = reach(interpreter)
        .ok()
        .and_then(|_| interpreter.canonicalize().ok());
    match settings {
        Some(settings) => virtual_one(prefix, &settings, &beside, real.as_deref()),
        None => without_settings(prefix, &beside, real.as_deref()),
    }
}

fn virtual_one(
    prefix: &Path,
    settings: &str,
    beside: &[String],
    real: Option<&Path>,
) -> Environment {
    let is_closed = !setting(settings, "include-system-site-packages")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let real_version = real.and_then(version_in_name);
    let version = real_version.clone().or_else(|| {
        let full = setting(settings, "version_info").or_else(|| setting(settings, "version"))?;
        Some(full.split('.').take(2).collect::<Vec<_>>().join("."))
    });
    match (version, beside) {
        (Some(version), _) if beside.contains(&version) => Environment::Virtual {
            folders: folders_of(prefix, &version),
            is_closed,
        },
        // The version is the one of the real Python, and there is nothing for it here.
        (Some(version), [other, ..]) if real_version.is_some() && is_closed => {
            Environment::Unseen {
                instead: site_packages(prefix, &version),
                beside: site_packages(prefix, other),
            }
        }
        (_, [only]) => Environment::Virtual {
            folders: folders_of(prefix, only),
            is_closed,
        },
        _ => Environment::Unclear("the version of its Python cannot be told".into()),
    }
}

fn without_settings(prefix: &Path, beside: &[String], real: Option<&Path>) -> Environment {
    let whole = |prefix: &Path, version: &str| {
        let library = prefix.join("lib").join(format!("python{version}"));
        library.join("os.py").exists().then_some(library)
    };
    let version = real.and_then(version_in_name);
    if let Some(version) = version.as_ref().or(beside.first())
        && whole(prefix, version).is_some()
    {
        let folders = folders_of(prefix, version);
        if !folders.is_empty() {
            return Environment::Whole { folders };
        }
    }
    // A link to a Python elsewhere, with packages beside it but no standard library: it was a
    // virtual environment, and without pyvenv.cfg Python does not know that.
    if let (Some(real), Some(version), [first, ..]) = (real, &version, beside)
        && let Some(base) = real.parent().and_then(Path::parent)
        && base != prefix
        && whole(base, version).is_some()
        && !beside
            .iter()
            .any(|version| whole(prefix, version).is_some())
    {
        return Environment::Unseen {
            instead: site_packages(base, version),
            beside: site_packages(prefix, first),
        };
    }
    Environment::Unclear("it uses a Python whose packages lie in several places".into())
}

/// `lib/python3.11/site-packages` below a prefix, and the one in `lib64` when that is another folder.
fn folders_of(prefix: &Path, version: &str) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for library in ["lib", "lib64"] {
        let folder = prefix
            .join(library)
            .join(format!("python{version}/site-packages"));
        let Ok(real) = folder.canonicalize() else {
            continue;
        };
        let is_known = folders
            .iter()
            .any(|known| known.canonicalize().is_ok_and(|known| known == real));
        if !is_known {
            folders.push(folder);
        }
    }
    folders
}

fn site_packages(prefix: &Path, version: &str) -> PathBuf {
    prefix.join(format!("lib/python{version}/site-packages"))
}

/// The versions for which there is a site-packages folder: `3.11`; sorted.
fn versions_beside(prefix: &Path) -> Vec<String> {
    let mut versions: Vec<String> = ["lib", "lib64"]
        .iter()
        .filter_map(|library| fs::read_dir(prefix.join(library)).ok())
        .flat_map(|entries| entries.take(ENTRIES).flatten())
        .filter(|entry| entry.path().join("site-packages").is_dir())
        .filter_map(|entry| {
            let name = entry.file_name();
            let version = name.to_str()?.strip_prefix("python")?;
            is_version(version).then(|| version.to_owned())
        })
        .collect();
    versions.sort();
    versions.dedup();
    versions
}

/// `python3.11` is version 3.11; `python3` tells none.
pub fn version_in_name(path: &Path) -> Option<String> {
    let version = path.file_name()?.to_str()?.strip_prefix("python")?;
    is_version(version).then(|| version.to_owned())
}

fn is_version(text: &str) -> bool {
    text.split_once('.').is_some_and(|(major, minor)| {
        major == "3" && !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// `key = value`, as in pyvenv.cfg.
fn setting<'a>(settings: &'a str, name: &str) -> Option<&'a str> {
    settings.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
