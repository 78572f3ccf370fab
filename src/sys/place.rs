//! How paths are written in a snapshot.

use std::path::{Component, Path, PathBuf};

/// The folder that holds `config/` (or flowgate.yaml itself), absolute.
///
/// Every path that enters a snapshot goes through [`Root::show`], so that a finding has the
/// same subject wherever flowgate was called from.
#[derive(Debug, Clone)]
pub struct Root(PathBuf);

impl Root {
    /// A root; `path` is absolute.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(normalise(&path.into()))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path relative to the root when it lies below it, else the absolute path.
    pub fn show(&self, path: &Path) -> String {
        let path = normalise(path);
        match path.strip_prefix(&self.0) {
            Ok(below) if below.as_os_str().is_empty() => ".".into(),
            Ok(below) => below.display().to_string(),
            Err(_) => path.display().to_string(),
        }
    }

    /// The absolute path of one that [`Root::show`] wrote.
    pub fn resolve(&self, shown: &str) -> PathBuf {
        normalise(&self.0.join(shown))
    }
}

/// The path without `.` and `..`, by its text alone: symlinks are not followed, as in the original.
pub fn normalise(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                if !out.pop() {
                    out.push("..");
                }
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_the_root_are_relative_and_others_absolute() {
        let root = Root::new("/home/ana/gw/config/..");
        assert_eq!(
            root.show(Path::new("/home/ana/gw/./config/flowgate.yaml")),
            "config/flowgate.yaml"
        );
        assert_eq!(root.show(Path::new("/home/ana/gwx")), "/home/ana/gwx");
        assert_eq!(root.show(Path::new("/home/ana/gw")), ".");
        assert_eq!(root.resolve("config/a"), Path::new("/home/ana/gw/config/a"));
        assert_eq!(root.resolve("/etc/a"), Path::new("/etc/a"));
    }
}
