//! Printing that survives a closed pipe.

use std::io::{self, IsTerminal, Write};

use anyhow::Context;
use serde::Serialize;

use super::Global;
use super::failure::Failure;
use crate::report::text;

/// Prints text with styles to stdout; they are taken away where they do not belong.
///
/// # Errors
/// When stdout cannot be written; a reader that has gone away is no error.
pub fn text(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    finish(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Whether the tokens of the original are printed: a script reads, or somebody asked for them.
pub fn is_for_scripts(global: &Global) -> bool {
    global.plain || !io::stdout().is_terminal()
}

/// Whether the locale is UTF-8; the first of LC_ALL, LC_CTYPE and LANG that is set decides.
pub fn is_utf8() -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(std::env::var_os)
        .find(|value| !value.is_empty())
        .is_some_and(|value| {
            let value = value.to_string_lossy().to_ascii_lowercase();
            value.contains("utf-8") || value.contains("utf8")
        })
}

/// How reports are laid out on this terminal.
pub fn layout(explained: bool) -> text::Options {
    let width =
        || terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0).max(40));
    text::Options {
        width: io::stdout().is_terminal().then(width),
        unicode: is_utf8(),
        explained,
    }
}

/// Prints one JSON document to stdout, never through a styled stream.
///
/// # Errors
/// When stdout cannot be written; a reader that has gone away is no error.
pub fn json(document: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(document).context("failed to write JSON")?;
    text.push('\n');
    file(&text)
}

/// Prints the content of a file to stdout as it is, never through a styled stream.
///
/// # Errors
/// When stdout cannot be written; a reader that has gone away is no error.
pub fn file(content: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    finish(out.write_all(content.as_bytes()).and_then(|()| out.flush()))
}

/// Prints text with styles to stderr.
pub fn errors(text: &str) {
    let mut err = anstream::stderr().lock();
    // When stderr is gone there is nobody left to tell.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Prints one sentence to stderr, and what to do about it.
pub fn error(message: &str, hint: Option<&str>) {
    let mut err = anstream::stderr().lock();
    // When stderr is gone there is nobody left to tell.
    let _ = writeln!(err, "flowgate: {message}");
    if let Some(hint) = hint {
        let _ = writeln!(err, "\nhint: {hint}");
    }
}

/// Prints clap's help, version or usage error where it belongs.
///
/// # Errors
/// When the stream cannot be written; a reader that has gone away is no error.
pub fn clap(error: &clap::Error) -> Result<(), Failure> {
    finish(error.print())
}

fn finish(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other.context("failed to write to the output")?),
    }
}
