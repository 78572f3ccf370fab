//! `flowgate auth logout`: takes one credential away, and nothing else.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use flowgate_checks::routes::canonical_provider;
use jiff::Timestamp;
use serde_json::Value;

use super::places;
use crate::cli::failure::Failure;
use crate::cli::opened::{self, Opened};
use crate::cli::{Global, again, output, question};
use crate::sys::event_log::{self, Event};
use crate::sys::read;
use crate::sys::write;

/// No token file is longer, in bytes.
const LARGEST: u64 = 64 << 10;

/// Most entries of an auth dir that are looked at.
const MOST: usize = 20_000;

/// Take one login away.
#[derive(Debug, Args)]
pub struct LogoutArgs {
    /// The file of `auth status`, or a provider that has one login
    #[arg(value_name = "FILE|PROVIDER")]
    name: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// A token file of this gateway.
struct Token {
    path: PathBuf,
    name: String,
    provider: String,
    bytes: Vec<u8>,
}

/// Runs `auth logout`; gives the exit code.
///
/// # Errors
/// A config that does not load, a login that is not there, one that is not ours to take away.
pub fn run(args: &LogoutArgs, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    let token = find(&args.name, &opened, global)?;
    let shown = opened.root.show(&token.path);
    check(&token.path, &shown)?;
    if !args.yes && !agrees(&token, &shown, global)? {
        output::errors("left as it is\n");
        return Ok(0);
    }
    write::remove(&token.path, &token.bytes)?;
    note(&token, &shown, &opened);
    let text = if output::is_for_scripts(global) {
        format!("removed_auth={}\n", token.path.display())
    } else {
        format!("logged out of {}: {shown} is gone\n", token.provider)
    };
    output::text(&text)?;
    Ok(0)
}

/// The one token file that is meant.
fn find(name: &str, opened: &Opened, global: &Global) -> Result<Token, Failure> {
    let tokens = tokens(opened);
    let meant = Path::new(name);
    let is_file = |token: &Token| {
        token.name == name
            || token.path == meant
            || opened.root.show(&token.path) == name
            || token.path == opened.cwd.join(meant)
    };
    let provider = canonical_provider(name);
    let mut found: Vec<Token> = if tokens.iter().any(is_file) {
        tokens.into_iter().filter(is_file).collect()
    } else {
        let of_provider = |token: &Token| canonical_provider(&token.provider) == provider;
        tokens.into_iter().filter(of_provider).collect()
    };
    let names = |found: &[Token]| {
        let names: Vec<String> = found
            .iter()
            .map(|token| opened.root.show(&token.path))
            .collect();
        names.join(", ")
    };
    match found.len() {
        0 => Err(Failure::usage(anyhow!("no login is named {name:?}"))
            .hint(again::command(global, "auth status"))),
        1 => Ok(found.remove(0)),
        _ => Err(Failure::usage(anyhow!(
            "{name} has {} logins, name one of the files: {}",
            found.len(),
            names(&found)
        ))),
    }
}

/// Every token file that can be read and lies directly in an auth dir.
fn tokens(opened: &Opened) -> Vec<Token> {
    let mut tokens = Vec::new();
    for dir in places::dirs(opened) {
        let entries = std::fs::read_dir(&dir).into_iter().flatten().take(MOST);
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.to_ascii_lowercase().ends_with(".json") {
                continue;
            }
            let Ok(bytes) = read::whole(&entry.path(), LARGEST) else {
                continue;
            };
            tokens.push(Token {
                provider: provider(&bytes, &name),
                path: entry.path(),
                name,
                bytes,
            });
        }
    }
    tokens.sort_by(|one, other| one.path.cmp(&other.path));
    tokens.dedup_by(|one, other| one.path == other.path);
    tokens
}

/// What a token file is for: its type, else what its name begins with.
fn provider(bytes: &[u8], name: &str) -> String {
    let document: Option<Value> = serde_json::from_slice(bytes).ok();
    let kind = document.and_then(|document| document.get("type")?.as_str().map(canonical_provider));
    kind.or_else(|| flowgate_checks::logins::provider_in_name(name))
        .unwrap_or_else(|| "unknown".into())
}

/// Only a file of this user's own, that lies where it is named, is taken away: no link, and nothing
/// below a link.
fn check(path: &Path, shown: &str) -> Result<(), Failure> {
    let refuse = |why: String| Failure::failed(anyhow!("failed to remove {shown}: {why}"));
    let facts = std::fs::symlink_metadata(path).map_err(|error| refuse(error.to_string()))?;
    if !facts.is_file() {
        return Err(refuse(
            "it is a link, and its target may be another program's".into(),
        ));
    }
    let me = rustix::process::geteuid().as_raw();
    if facts.uid() != me {
        return Err(refuse(format!("it belongs to uid {}", facts.uid())));
    }
    if facts.nlink() > 1 {
        return Err(refuse("it has another name elsewhere".into()));
    }
    Ok(())
}

fn agrees(token: &Token, shown: &str, global: &Global) -> Result<bool, Failure> {
    if !question::can_be_asked() {
        return Err(Failure::failed(anyhow!(
            "failed to ask whether {shown} may be removed: no terminal"
        ))
        .hint(again::command(
            global,
            &format!(
                "auth logout {} --yes",
                flowgate_checks::shell::quote(&token.name)
            ),
        )));
    }
    Ok(question::agrees(&format!(
        "remove {shown}, the login to {}? Only a new login brings it back.",
        token.provider
    )))
}

/// Writes it into the event log; one that cannot be written takes nothing back.
fn note(token: &Token, shown: &str, opened: &Opened) {
    let detail = format!("file={shown}");
    let event = Event {
        event: "oauth_logout",
        service: None,
        profile: None,
        provider: Some(&token.provider),
        result: "success",
        detail: Some(&detail),
    };
    if let Err(error) = event_log::append(&opened.config.paths.log_file, Timestamp::now(), &event) {
        output::errors(&format!("the event log was left out: {error}\n"));
    }
}
