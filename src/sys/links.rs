//! Where symlinks lead.

use std::fs;
use std::path::{Path, PathBuf};

use super::place::normalise;

/// More links than this one behind another are a loop.
const LINKS: usize = 40;

/// Where the links of a path lead in the end; none when it is no link.
pub fn last_target(path: &Path) -> Option<PathBuf> {
    let mut target = None;
    let mut current = path.to_owned();
    for _ in 0..LINKS {
        let Ok(next) = fs::read_link(&current) else {
            break;
        };
        current = match current.parent() {
            Some(folder) => normalise(&folder.join(next)),
            None => next,
        };
        target = Some(current.clone());
    }
    target
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_chain_is_followed_to_its_end_and_a_loop_ends() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        symlink("two", at("one")).unwrap();
        symlink("../nowhere/three", at("two")).unwrap();
        symlink("loop", at("loop")).unwrap();
        let end = normalise(&dir.path().join("../nowhere/three"));
        assert_eq!(last_target(&at("one")), Some(end));
        assert_eq!(last_target(&at("loop")), Some(at("loop")));
        assert_eq!(last_target(dir.path()), None);
    }
}
