//! The error dumps of CLIProxyAPI.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// At most so many entries of a folder of logs are looked at.
const ENTRIES: usize = 2000;

/// Bits with which a group or everybody may read.
const OTHERS_READ: u32 = 0o044;

/// Whether a folder holds an error dump (`error-v1-chat-completions-….log`) that its bits let others
/// read; false when it cannot be listed.
pub fn has_open_dumps(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.take(ENTRIES).flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_dump = name.starts_with("error-") && name.ends_with(".log");
        is_dump
            && entry
                .metadata()
                .is_ok_and(|facts| facts.is_file() && facts.mode() & OTHERS_READ != 0)
    })
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the files that are listed"
)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_a_dump_that_others_may_read_counts() {
        let place = tempfile::tempdir().unwrap();
        let make = |name: &str, mode: u32| {
            let path = place.path().join(name);
            fs::write(&path, "x").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        assert!(!has_open_dumps(&place.path().join("gone")));
        make("main.log", 0o644);
        make("error-v1-models-1.log", 0o600);
        assert!(!has_open_dumps(place.path()));
        make("error-v1-chat-completions-2.log", 0o644);
        assert!(has_open_dumps(place.path()));
    }
}
