//! The auth dir as the program reads it (`facts/cliproxyapi.md` 5, `facts/real-stack.md` "Auth files").

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Log;
use super::edition::Edition;
use crate::sys::read;

/// Most token files of an auth dir.
const MOST: usize = 500;

/// One token file that parses.
pub(super) struct Token {
    pub name: String,
    pub path: PathBuf,
    pub size: usize,
    /// `codex`; `unknown` when the file has none.
    pub kind: String,
    pub email: Option<String>,
    pub is_disabled: bool,
}

/// Makes the auth dir when it is not there.
///
/// # Errors
/// The words after `proxy service exited with error: `.
pub(super) fn prepare(dir: &Path, log: &Log<'_>) -> Result<(), String> {
    let shown = dir.display();
    if dir.as_os_str().is_empty() {
        // The key is missing: what it says then is known word for word.
        return Err(
            "cliproxy: failed to create auth directory : mkdir : no such file or directory".into(),
        );
    }
    if dir.is_dir() {
        return Ok(());
    }
    if dir.exists() {
        return Err(format!(
            "cliproxy: auth path exists but is not a directory: {shown}"
        ));
    }
    fs::create_dir_all(dir).map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::PermissionDenied => "permission denied",
            _ => "no such file or directory",
        };
        format!("cliproxy: failed to create auth directory {shown}: mkdir {shown}: {why}")
    })?;
    let text = format!("created missing auth directory: {shown}");
    log.line("info", "service.go:620", &text);
    Ok(())
}

/// The `*.json` files, good or not, those of subfolders included.
///
/// # Errors
/// `permission denied` and its like.
pub(super) fn list(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    let entries = fs::read_dir(dir).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => "no such file or directory".to_owned(),
    })?;
    for entry in entries.flatten().take(MOST) {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files.extend(list(&path).unwrap_or_default());
        } else if name.ends_with(".json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The token files that parse; broken, empty and unreadable ones are skipped silently.
pub(super) fn read_all(dir: &Path, edition: Edition) -> Vec<Token> {
    let files = list(dir).unwrap_or_default();
    files
        .into_iter()
        .filter_map(|path| read_one(dir, path, edition))
        .collect()
}

fn read_one(dir: &Path, path: PathBuf, edition: Edition) -> Option<Token> {
    let bytes = read::whole(&path, 64 * 1024).ok()?;
    let value: Value = serde_json::from_slice(&bytes).ok()?;
    let map = value.as_object()?;
    let text = |key: &str| map.get(key).and_then(Value::as_str);
    Some(Token {
        name: path.strip_prefix(dir).ok()?.display().to_string(),
        size: bytes.len(),
        kind: text("type")
            .filter(|kind| !kind.is_empty())
            .unwrap_or("unknown")
            .to_owned(),
        email: text("email").map(str::to_owned),
        // Plus does not read it.
        is_disabled: edition == Edition::Mainline
            && map.get("disabled") == Some(&Value::Bool(true)),
        path,
    })
}
