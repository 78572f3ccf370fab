//! Programs of the same kind under another name.

use std::fs;
use std::path::Path;

use flowgate_checks::model::ServiceKind;

/// At most so many names of a folder are looked at.
const ENTRIES: usize = 5000;

/// At most so many are told.
const TOLD: usize = 10;

/// The names in the folder under which a program of the kind goes, sorted; without `except`.
pub fn siblings(folder: &Path, kind: ServiceKind, except: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .take(ENTRIES)
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().to_str()?.to_owned();
            let is_one = name != except
                && is_program_name(kind, &name)
                && fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_file());
            is_one.then_some(name)
        })
        .collect();
    names.sort();
    names.truncate(TOLD);
    names
}

/// `CLIProxyAPI`, `cli-proxy-api`, `CLIProxyAPIPlus_6.6.9_linux_amd64`; no archive, config or log.
fn is_program_name(kind: ServiceKind, name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let extension = lower.rsplit_once('.').map(|(_, extension)| extension);
    // Digits behind the last dot are a version, as in `_6.6.9`.
    let is_other = extension
        .is_some_and(|extension| !extension.starts_with(|char: char| char.is_ascii_digit()));
    if is_other {
        return false;
    }
    match kind {
        ServiceKind::Litellm => lower == "litellm",
        ServiceKind::Cliproxyapi => lower.replace(['-', '_'], "").starts_with("cliproxyapi"),
        ServiceKind::Other => false,
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the files that are looked at"
)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_and_configs_and_archives_are_not() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "CLIProxyAPIPlus",
            "cli-proxy-api",
            "CLIProxyAPI_6.6.9_linux_amd64",
            "cliproxyapi.yaml",
            "CLIProxyAPI_6.6.9_linux_amd64.tar.gz",
            "cliproxyapiplus.version",
            "litellm",
            "litellm-proxy",
        ] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        fs::create_dir(dir.path().join("CLIProxyAPI")).unwrap();
        let found = siblings(dir.path(), ServiceKind::Cliproxyapi, "CLIProxyAPIPlus");
        assert_eq!(found, ["CLIProxyAPI_6.6.9_linux_amd64", "cli-proxy-api"]);
        let found = siblings(dir.path(), ServiceKind::Litellm, "LiteLLM");
        assert_eq!(found, ["litellm"]);
        assert!(siblings(&dir.path().join("gone"), ServiceKind::Litellm, "").is_empty());
    }
}
